"""The judge: a language model says of each answer whether it means what was to be answered."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from memosite.endpoints import settings_of
from memosite.errors import MemoError
from memosite.llm import BadReply, Completion, OpenAICompatible
from memosite.llm.reading import read_object
from memosite.models import Endpoint
from training.evaluation.judge import Verdict, judge_request
from training.evaluation.types import Answered, Question
from training.lab.runs.asking import Pace, as_they_come
from training.models import EvaluationAnswer, EvaluationRun

TAKEN = ("calls", "prompt_tokens", "completion_tokens")
#: Why there is a verdict on what no judge looked at.
NOT_ASKED, NO_ANSWER_GIVEN, HAS_NO_ANSWER = (
    "It could not be asked.",
    "It did not answer.",
    "The question has no answer.",
)
REASKED = 2  # times after a reply that could not be used
MOST_FAILURES = 20


class JudgeGone(MemoError):
    """The endpoint that was to judge is gone."""

    code = "judge_gone"


class JudgeFails(MemoError):
    """The judge could not be asked many times in a row."""

    code = "judge_fails"


@dataclass
class Tally:
    """What judging took. ``problems`` are answers that got no verdict, each with the reason."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    problems: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Tally:
        """What was taken before the run was interrupted."""
        calls, prompt_tokens, completion_tokens = (int(told.get(name, 0)) for name in TAKEN)
        return cls(calls, prompt_tokens, completion_tokens)

    def add(self, completion: Completion) -> None:
        self.calls += 1
        self.prompt_tokens += completion.prompt_tokens
        self.completion_tokens += completion.completion_tokens

    def as_dict(self, endpoint: Endpoint) -> dict[str, Any]:
        cost = float(endpoint.cost(self.prompt_tokens, self.completion_tokens))
        taken = {name: getattr(self, name) for name in TAKEN}
        return {"name": endpoint.name, "model": endpoint.model, **taken, "cost": cost}


def judge_answers(run: EvaluationRun, runner: asyncio.Runner) -> Tally:
    """Have every answer judged that is not yet; what it took is in the run's result at every moment.

    Raises JudgeGone, NoKey, JudgeFails.
    """
    if run.judge is None:
        raise JudgeGone("The endpoint that was to judge was deleted. Start a run with another one.")
    settle_what_needs_no_judge(run)
    waiting = EvaluationAnswer.objects.filter(contestant__run=run, judged=None).select_related(
        "question", "contestant"
    )
    answers = list(waiting.defer("transcript"))
    done = run.total - len(answers)
    run.report(phase="judging", done=max(done, run.done))
    tally, pace, failures = Tally.of(run.result.get("judge", {})), Pace(), 0
    client = client_of(run.judge)
    verdicts = as_they_come(
        answers,
        lambda row: _verdict(client, row, tally),
        runner,
        at_once=run.judge.concurrency,
        meanwhile=run.report,
    )
    try:
        with closing(verdicts):  # type: ignore[type-var]
            for number, (row, verdict) in enumerate(verdicts, start=1):
                failures = failures + 1 if isinstance(verdict, MemoError) else 0
                _keep(row, verdict, tally)
                if failures >= MOST_FAILURES:
                    raise JudgeFails(f"The judge failed {failures} times in a row, at last so: {verdict}")
                taken = {**run.result, "judge": tally.as_dict(run.judge)}
                left = pace.left(len(answers) - number)
                run.report(done=done + number, seconds_left=left, result=taken)
    finally:
        runner.run(client.close())
    return tally


def judge_key(endpoint: Endpoint) -> str:
    """64 hexadecimal digits: the same where the same verdicts are to be expected."""
    rubric = judge_request(Question(""), Answered("")).prompt_version
    parts = [endpoint.base_url, endpoint.model, endpoint.temperature, rubric]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def begin_judging(run: EvaluationRun) -> None:
    """Store whose verdicts these will be, before the first is taken over from an earlier run.

    If the judge became another one while the run stood still, what it had said is forgotten.
    """
    if run.judge is None:
        return
    key = judge_key(run.judge)
    if run.judge_key != key:
        EvaluationAnswer.objects.filter(contestant__run=run).update(judged=None, judged_why="")
    run.report(judge_key=key)


def client_of(endpoint: Endpoint) -> OpenAICompatible:
    """Raises NoKey."""
    return OpenAICompatible(settings_of(endpoint))


def settle_what_needs_no_judge(run: EvaluationRun) -> None:
    """Mark what no language model has to look at: errors, abstentions, and answers to what has none."""
    open_ones = EvaluationAnswer.objects.filter(contestant__run=run, judged=None)
    open_ones.exclude(error="").update(judged=False, judged_why=NOT_ASKED)
    open_ones.filter(known=False, question__answerable=True).update(judged=False, judged_why=NO_ANSWER_GIVEN)
    open_ones.filter(question__answerable=False).update(judged=Q(known=False), judged_why=HAS_NO_ANSWER)


def needed_judge(answer: EvaluationAnswer) -> bool:
    """Whether the verdict on the answer is that of a judge."""
    return answer.judged is not None and answer.judged_why not in (NOT_ASKED, NO_ANSWER_GIVEN, HAS_NO_ANSWER)


async def _verdict(client: OpenAICompatible, row: EvaluationAnswer, tally: Tally) -> Verdict:
    """Raises LLMError, and BadReply where no reply could be used."""
    request = judge_request(row.question.as_question(), Answered(row.text, tuple(row.values), row.known))
    for attempt in range(1 + REASKED):
        completion = await client.complete(request)
        tally.add(completion)
        try:
            return read_object(request, completion.text)
        except BadReply as error:
            if attempt == REASKED:
                raise
            request = request.after(str(error))
    raise BadReply("The judge gave no verdict.")


def _keep(row: EvaluationAnswer, verdict: Verdict | MemoError, tally: Tally) -> None:
    if isinstance(verdict, MemoError):
        step = f"judging {row.contestant.label}"
        tally.problems.append({"document": row.question.text[:200], "step": step, "error": str(verdict)})
        return
    row.judged, row.judged_why = verdict.right, verdict.why
    row.save(update_fields=["judged", "judged_why"])
