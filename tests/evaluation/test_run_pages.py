"""The pages of evaluations: the form, a run at work, what it found, and one question with all answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from knowledge.models import Corpus, Role
from memosite.models import EndpointRole
from tests.evaluation.contests import DOWN, carry_through, make_set
from tests.factories import (
    ChatSettingsFactory,
    CorpusFactory,
    DocumentFactory,
    EndpointFactory,
    MemoryVersionFactory,
)
from tests.workbench import browser_of, make_person
from training.lab.runs.lineup import lineup
from training.lab.runs.running import Noise, start_evaluation
from training.models import EvaluationRun

pytestmark = pytest.mark.django_db
ATLAS = "Who leads Project Atlas?"


@pytest.fixture
def curator(corpus: Corpus) -> Any:
    return browser_of(make_person("cara", corpus, Role.CURATOR))


@pytest.fixture
def run(leaders, specs) -> EvaluationRun:
    return carry_through(start_evaluation(leaders, specs))


def page(browser: Any, name: str, *arguments: Any, query: str = "", **headers: str) -> str:
    answer = browser.get(reverse(name, args=["harbour", *arguments]) + query, headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


# --- The list and the form -------------------------------------------------------------------------------------
def test_a_corpus_without_sets_says_what_to_do_first(corpus, curator):
    told = page(curator, "evaluations")
    assert "Make an evaluation set first" in told
    assert 'id="start"' not in told


def test_the_form_begins_with_the_newest_version_beside_every_baseline(leaders, specs, curator):
    told = page(curator, "evaluations")
    assert 'name="versions" value="3" checked' in told
    assert 'name="against" value="bm25" checked' in told
    assert 'placeholder="top=5, unit=sentence"' in told
    assert "Leaders (5 questions)" in told


def test_the_form_starts_a_run_of_what_was_ticked(leaders, specs, curator):
    form = {"evaluation_set": "Leaders", "versions": ["3"], "executives": ["rules"], "against": ["bm25"]}
    answer = curator.post(reverse("evaluations", args=["harbour"]), form | {"options_bm25": "top=1; top=5"})
    run = EvaluationRun.objects.get()
    assert answer.url == run.get_absolute_url()
    told = [(row.kind, row.options) for row in run.contestants.all()]
    assert told == [("memory", {}), ("bm25", {"top": 1}), ("bm25", {"top": 5})]


def test_what_does_not_fit_is_said_in_the_form_which_keeps_what_was_ticked(leaders, specs, curator):
    form = {"evaluation_set": "Leaders", "against": ["bm25"], "options_bm25": "depth=2", "title": "My run"}
    answer = curator.post(reverse("evaluations", args=["harbour"]), form)
    told = " ".join(answer.content.decode().split())
    assert (answer.status_code, EvaluationRun.objects.count()) == (422, 0)
    assert "has no option “depth”. Its options: top, unit." in told
    assert 'value="depth=2"' in told
    assert 'value="My run"' in told
    assert 'name="versions" value="3">' in told


def test_options_that_the_worker_could_not_use_are_said_in_the_form(leaders, curator):
    form = {"evaluation_set": "Leaders", "against": ["bm25"], "options_bm25": "top=0, unit=foo"}
    answer = curator.post(reverse("evaluations", args=["harbour"]), form)
    told = " ".join(answer.content.decode().split())
    assert (answer.status_code, EvaluationRun.objects.count()) == (422, 0)
    assert "unit: choose one of: sentence, chunk, article; top: Input should be greater" in told
    assert 'value="top=0, unit=foo"' in told


def test_a_baseline_that_cannot_take_part_is_not_ticked_and_says_why(leaders, curator):
    told = page(curator, "evaluations")
    assert 'name="against" value="bm25" checked' in told
    assert 'name="against" value="dense"> <label' in told
    assert "Dense retrieval needs an embedding model" in told


def test_the_swap_button_fills_in_one_memory_with_every_executive_that_the_owners_allow(
    leaders, specs, curator, corpus
):
    EndpointFactory(name="unasked", role=EndpointRole.EXECUTIVE)
    ChatSettingsFactory(corpus=corpus, choices=["gpt", "llama"])
    told = page(curator, "evaluations", query="?fill=swap")
    for name in ("rules", "gpt", "llama"):
        assert f'name="executives" value="{name}" checked' in told
    assert "unasked" not in told
    assert 'name="against" value="bm25" checked' not in told


def test_the_noise_button_fills_in_the_levels_and_retrieval(leaders, specs, curator):
    told = page(curator, "evaluations", query="?fill=noise")
    assert told.count('name="noise"') == told.count('name="noise" value="1" checked') + 1 == 2
    assert 'name="against" value="bm25" checked' in told
    assert 'name="against" value="closed_book" checked' not in told


def test_a_run_can_be_started_again_as_it_was(run, curator):
    told = page(curator, "evaluations", query=f"?repeats={run.pk}")
    assert 'value="top=1"' in told
    assert f'value="{run.title}"' in told


def test_a_link_may_choose_the_set_and_the_version(leaders, specs, curator, corpus):
    make_set(corpus, "Who & what?")
    MemoryVersionFactory(corpus=corpus, number=4)
    told = page(curator, "evaluations", query="?set=Who%20%26%20what%3F&version=3")
    assert '<option value="Who &amp; what?" selected>' in told
    assert 'name="versions" value="3" checked' in told
    assert 'name="versions" value="4">' in told
    assert 'name="against" value="bm25">' in told


def test_a_link_to_what_is_not_there_leaves_the_form_as_it_is(leaders, specs, curator):
    told = page(curator, "evaluations", query="?set=Nothing&version=99")
    assert '<option value="Leaders" selected>' in told
    assert 'name="versions" value="3" checked' in told


def test_the_corpus_page_leads_curators_to_the_evaluations(corpus, curator):
    address = reverse("evaluations", args=["harbour"])
    assert address in page(curator, "corpus")
    assert address not in page(browser_of(make_person("rita", corpus, Role.READER)), "corpus")


# --- A run -----------------------------------------------------------------------------------------------------
def test_a_run_at_work_shows_how_far_it_is_and_asks_for_itself_again(leaders, specs, curator):
    run = start_evaluation(leaders, specs)
    EvaluationRun.objects.update(status="running", phase="asking Memory", done=3, total=10, seconds_left=90)
    told = page(curator, "evaluation-run", run.pk, **{"HX-Request": "true"})
    assert "<html" not in told
    assert 'hx-trigger="every 1s"' in told
    for text in (
        "3 of 10",
        "about 2 min left",
        "Asking Memory",
        "Cancel",
        "Memory, version 3 · Built-in rules",
    ):
        assert text in told


def test_once_a_run_is_over_its_page_loads_anew_and_asks_no_more(run, curator):
    address = reverse("evaluation-run", args=["harbour", run.pk])
    assert curator.get(address, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "hx-trigger" not in page(curator, "evaluation-run", run.pk)


def test_the_result_shows_figures_with_intervals_changes_and_charts(run, curator):
    told = page(curator, "evaluation-run", run.pk)
    for text in (
        "100 % <span",
        "20 % <span",
        "−80.0 <span",
        "BM25 (top 1) · Built-in rules",
        "By kind of question",
    ):
        assert text in told
    assert told.count('<figure class="bars">') == 2
    assert "Exact match, with 95 % intervals. Memory, version 3 · Built-in rules 100 %" in told


def test_the_questions_are_paged_by_fifty(corpus, contest, curator):
    large = make_set(corpus, "Many")
    large.questions.bulk_create(
        large.questions.model(evaluation_set=large, text=f"Who leads Project {number}?", answers=["Bo"])
        for number in range(60)
    )
    run = carry_through(start_evaluation(large, lineup([], against=[("bm25", {})])))
    assert page(curator, "evaluation-run", run.pk).count("/questions/") == 50
    assert page(curator, "evaluation-run", run.pk, query="?page=2").count("/questions/") == 15


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("outcome=right&contestant=1", 5),
        ("outcome=right&contestant=2", 1),
        ("outcome=abstained&contestant=2", 5),
        ("outcome=wrong", 0),
        ("outcome=failed", 0),
        ("outcome=differ", 4),
        ("tag=hops%3D2", 2),
        ("words=atlas", 1),
        ("tag=contains%3D2", 0),
        ("outcome=nonsense&contestant=x&page=x", 5),
    ],
)
def test_the_questions_are_filtered_by_outcome_contestant_tag_and_words(run, curator, query, shown):
    assert page(curator, "evaluation-run", run.pk, query=f"?{query}").count("/questions/") == shown


def test_the_noise_table_shows_the_change_against_the_clean_run(leaders, specs, corpus, curator):
    DocumentFactory(corpus=corpus)
    other = CorpusFactory(slug="other")
    DocumentFactory.create_batch(3, corpus=other)
    run = carry_through(start_evaluation(leaders, specs, noise=Noise((0.0, 1.0), other)))
    told = page(browser_of(make_person("sue", is_superuser=True)), "evaluation-run", run.pk)
    assert "×1 distractors" in told
    assert "±0.0 (±0.0 to ±0.0)" in told
    assert curator.get(run.get_absolute_url()).status_code == 404


def test_a_question_shows_each_answer_with_its_interrogation_side_by_side(run, curator):
    told = page(curator, "asked-question", run.pk, 1)
    assert told.count('<div class="timeline">') == 2
    for text in (
        ATLAS,
        "Right: Atlas Lund",
        "Atlas Lund.",
        "Doesn’t know",
        "120 tokens",
        "hops 1",
        "Answer seeking",
    ):
        assert text in told
    assert 'id="turn-' not in told
    assert 'rel="next"' in told
    assert 'rel="prev"' not in told


def test_events_that_no_chat_knows_are_listed_plainly(run, curator):
    answer = run.contestants.first().answers.first()
    answer.transcript = [{"type": "retrieved", "data": {"passages": ["<b>Ada</b>"]}}]
    answer.save()
    told = page(curator, "asked-question", run.pk, 1)
    assert "<strong>retrieved</strong>" in told
    assert "&lt;b&gt;Ada&lt;/b&gt;" in told


def test_what_failed_is_told_on_the_page_of_the_run_and_of_the_question(leaders, specs, contest, curator):
    contest.answers["memory"] |= {ATLAS: DOWN}
    run = carry_through(start_evaluation(leaders, specs))
    assert "1 failed" in page(curator, "evaluation-run", run.pk)
    assert str(DOWN) in page(curator, "asked-question", run.pk, 1)


def test_answers_stand_under_their_contestants_where_another_one_was_not_asked(
    leaders, specs, contest, curator
):
    def fail_at_first() -> None:
        if len(contest.built) == 1:
            raise DOWN

    contest.when_built = fail_at_first
    run = carry_through(start_evaluation(leaders, specs))
    asked_and_not = re.compile(r"not asked</span>\s*</td>\s*<td[^>]*>\s*<span class=.(chip|mark)")
    assert len(asked_and_not.findall(page(curator, "evaluation-run", run.pk))) == 5
    answer = curator.get(reverse("export-evaluation", args=["harbour", run.pk]), {"as": "html"})
    assert len(asked_and_not.findall(b"".join(answer).decode())) == 5


def test_a_run_is_cancelled_and_a_failed_one_goes_on(leaders, specs, curator):
    run = start_evaluation(leaders, specs)
    EvaluationRun.objects.update(status="failed", error="The server is down.")
    resume = reverse("resume-evaluation", args=["harbour", run.pk])
    assert resume in page(curator, "evaluation-run", run.pk)
    assert curator.post(resume).status_code == 302
    curator.post(reverse("cancel-evaluation", args=["harbour", run.pk]))
    run.refresh_from_db()
    assert run.status == "cancelled"


# --- Who sees it -----------------------------------------------------------------------------------------------
def test_a_run_that_asks_a_closed_version_is_there_for_its_audience_alone(leaders, corpus, contest, curator):
    secret = CorpusFactory()
    specs = lineup([MemoryVersionFactory(corpus=corpus, number=9, corpora=[secret])])
    run = carry_through(start_evaluation(leaders, specs))
    insider = make_person("ines", corpus, Role.CURATOR)
    insider.groups.add(secret.reader_group)
    assert run.title not in page(curator, "evaluations")
    assert run.title in page(browser_of(insider), "evaluations")
    for name, arguments in (("evaluation-run", ()), ("asked-question", (1,)), ("export-evaluation", ())):
        address = reverse(name, args=["harbour", run.pk, *arguments])
        assert [curator.get(address).status_code, browser_of(insider).get(address).status_code] == [404, 200]
    rest = reverse("api-evaluation", args=[run.pk])
    assert [curator.get(rest).status_code, browser_of(insider).get(rest).status_code] == [404, 200]


def test_a_closed_version_can_be_chosen_by_its_audience_alone(leaders, corpus, contest, curator):
    MemoryVersionFactory(corpus=corpus, number=9, corpora=[CorpusFactory()])
    assert "Version 9" not in page(curator, "evaluations")
    form = {"evaluation_set": "Leaders", "versions": ["9"], "executives": ["rules"]}
    answer = curator.post(reverse("evaluations", args=["harbour"]), form)
    assert (answer.status_code, "no version 9 that you may ask" in answer.content.decode()) == (422, True)


def test_the_workbench_lists_runs_and_leads_to_their_pages(run, curator):
    listed = curator.get(reverse("admin:training_evaluationrun_changelist")).content.decode()
    assert run.title in listed
    shown = curator.get(reverse("admin:training_evaluationrun_change", args=[run.pk])).content.decode()
    assert run.get_absolute_url() in shown
    assert curator.get(reverse("admin:training_evaluationrun_add")).status_code == 403
