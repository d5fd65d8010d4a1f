"""The start page, a corpus with its runs, and its memory versions, as a browser sees them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.views.defaults import server_error

from tests.factories import (
    ConversationFactory,
    CorpusFactory,
    DocumentFactory,
    GenerationRunFactory,
    MemoryVersionFactory,
    ReflectionFactory,
    TrainedPairFactory,
    TrainingRunFactory,
    UnreadSentenceFactory,
    UserFactory,
)
from training.charts.curve import HEIGHT, WIDTH, chart_of
from training.figures import figures_of, settings_of
from training.models import AliasMove, TrainingRun
from training.overview import states_for
from training.services import live_version, promote

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def corpus():
    return CorpusFactory()


@pytest.fixture
def log_in(client, corpus):
    """Log in somebody with this role on the corpus."""

    def as_role(role: str):
        person = UserFactory(**{role: corpus})
        client.force_login(person)
        return person

    return as_role


def page_of(client, corpus, **headers: str) -> str:
    return client.get(corpus.get_absolute_url(), headers=headers).content.decode()


# --- Home --------------------------------------------------------------------------------------------------
def test_home_lists_the_corpora_that_one_may_read_and_no_others(client, corpus, log_in):
    CorpusFactory(name="Secret plans")
    log_in("reads")
    page = client.get(reverse("home")).content.decode()
    assert corpus.name in page
    assert "Secret plans" not in page


def test_home_says_what_to_do_when_there_is_nothing_to_read(client):
    client.force_login(UserFactory())
    assert "Ask an owner of the corpus that you need" in client.get(reverse("home")).content.decode()


def test_the_next_step_follows_from_documents_runs_and_the_live_version():
    person = UserFactory(is_superuser=True)
    CorpusFactory(name="a: empty")
    DocumentFactory(corpus__name="b: untrained")
    TrainingRunFactory(corpus=DocumentFactory(corpus__name="c: in training").corpus, status="running")
    MemoryVersionFactory(corpus__name="d: live", live=True)
    steps = {state.corpus.name: state.next_step for state in states_for(person)}
    assert steps == {
        "a: empty": "empty",
        "b: untrained": "untrained",
        "c: in training": "wait",
        "d: live": "ask",
    }


def test_a_running_run_has_a_labelled_bar_with_numbers_and_time_left(client, corpus, log_in):
    log_in("reads")
    TrainingRunFactory(
        corpus=corpus, status="running", phase="training", done=12, total=40, seconds_left=150.0
    )
    page = client.get(reverse("home")).content.decode()
    assert 'max="40" value="12"' in page
    assert "Training" in page
    for said in ("30 %", "12 of 40", "about 2 min left"):
        assert said in page


def test_home_asks_again_now_and_then_and_often_while_something_is_at_work(client, corpus, log_in):
    log_in("reads")
    assert 'hx-trigger="every 15s"' in client.get(reverse("home")).content.decode()
    GenerationRunFactory(corpus=corpus)
    assert 'hx-trigger="every 1s"' in client.get(reverse("home")).content.decode()
    assert 'hx-trigger="every 1s"' in client.get(reverse("home"), headers=HTMX).content.decode()


def test_home_takes_the_same_number_of_queries_for_one_corpus_and_for_many(
    client, corpus, log_in, django_assert_max_num_queries
):
    person = log_in("reads")
    for _ in range(5):
        person.groups.add(MemoryVersionFactory(live=True).corpus.reader_group)
    with django_assert_max_num_queries(7):
        client.get(reverse("home"))


# --- Corpus ------------------------------------------------------------------------------------------------
def test_a_corpus_that_one_may_not_read_does_not_exist(client, corpus):
    client.force_login(UserFactory(owns=CorpusFactory()))
    assert client.get(corpus.get_absolute_url()).status_code == 404
    assert client.get(corpus.get_absolute_url(), headers=HTMX).status_code == 404


@pytest.mark.parametrize(
    ("role", "buttons"),
    [
        ("reads", set()),
        ("curates", {"generate", "train"}),
        ("owns", {"generate", "train", "build"}),
    ],
)
def test_everybody_sees_the_buttons_of_their_role(client, corpus, log_in, role, buttons):
    DocumentFactory(corpus=corpus)
    log_in(role)
    page = page_of(client, corpus)
    assert {name for name in ("generate", "train", "build") if f'id="{name}"' in page} == buttons
    assert ('name="files"' in page) == bool(buttons)


def test_htmx_gets_the_changing_part_alone_and_it_asks_often_while_a_run_is_at_work(client, corpus, log_in):
    log_in("reads")
    run = GenerationRunFactory(corpus=corpus, status="running")
    part = page_of(client, corpus, **HTMX)
    assert part.lstrip().startswith('<div id="corpus-state" hx-get=')
    assert 'hx-trigger="every 1s"' in part
    assert "<html" not in part
    run.status = "succeeded"
    run.save()
    assert 'hx-trigger="every 15s"' in page_of(client, corpus, **HTMX)


def test_a_run_tells_its_error_the_refused_items_and_the_unread_sentences(client, corpus, log_in):
    log_in("reads")
    refused = {"document": "plan.md", "error": "Nothing in it can be read."}
    run = GenerationRunFactory(
        corpus=corpus, status="failed", error="The disk is full.", item_errors=[refused], sentences=9
    )
    UnreadSentenceFactory(run=run)
    page = page_of(client, corpus)
    for said in ("The disk is full.", "plan.md", "Nothing in it can be read.", "1 sentence not read"):
        assert said in page
    assert reverse("unread-sentences", args=[corpus.slug, run.pk]) in page


def test_only_curators_get_a_cancel_button(client, corpus, log_in):
    run = TrainingRunFactory(corpus=corpus, status="running")
    cancel = reverse("cancel-training", args=[corpus.slug, run.pk])
    log_in("reads")
    assert cancel not in page_of(client, corpus)
    assert client.post(cancel).status_code == 403
    log_in("curates")
    assert cancel in page_of(client, corpus)
    client.post(cancel)
    run.refresh_from_db()
    assert run.cancel_requested


def test_documents_newer_than_the_live_memory_are_counted(client, corpus, log_in):
    log_in("reads")
    version = MemoryVersionFactory(corpus=corpus, live=True)
    began = timezone.now() - timedelta(hours=1)
    TrainingRunFactory(corpus=corpus, version=version, status="succeeded", started_at=began)
    DocumentFactory(corpus=corpus)
    assert "1 document came in or changed since then" in page_of(client, corpus)


def test_train_starts_a_run_on_approved_pairs(client, corpus, log_in):
    curator = log_in("curates")
    ReflectionFactory(corpus=corpus)
    client.post(reverse("start-training", args=[corpus.slug]))
    run = TrainingRun.objects.get()
    assert (run.corpus, run.created_by, run.go_live) == (corpus, curator, False)


def test_training_without_approved_pairs_says_what_to_do(client, corpus, log_in):
    log_in("curates")
    ReflectionFactory(corpus=corpus, status="pending")
    answer = client.post(reverse("start-training", args=[corpus.slug]))
    assert answer.status_code == 409
    assert "Generate pairs and approve them first" in answer.content.decode()


# --- Versions ----------------------------------------------------------------------------------------------
def test_a_version_page_shows_how_it_was_made_and_how_good_it_is(client, corpus, log_in):
    log_in("reads")
    metrics = {"recall": 0.998, "held_out_recall": 0.9, "false_answer_rate": 0.08, "parameters": 1_048_576}
    version = MemoryVersionFactory(corpus=corpus, metrics=metrics, config={"layers": 4}, base="from scratch")
    TrainedPairFactory.create_batch(3, version=version)
    TrainedPairFactory(version=version, held_out=True)
    page = client.get(version.get_absolute_url()).content.decode()
    for said in ("99 %", "90 %", "8 %", "1,048,576", "from scratch", version.sha256, "on 3 pairs", "1 more"):
        assert said in page


def test_a_version_without_metrics_says_that_nothing_was_measured(client, corpus, log_in):
    log_in("reads")
    page = client.get(MemoryVersionFactory(corpus=corpus).get_absolute_url()).content.decode()
    assert "Nothing was measured" in page


def test_promote_moves_the_live_alias_and_keeps_who_and_why(client, corpus, log_in):
    owner = log_in("owns")
    version = MemoryVersionFactory(corpus=corpus)
    address = reverse("promote-version", args=[corpus.slug, version.number])
    client.post(address, {"reason": "It knows the new handbook"})
    move = AliasMove.objects.get()
    assert (live_version(corpus), move.moved_by, move.reason) == (version, owner, "It knows the new handbook")
    assert "It knows the new handbook" in client.get(version.get_absolute_url()).content.decode()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
def test_promote_asks_for_a_reason_that_fits(client, corpus, log_in, reason):
    log_in("owns")
    version = MemoryVersionFactory(corpus=corpus)
    answer = client.post(reverse("promote-version", args=[corpus.slug, version.number]), {"reason": reason})
    assert answer.status_code == 422
    assert not AliasMove.objects.exists()


def test_rollback_is_one_click(client, corpus, log_in):
    owner = log_in("owns")
    first, second = MemoryVersionFactory.create_batch(2, corpus=corpus)
    promote(first, owner, reason="first")
    promote(second, owner, reason="second")
    assert "Roll back to version 1" in client.get(second.get_absolute_url()).content.decode()
    client.post(reverse("rollback", args=[corpus.slug]))
    assert live_version(corpus) == first


def test_a_rollback_from_a_page_that_is_out_of_date_changes_nothing(client, corpus, log_in):
    """A button clicked twice must not go back two versions."""
    owner = log_in("owns")
    versions = MemoryVersionFactory.create_batch(3, corpus=corpus)
    for version in versions:
        promote(version, owner, reason="better")
    back = reverse("rollback", args=[corpus.slug])
    assert 'name="to" value="2"' in client.get(versions[2].get_absolute_url()).content.decode()
    client.post(back, {"to": "2"})
    answer = client.post(back, {"to": "2"})
    assert answer.status_code == 409
    assert "went live since this page was loaded" in answer.content.decode()
    assert live_version(corpus) == versions[1]


def test_curators_neither_promote_nor_roll_back(client, corpus, log_in):
    log_in("curates")
    version = MemoryVersionFactory(corpus=corpus)
    promotion = reverse("promote-version", args=[corpus.slug, version.number])
    assert client.post(promotion, {"reason": "why not"}).status_code == 403
    assert client.post(reverse("rollback", args=[corpus.slug])).status_code == 403
    assert "Promote" not in client.get(version.get_absolute_url()).content.decode()


def test_a_version_of_a_foreign_corpus_is_not_found(client, corpus, log_in):
    log_in("owns")
    foreign = ConversationFactory().corpus
    assert client.get(MemoryVersionFactory(corpus=foreign).get_absolute_url()).status_code == 404


# --- When something is wrong -------------------------------------------------------------------------------
def test_a_form_without_its_token_changes_nothing_and_says_what_to_do(corpus):
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory(curates=corpus))
    ReflectionFactory(corpus=corpus)
    answer = client.post(reverse("start-training", args=[corpus.slug]))
    assert answer.status_code == 403
    assert "reload the page" in answer.content.decode()
    assert not TrainingRun.objects.exists()


def test_an_internal_error_has_a_page_that_needs_nothing_to_work(rf):
    answer = server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()


# --- Figures and the curve ---------------------------------------------------------------------------------
def test_figures_come_in_their_order_and_unknown_numbers_under_their_own_name():
    figures = figures_of({"epochs": 12, "loss": 0.02134, "recall": 1, "notes": "good", "threshold": None})
    assert [(figure.label, figure.text) for figure in figures] == [
        ("Recall on trained questions", "100 %"),
        ("Final training loss", "0.0213"),
        ("Epochs", "12"),
    ]


def test_recall_on_trained_questions_goes_by_either_name(client, corpus, log_in):
    log_in("reads")
    MemoryVersionFactory(corpus=corpus, metrics={"trained_recall": 0.75})
    MemoryVersionFactory(corpus=corpus, metrics={"recall": 0.25})
    page = page_of(client, corpus)
    assert "<td>75 %</td>" in page
    assert "<td>25 %</td>" in page


def test_settings_are_worded_and_nested_ones_left_out():
    settings = settings_of({"learning_rate": 0.003, "augment": True, "sizes": [1, 2], "base": "scratch"})
    assert [(setting.label, setting.text) for setting in settings] == [
        ("Learning rate", "0.003"),
        ("Augment", "True"),
        ("Base", "scratch"),
    ]


def test_the_curve_fills_its_plot():
    chart = chart_of([{"step": 0, "loss": 4.0}, {"step": 50, "loss": 2.0, "recall": 0.5}])
    assert chart is not None
    assert chart.loss == f"0.0,0.0 {WIDTH:.1f},{HEIGHT / 2:.1f}"
    assert chart.recall == f"{WIDTH:.1f},{HEIGHT / 2:.1f}"
    assert chart.summary == "At step 50, loss 2.000, recall 50 %"


def test_the_curve_of_a_running_training_leaves_room_for_the_steps_to_come():
    chart = chart_of([{"step": 0, "loss": 4.0}, {"step": 50, "loss": 2.0}], steps=100)
    assert chart is not None
    assert chart.loss.split()[1].startswith(f"{WIDTH / 2:.1f},")
    assert chart.last_step == 100


@pytest.mark.parametrize("curve", [[], [{"step": 1, "loss": 2.0}], [{"step": 1}, {"step": 2}]])
def test_there_is_no_curve_before_there_are_points_to_connect(curve):
    assert chart_of(curve) is None


def test_a_paused_run_and_one_with_failures_lead_to_the_workbench(db) -> None:
    corpus = CorpusFactory()
    client = Client()
    client.force_login(UserFactory(curates=corpus))
    failure = {"document": "Handbook", "step": "open_questions", "error": "out of order"}
    run = GenerationRunFactory(corpus=corpus, status="with_errors", item_errors=[failure])
    page = client.get(corpus.get_absolute_url()).content.decode()
    assert "Succeeded with errors" in page
    assert "<strong>Handbook</strong>, open questions: out of order" in page
    assert f'href="{run.workbench_page}"' in page
    GenerationRunFactory(corpus=corpus, status="paused", error="The budget is spent.")
    assert "Resume it in the workbench" in client.get(corpus.get_absolute_url()).content.decode()
