"""The judge is asked about answers that may be right in other words, and about no others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from memosite.llm import Completion, LLMError
from memosite.models import Endpoint, EndpointRole
from memosite.runs import Status, seconds_ago
from tests.evaluation.contests import DOWN, LEADERS, carry_through
from tests.factories import EndpointFactory
from training.evaluation.judge import Verdict
from training.lab.runs import judging
from training.lab.runs.report import report_of
from training.lab.runs.running import start_evaluation
from training.models import EvaluationAnswer, EvaluationRun

pytestmark = pytest.mark.django_db
ATLAS = "Who leads Project Atlas?"


class ScriptedJudge:
    """Takes every answer for right that is in ``right``. ``replies`` are given first, as they are."""

    def __init__(self, right: set[str], *replies: Any) -> None:
        self.right, self.replies, self.asked = right, list(replies), []

    async def complete(self, request: Any) -> Completion:
        self.asked.append(request.user)
        said = self.replies.pop(0) if self.replies else self._verdict(request.user)
        if isinstance(said, BaseException):
            raise said
        return Completion(said, 100, 10, 0.1)

    def _verdict(self, asked: str) -> str:
        found = next((answer for answer in self.right if answer in asked), None)
        return as_reply(bool(found))

    async def close(self) -> None:
        """There is nothing to close."""


def as_reply(is_right: bool) -> str:
    """A verdict as a language model writes it, whatever its fields are called."""
    fields = Verdict.model_fields
    told = {name: is_right if fields[name].annotation is bool else "So it is." for name in fields}
    return json.dumps(told)


@pytest.fixture
def endpoint() -> Endpoint:
    return EndpointFactory(name="solomon", role=EndpointRole.JUDGE, input_price=10)


def judged_by(judge: ScriptedJudge, monkeypatch: pytest.MonkeyPatch) -> ScriptedJudge:
    monkeypatch.setattr(judging, "client_of", lambda endpoint: judge)
    return judge


def test_each_given_answer_is_judged_and_the_agreement_with_exact_match_told(
    leaders, specs, contest, endpoint, monkeypatch
):
    contest.answers["memory"] |= {ATLAS: "The Lund of Atlas"}
    judge = judged_by(ScriptedJudge({"The Lund of Atlas", "Beacon Lund", "Cedar Lund"}), monkeypatch)
    run = carry_through(start_evaluation(leaders, specs, judge=endpoint))
    assert (run.status, run.done, run.total) == (Status.SUCCEEDED, 20, 20)
    assert len(judge.asked) == 4
    row = EvaluationAnswer.objects.get(contestant__position=1, question__text=ATLAS)
    assert (row.exact, row.judged, bool(row.judged_why)) == (False, True, True)
    memory = run.contestants.first().summary
    assert (memory["exact"], memory["judged"]) == (0.8, 0.8)
    assert (memory["judge_agreement"], memory["judge_saw"]) == (0.5, 4)  # the fifth was no answer
    taken = run.result["judge"]
    assert (taken["name"], taken["calls"], taken["prompt_tokens"], taken["cost"]) == (
        "solomon",
        4,
        400,
        0.004,
    )


def test_abstentions_errors_and_answers_to_what_has_none_need_no_judge(
    leaders, specs, contest, endpoint, monkeypatch
):
    contest.answers["memory"] = {ATLAS: DOWN, "Who leads Project Void?": "Bo Marsh"}
    judge = judged_by(ScriptedJudge(set()), monkeypatch)
    carry_through(start_evaluation(leaders, specs[:1], judge=endpoint))
    assert judge.asked == []
    assert set(EvaluationAnswer.objects.values_list("judged", flat=True)) == {False}


def test_rightly_abstaining_is_right_in_the_judges_eyes(leaders, specs, endpoint, monkeypatch):
    judged_by(ScriptedJudge(set(LEADERS.values())), monkeypatch)
    carry_through(start_evaluation(leaders, specs[:1], judge=endpoint))
    assert set(EvaluationAnswer.objects.values_list("judged", flat=True)) == {True}


def test_a_reply_that_cannot_be_used_is_asked_for_again(leaders, specs, endpoint, monkeypatch):
    judge = judged_by(ScriptedJudge(set(LEADERS.values()), "Well."), monkeypatch)
    run = carry_through(start_evaluation(leaders, specs[:1], judge=endpoint))
    assert (run.status, len(judge.asked)) == (Status.SUCCEEDED, 5)
    assert "could not be used" in judge.asked[-1] + judge.asked[1]


def test_an_answer_that_got_no_verdict_is_told_and_the_others_are_judged(
    leaders, specs, endpoint, monkeypatch
):
    judged_by(ScriptedJudge(set(LEADERS.values()), LLMError("Overloaded.")), monkeypatch)
    endpoint.concurrency = 1
    endpoint.save()
    run = carry_through(start_evaluation(leaders, specs[:1], judge=endpoint))
    assert run.status == Status.WITH_ERRORS
    assert run.item_errors == [
        {"document": ATLAS, "step": "judging Memory, version 3", "error": "Overloaded."}
    ]
    assert run.contestants.first().summary["judged_questions"] == 4


def test_a_verdict_counts_on_for_the_same_judge_answer_and_right_answers(
    leaders, specs, endpoint, monkeypatch
):
    judge = judged_by(ScriptedJudge(set(LEADERS.values())), monkeypatch)
    carry_through(start_evaluation(leaders, specs, judge=endpoint))
    leaders.questions.filter(text=ATLAS).update(answers=["Atlas Lund", "A. Lund"])
    judge.asked.clear()
    carry_through(start_evaluation(leaders, specs, judge=endpoint))
    assert len(judge.asked) == 1


@pytest.mark.parametrize("between", ["no judge", "another judge"])
def test_a_verdict_counts_on_over_runs_without_that_judge(leaders, specs, endpoint, monkeypatch, between):
    other = EndpointFactory(name="daniel", role=EndpointRole.JUDGE, model="a stricter one")
    judge = judged_by(ScriptedJudge(set(LEADERS.values())), monkeypatch)
    carry_through(start_evaluation(leaders, specs, judge=endpoint))
    carry_through(start_evaluation(leaders, specs, judge=other if between == "another judge" else None))
    judge.asked.clear()
    carry_through(start_evaluation(leaders, specs, judge=endpoint))
    assert judge.asked == []


@pytest.mark.parametrize("changed", ["question", "model", "rubric"])
def test_a_verdict_on_something_else_or_by_another_judge_does_not_count_on(
    leaders, specs, endpoint, monkeypatch, changed
):
    judge = judged_by(ScriptedJudge(set(LEADERS.values())), monkeypatch)
    carry_through(start_evaluation(leaders, specs, judge=endpoint))
    judge.asked.clear()
    if changed == "question":
        leaders.questions.filter(text=ATLAS).update(is_set=True)
    elif changed == "model":
        endpoint.model = "a later one"
        endpoint.save()
    else:
        monkeypatch.setattr(judging, "judge_key", lambda endpoint: "of another rubric")
        monkeypatch.setattr("training.lab.runs.running.judge_key", lambda endpoint: "of another rubric")
    carry_through(start_evaluation(leaders, specs, judge=endpoint))
    assert len(judge.asked) == (1 if changed == "question" else 4)


def test_verdicts_of_a_judge_that_was_changed_in_the_middle_are_given_anew(
    leaders, specs, endpoint, monkeypatch
):
    broken = ScriptedJudge(set(LEADERS.values()), as_reply(True), SystemExit("killed"))
    judged_by(broken, monkeypatch)
    endpoint.concurrency = 1
    endpoint.save()
    run = start_evaluation(leaders, specs[:1], judge=endpoint)
    with pytest.raises(SystemExit):
        carry_through(run)
    endpoint.model = "a later one"
    endpoint.save()
    EvaluationRun.objects.update(heartbeat_at=seconds_ago(10_000))
    judge = judged_by(ScriptedJudge(set(LEADERS.values())), monkeypatch)
    assert carry_through(run).status == Status.SUCCEEDED
    assert len(judge.asked) == 4


def test_verdicts_that_were_taken_over_before_the_judge_was_changed_are_given_anew(
    leaders, specs, contest, endpoint, monkeypatch
):
    judged_by(ScriptedJudge(set(LEADERS.values())), monkeypatch)
    carry_through(start_evaluation(leaders, specs[:1], judge=endpoint))
    run = start_evaluation(
        leaders, specs, judge=endpoint
    )  # the second contestant is asked while the worker dies
    contest.answers["bm25"] = {ATLAS: SystemExit("killed")}
    with pytest.raises(SystemExit):
        carry_through(run)
    assert EvaluationAnswer.objects.filter(contestant__run=run, judged=True).count() == 5  # taken over
    endpoint.model = "a later one"
    endpoint.save()
    contest.answers["bm25"] = {}
    EvaluationRun.objects.filter(pk=run.pk).update(heartbeat_at=seconds_ago(10_000))
    judge = judged_by(ScriptedJudge(set(LEADERS.values())), monkeypatch)
    assert carry_through(run).status == Status.SUCCEEDED
    assert len(judge.asked) == 4


def test_a_judge_that_is_gone_fails_the_run_which_has_its_other_figures(leaders, specs, endpoint):
    run = start_evaluation(leaders, specs[:1], judge=endpoint)
    endpoint.delete()
    run.refresh_from_db()
    assert "was deleted. Start a run with another one." in carry_through(run).error
    assert (run.status, run.contestants.get().summary["exact"]) == (Status.FAILED, 1.0)


def test_what_judging_took_before_the_worker_was_killed_is_not_forgotten(
    leaders, specs, endpoint, monkeypatch
):
    judged_by(ScriptedJudge(set(LEADERS.values()), as_reply(True), SystemExit("killed")), monkeypatch)
    endpoint.concurrency = 1
    endpoint.save()
    run = start_evaluation(leaders, specs[:1], judge=endpoint)
    with pytest.raises(SystemExit):
        carry_through(run)
    EvaluationRun.objects.update(heartbeat_at=seconds_ago(10_000))
    judge = judged_by(ScriptedJudge(set(LEADERS.values())), monkeypatch)
    taken = carry_through(run).result["judge"]
    assert (len(judge.asked), taken["calls"], taken["cost"]) == (3, 4, 0.004)
    report = report_of(run)
    assert report
    assert (report.judge_cost, report.lines[0].kappa) == ("$0.0040", "")


def test_a_judge_without_its_key_ends_the_run_with_a_word_about_it(leaders, specs, endpoint):
    run = start_evaluation(leaders, specs, judge=endpoint)
    endpoint.key_variable = "JUDGE_KEY_THAT_IS_NOT_SET"
    endpoint.save()
    assert "JUDGE_KEY_THAT_IS_NOT_SET" in carry_through(run).error
