"""A run asks every contestant every question once, goes on where it stopped, and takes over what is known."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from knowledge.models import Corpus, Role
from memosite.errors import NotAllowed
from memosite.models import EndpointRole
from memosite.runs import Status, seconds_ago
from tests.evaluation.contests import DOWN, LEADERS, ByHeart, carry_through, make_set
from tests.factories import (
    ChatSettingsFactory,
    CorpusFactory,
    DocumentFactory,
    EndpointFactory,
    MemoryVersionFactory,
    TrainedPairFactory,
    UserFactory,
)
from training.evaluation.types import Answered, Question, Unaskable
from training.lab.runs.contestants import KINDS, UnknownKind
from training.lab.runs.executives import ExecutiveNotOffered
from training.lab.runs.lineup import BadContestant, lineup
from training.lab.runs.noise import BadNoise, with_distractors
from training.lab.runs.report import report_of, table_lines
from training.lab.runs.running import MOST_FAILURES, BadEvaluation, Noise, start_evaluation
from training.lab.runs.wishes import suggested
from training.models import (
    AskedQuestion,
    EvaluationAnswer,
    EvaluationQuestion,
    EvaluationRun,
    EvaluationSet,
    MemoryVersion,
)
from training.registry import VersionGone

pytestmark = pytest.mark.django_db
ATLAS = "Who leads Project Atlas?"


def answers_of(run: EvaluationRun, position: int = 1) -> dict[str, EvaluationAnswer]:
    rows = EvaluationAnswer.objects.filter(contestant__run=run, contestant__position=position)
    return {row.question.text: row for row in rows.select_related("question")}


def test_a_version_that_was_deleted_meanwhile_starts_no_run(leaders, specs):
    MemoryVersion.objects.filter(number=3).delete()
    with pytest.raises(VersionGone, match="was deleted meanwhile"):
        start_evaluation(leaders, specs)
    assert not EvaluationRun.objects.exists()


# --- What a run does -------------------------------------------------------------------------------------------
def test_every_contestant_answers_every_question_and_each_answer_is_kept_with_its_marks_and_cost(
    leaders, specs
):
    run = carry_through(start_evaluation(leaders, specs))
    assert (run.status, run.done, run.total) == (Status.SUCCEEDED, 10, 10)
    memory, retrieval = answers_of(run, 1), answers_of(run, 2)
    assert {question for question, row in memory.items() if row.exact} == {
        *LEADERS,
        "Who leads Project Void?",
    }
    assert [question for question, row in retrieval.items() if row.exact] == ["Who leads Project Void?"]
    kept = memory[ATLAS]
    assert (kept.text, kept.values, kept.known, kept.f1) == ("Atlas Lund.", ["Atlas Lund"], True, 1.0)
    assert (kept.calls, kept.prompt_tokens, kept.completion_tokens, kept.read_tokens) == (2, 100, 20, 30)
    assert (kept.cost, kept.seconds, len(kept.transcript), kept.is_cached) == (0.001, 1.5, 3, False)


def test_the_result_holds_each_summary_and_the_comparison_with_the_first_on_the_same_questions(
    leaders, specs
):
    run = carry_through(start_evaluation(leaders, specs))
    memory, retrieval = run.contestants.all()
    assert (memory.summary["questions"], memory.summary["exact"]) == (5, 1.0)
    assert retrieval.summary["exact"] == pytest.approx(0.2)
    assert retrieval.summary["abstention_recall"] == 1.0
    (against,) = run.result["paired"]
    assert (against["position"], against["against"]) == (2, 1)
    assert against["exact"]["difference"] == pytest.approx(-0.8)
    hops = {
        row["value"]: (row["questions"], row["figures"][1]["exact"]) for row in run.result["tags"]["hops"]
    }
    assert hops == {"1": (3, pytest.approx(1 / 3)), "2": (2, 0.0)}


def test_it_is_told_how_many_of_the_questions_a_version_was_trained_on(leaders, specs):
    for question, is_held_out in ((ATLAS, False), ("Who leads Project Beacon?", True)):
        TrainedPairFactory(version=specs[0].version, question=question, held_out=is_held_out)
    run = carry_through(start_evaluation(leaders, specs))
    report = report_of(run)
    assert report
    assert [line.trained_on for line in report.lines] == [1, 0]
    told = "Memory, version 3 · Built-in rules: was trained on 1 of the 5 questions"
    assert told in list(table_lines(report))


def test_a_run_keeps_the_questions_as_they_were_when_it_began(leaders, specs):
    run = start_evaluation(leaders, specs)
    leaders.questions.all().delete()
    assert carry_through(run).status == Status.SUCCEEDED
    assert set(LEADERS) < set(run.questions.values_list("text", flat=True))


def test_what_a_contestant_cannot_be_asked_is_kept_as_an_error_and_counts_as_not_answered(
    leaders, specs, contest
):
    contest.answers["memory"] |= {ATLAS: DOWN, "Who leads Project Void?": DOWN}
    run = carry_through(start_evaluation(leaders, specs))
    assert run.status == Status.WITH_ERRORS
    row = answers_of(run)[ATLAS]
    assert (row.error, row.known, row.exact) == (str(DOWN), False, False)
    assert not answers_of(run)["Who leads Project Void?"].exact
    assert run.contestants.first().summary["errors"] == 2
    assert run.contestants.first().summary["exact"] == pytest.approx(0.6)
    assert [problem["error"] for problem in run.item_errors] == [str(DOWN)] * 2
    assert run.item_errors[0]["step"] == "Memory, version 3"


def test_a_contestant_that_fails_again_and_again_fails_the_run_which_then_goes_on_from_there(
    specs, contest, corpus
):
    large = make_set(corpus, "Many")
    EvaluationQuestion.objects.bulk_create(
        EvaluationQuestion(evaluation_set=large, text=f"Who leads Project {number}?", answers=["Bo"])
        for number in range(MOST_FAILURES + 5)
    )
    texts = list(large.questions.values_list("text", flat=True))
    contest.answers["memory"] = dict.fromkeys(texts[:2], "Bo") | dict.fromkeys(texts[2:], DOWN)
    run = carry_through(start_evaluation(large, specs))
    assert (run.status, f"{MOST_FAILURES} times in a row" in run.error) == (Status.FAILED, True)
    report = report_of(run)
    assert report
    assert [line.label for line in report.lines] == [
        "BM25 (top 1)"
    ]  # the other one has its figures all the same
    assert report.missing == ["Memory, version 3 · Built-in rules"]
    contest.answers["memory"] = dict.fromkeys(texts, "Bo")
    contest.built.clear()
    run.resume()
    assert carry_through(run).status == Status.SUCCEEDED
    assert sorted(contest.built[0].asked) == sorted(texts[2:])
    assert run.item_errors == []


def test_a_contestant_that_cannot_be_made_ready_is_asked_nothing_and_the_others_are(leaders, specs, contest):
    def nothing_is_ready() -> None:
        contest.built[-1].unready = DOWN if len(contest.built) == 1 else None

    contest.when_built = nothing_is_ready
    run = carry_through(start_evaluation(leaders, specs))
    assert (run.status, run.error) == (
        Status.FAILED,
        f"Memory, version 3 cannot be asked: {DOWN} Put that right, then let the run go on.",
    )
    assert [len(made.asked) for made in contest.built] == [0, 5]


def test_a_contestant_that_cannot_be_made_does_not_keep_the_others_from_answering(leaders, specs, contest):
    def fail_at_first() -> None:
        if len(contest.built) == 1:
            raise DOWN

    contest.when_built = fail_at_first
    run = carry_through(start_evaluation(leaders, specs))
    assert (run.status, run.error) == (Status.FAILED, f"Memory, version 3 cannot be asked: {DOWN}")
    assert run.contestants.last().summary["questions"] == 5


def test_questions_that_cannot_be_put_to_a_contestant_are_no_failures_of_its_own(
    leaders, specs, contest, monkeypatch
):
    monkeypatch.setattr("training.lab.runs.running.MOST_FAILURES", 2)
    contest.answers["memory"] = dict.fromkeys(LEADERS, Unaskable("It names no documents."))
    run = carry_through(start_evaluation(leaders, specs[:1]))
    assert (run.status, len(run.item_errors)) == (Status.WITH_ERRORS, 4)


def test_a_question_that_takes_long_is_given_up_when_the_run_is_cancelled(
    leaders, specs, contest, monkeypatch
):
    monkeypatch.setattr("training.lab.runs.asking.PULSE_SECONDS", 0.01)

    async def think_for_ever(self: ByHeart, question: Question) -> Answered:
        await asyncio.Event().wait()
        return Answered("")

    monkeypatch.setattr(ByHeart, "answer", think_for_ever)
    contest.when_built = lambda: EvaluationRun.objects.update(cancel_requested=True)
    assert carry_through(start_evaluation(leaders, specs)).status == Status.CANCELLED


def test_a_run_whose_worker_died_goes_on_behind_the_last_answer_and_asks_nothing_twice(
    leaders, specs, contest
):
    run = start_evaluation(leaders, specs)
    asked = contest.answers["memory"]
    contest.answers["memory"] = asked | {"Who leads Project Cedar?": SystemExit("killed")}
    with pytest.raises(SystemExit):
        carry_through(run)
    assert EvaluationAnswer.objects.count() == 2
    contest.answers["memory"] = asked
    EvaluationRun.objects.update(heartbeat_at=seconds_ago(10_000))
    contest.built.clear()
    assert carry_through(run).status == Status.SUCCEEDED
    assert contest.built[0].asked == [
        "Who leads Project Cedar?",
        "Who leads Project Delta?",
        "Who leads Project Void?",
    ]
    assert (run.attempts, EvaluationAnswer.objects.count()) == (2, 10)


def test_a_cancelled_run_stops_between_two_questions_and_keeps_what_was_answered(leaders, specs, contest):
    run = start_evaluation(leaders, specs, is_fresh=True)
    contest.when_built = lambda: EvaluationRun.objects.update(cancel_requested=True)
    assert carry_through(run).status == Status.CANCELLED
    assert (contest.asked, EvaluationAnswer.objects.count()) == ([ATLAS], 1)
    assert run.result == {}


def test_it_tells_how_long_is_left_while_it_is_at_work(leaders, specs, monkeypatch):
    told = []
    report = EvaluationRun.report
    monkeypatch.setattr(
        EvaluationRun, "report", lambda run, **values: told.append(values) or report(run, **values)
    )
    carry_through(start_evaluation(leaders, specs))
    left = [values["seconds_left"] for values in told if "seconds_left" in values]
    assert len(left) == 10
    assert left[-1] == 0
    assert any("asking Memory, version 3" in values.get("phase", "") for values in told)


# --- What is known from before ---------------------------------------------------------------------------------
def test_the_same_contestant_is_not_asked_the_same_question_again_in_a_later_run(leaders, specs, contest):
    carry_through(start_evaluation(leaders, specs))
    contest.built.clear()
    again = carry_through(start_evaluation(leaders, specs))
    assert (contest.asked, again.done, again.status) == ([], 10, Status.SUCCEEDED)
    row = answers_of(again)[ATLAS]
    assert (row.text, row.exact, row.is_cached, row.cost, len(row.transcript)) == (
        "Atlas Lund.",
        True,
        True,
        0.001,
        3,
    )
    assert again.contestants.first().summary["cached"] == 5


def test_an_answer_that_is_taken_over_is_marked_by_what_is_right_now(leaders, specs, contest):
    carry_through(start_evaluation(leaders, specs))
    EvaluationQuestion.objects.filter(text=ATLAS).update(answers=["Bo Marsh"])
    contest.built.clear()
    row = answers_of(carry_through(start_evaluation(leaders, specs)))[ATLAS]
    assert (contest.asked, row.text, row.exact, row.is_cached) == ([], "Atlas Lund.", False, True)


def test_a_fresh_run_asks_everything_anew(leaders, specs, contest):
    carry_through(start_evaluation(leaders, specs))
    contest.built.clear()
    carry_through(start_evaluation(leaders, specs, is_fresh=True))
    assert len(contest.asked) == 10


def test_the_newest_of_several_answers_is_taken_over(leaders, specs, contest):
    carry_through(start_evaluation(leaders, specs))
    contest.answers["memory"] |= {ATLAS: "Bo Marsh"}
    carry_through(start_evaluation(leaders, specs, is_fresh=True))
    assert answers_of(carry_through(start_evaluation(leaders, specs)))[ATLAS].text == "Bo Marsh."


def test_an_error_is_never_taken_over(leaders, specs, contest):
    contest.answers["memory"] |= {ATLAS: DOWN}
    carry_through(start_evaluation(leaders, specs))
    contest.answers["memory"] = dict(LEADERS)
    contest.built.clear()
    again = carry_through(start_evaluation(leaders, specs))
    assert (contest.asked, again.status) == ([ATLAS], Status.SUCCEEDED)


def test_nothing_is_taken_over_from_another_corpus(specs, contest, leaders):
    carry_through(start_evaluation(leaders, specs[1:]))
    contest.built.clear()
    carry_through(start_evaluation(make_set(), specs[1:]))
    assert len(contest.asked) == 5


# --- Noise -----------------------------------------------------------------------------------------------------
@pytest.fixture
def distractors(corpus: Corpus) -> Corpus:
    """Six documents that have nothing to do with the two of the corpus."""
    DocumentFactory.create_batch(2, corpus=corpus)
    other = CorpusFactory(slug="other", name="Other people")
    DocumentFactory.create_batch(6, corpus=other)
    return other


def test_noise_adds_the_same_distractors_to_what_is_searched_and_memory_answers_with_the_version_that_learned_them(
    leaders, specs, contest, corpus, distractors
):
    noisy = MemoryVersionFactory(corpus=corpus, number=4)
    noise = Noise((0.0, 1.0, 3.0), distractors, {1.0: noisy})
    run = carry_through(start_evaluation(leaders, specs, noise=noise))
    told = [
        (row.kind, row.noise, row.version.number if row.version else None) for row in run.contestants.all()
    ]
    expected = [("memory", 0, 3), ("bm25", 0, None), ("memory", 1, 4), ("bm25", 1, None), ("bm25", 3, None)]
    assert told == expected
    assert [len(made.passages) for made in contest.built] == [2, 2, 4, 4, 8]
    changes = [(each["position"], each["against"]) for each in run.result["noise"]]
    assert changes == [(3, 1), (4, 2), (5, 2)]


def test_nobody_is_compared_with_a_first_contestant_that_was_not_asked(leaders, contest, corpus, distractors):
    three = lineup(
        [MemoryVersionFactory(corpus=corpus, number=3)], against=[("bm25", {}), ("closed_book", {})]
    )
    run = carry_through(start_evaluation(leaders, three, noise=Noise((0.0, 1.0), distractors)))
    compared = [(each["position"], each["against"]) for each in run.result["paired"]]
    assert compared == [(2, 1), (3, 1)]  # at ×1 no memory took part

    def fail_at_first() -> None:
        if contest.built[-1] is contest.built[0]:
            raise DOWN

    contest.built.clear()
    contest.when_built = fail_at_first
    run = carry_through(start_evaluation(leaders, three))
    assert (run.status, run.result["paired"]) == (Status.FAILED, [])


@pytest.mark.parametrize(
    ("levels", "source", "told"),
    [
        ((0.0, 1e308), "other", "makes no sense"),
        ((0.0, 1.0), None, "Choose the corpus"),
        ((-1.0,), "other", "makes no sense"),
        ((0.0, 1.0), "own", "another corpus"),
        ((0.0, 4.0), "other", "takes 8 documents, and “Other people” has 6"),
    ],
)
def test_noise_that_cannot_be_had_is_refused(leaders, specs, corpus, distractors, levels, source, told):
    chosen = {"other": distractors, "own": corpus, None: None}[source]
    with pytest.raises(BadNoise, match=told):
        start_evaluation(leaders, specs, noise=Noise(levels, chosen))
    assert not EvaluationRun.objects.exists()


def test_a_distractor_is_no_gold_document_though_its_title_is_the_same(corpus):
    DocumentFactory(corpus=corpus, title="Ada Lund")
    other = CorpusFactory()
    DocumentFactory(corpus=other, title="Ada Lund")
    marked = [passage.is_noise for passage in with_distractors(corpus, other, 1.0)]
    assert marked == [False, True]


def test_documents_of_another_corpus_go_to_a_server_only_where_one_curates_it(
    leaders, specs, corpus, distractors
):
    KINDS["bm25"] = replace(KINDS["bm25"], sends_documents=lambda spec: True)
    person, noise = UserFactory(curates=corpus, reads=distractors), Noise((0.0, 1.0), distractors)
    with pytest.raises(NotAllowed):
        start_evaluation(leaders, specs, person, noise=noise)
    assert start_evaluation(leaders, specs[:1], person, noise=noise)
    person.groups.add(distractors.group(Role.CURATOR))
    assert start_evaluation(leaders, specs, person, noise=noise)


# --- What is refused -------------------------------------------------------------------------------------------
def test_a_set_without_questions_is_refused(corpus, specs):
    with pytest.raises(BadEvaluation, match="has no questions yet"):
        start_evaluation(EvaluationSet.objects.create(corpus=corpus, name="Empty"), specs)
    assert not EvaluationRun.objects.exists()


@pytest.mark.parametrize(
    ("titles", "told"),
    [
        ([], "4 of 5 questions do not say which documents"),
        (["Nobody"], "1 documents that the corpus does not have"),
    ],
)
def test_a_kind_that_needs_documents_is_not_asked_questions_that_name_none(
    leaders, specs, corpus, titles, told
):
    KINDS["bm25"] = replace(KINDS["bm25"], needs_documents=True)
    leaders.questions.filter(answerable=True).update(documents=titles)
    with pytest.raises(BadEvaluation, match=told):
        start_evaluation(leaders, specs)
    assert "bm25" not in suggested(corpus, None).against
    DocumentFactory(corpus=corpus, title="Leaders")
    leaders.questions.filter(answerable=True).update(documents=["Leaders"])
    assert start_evaluation(leaders, specs)
    assert "bm25" in suggested(corpus, None).against


def test_a_run_without_contestants_is_refused(leaders):
    with pytest.raises(BadEvaluation, match="at least one contestant"):
        start_evaluation(leaders, [])


@pytest.mark.parametrize(
    ("kind", "options", "refusal", "told"),
    [
        ("oracle", {}, UnknownKind, "Choose one of: bm25, closed_book, memory"),
        ("memory", {}, BadContestant, "Name one"),
        ("bm25", {"depth": 2}, BadContestant, "Its options: top, unit"),
        ("bm25", {"top": "many"}, BadContestant, "a number such as 5"),
    ],
)
def test_a_contestant_that_cannot_be_is_refused_with_what_can(contest, kind, options, refusal, told):
    with pytest.raises(refusal, match=told):
        lineup([], against=[(kind, options)])


def test_options_are_read_as_what_their_defaults_are(contest):
    (spec,) = lineup([], against=[("bm25", {"top": "1", "unit": "document"})])
    assert spec.options == {"top": 1, "unit": "document"}


def test_an_executive_that_the_owners_do_not_allow_may_not_lead(leaders, contest):
    EndpointFactory(name="gpt", role=EndpointRole.EXECUTIVE)
    with pytest.raises(ExecutiveNotOffered, match="Choose one of: rules"):
        start_evaluation(leaders, lineup([], ["gpt"], [("bm25", {})]))


def test_an_executive_that_the_owners_withdrew_since_is_not_asked_and_the_others_are(
    leaders, contest, corpus
):
    allowed = ChatSettingsFactory(corpus=corpus, choices=["gpt"])
    run = start_evaluation(leaders, lineup([], ["gpt", "rules"], [("bm25", {})]))
    allowed.choices.clear()
    carry_through(run)
    assert "“gpt” may not lead questions here" in run.error
    assert [row.answers.count() for row in run.contestants.all()] == [0, 5]


def test_documents_of_a_corpus_that_one_curates_no_more_go_to_no_server(leaders, specs, corpus, distractors):
    KINDS["bm25"] = replace(KINDS["bm25"], sends_documents=lambda spec: True)
    person = UserFactory(curates=corpus)
    person.groups.add(distractors.group(Role.CURATOR))
    run = start_evaluation(leaders, specs[1:], person, noise=Noise((0.0, 1.0), distractors))
    person.groups.remove(distractors.group(Role.CURATOR))
    person.groups.add(distractors.group(Role.READER))
    assert "needs the role of curator in the corpus “Other people”" in carry_through(run).error
    assert [row.answers.count() for row in run.contestants.all()] == [5, 0]


def test_only_an_endpoint_of_that_role_judges(leaders, specs):
    with pytest.raises(BadEvaluation, match="is no judge"):
        start_evaluation(leaders, specs, judge=EndpointFactory())


def test_only_curators_who_may_ask_its_versions_start_a_run(leaders, corpus, contest):
    secret = CorpusFactory()
    joint = lineup([MemoryVersionFactory(corpus=corpus, corpora=[secret])])
    with pytest.raises(NotAllowed):
        start_evaluation(leaders, joint, UserFactory(reads=corpus))
    with pytest.raises(NotAllowed, match="closed to you"):
        start_evaluation(leaders, joint, UserFactory(curates=corpus))
    assert not EvaluationRun.objects.exists()


def test_a_run_is_told_of_to_those_who_read_all_that_it_asks_and_its_noise(
    leaders, specs, corpus, distractors
):
    run = start_evaluation(leaders, specs, noise=Noise((1.0,), distractors))
    assert set(run.corpora.all()) == {corpus, distractors}
    assert not EvaluationRun.objects.for_reader(UserFactory(curates=corpus)).exists()


def test_a_run_whose_person_lost_the_role_since_asks_nothing(leaders, specs, corpus, contest):
    person = UserFactory(curates=corpus)
    run = start_evaluation(leaders, specs, person)
    person.groups.remove(corpus.group(Role.CURATOR))
    assert "no curator" in carry_through(run).error
    assert contest.asked == []


def test_a_run_whose_version_was_deleted_since_says_so(leaders, specs):
    run = start_evaluation(leaders, specs)
    specs[0].version.delete()
    assert "The memory version of “Memory, version 3” was deleted" in carry_through(run).error


def test_questions_are_asked_in_the_order_of_the_set(leaders, specs):
    start_evaluation(leaders, specs)
    asked = AskedQuestion.objects.order_by("position").values_list("text", flat=True)
    assert list(asked) == [*LEADERS, "Who leads Project Void?"]
