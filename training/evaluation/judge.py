"""A language model that says whether an answer is right, and how far it agrees with exact match."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from memosite.llm import ObjectRequest
from memosite.llm.prompts import read_prompt
from training.evaluation.types import Answered, Question

PROMPTS = Path(__file__).parent / "prompts"
LONGEST_ANSWER = 4000  # characters of an answer that are graded
DONT_KNOW = "I don't know."


class Verdict(BaseModel):
    """What the judge says of an answer. The reason comes first: it is written before the verdict."""

    why: str
    right: bool


@dataclass(frozen=True)
class Agreement:
    """How often judge and exact match say the same: the share, and Cohen's kappa, which takes chance out.

    Both are None where nothing was judged; kappa also where one verdict was all that either of them gave.
    """

    share: float | None
    kappa: float | None


def judge_request(question: Question, answered: Answered) -> ObjectRequest[Verdict]:
    """What the judge is asked. The rubric comes first and stays the same; prompts/judge.md holds it."""
    prompt = read_prompt(PROMPTS, "judge")
    asked = {
        "question": question.text,
        "task": _task(question),
        "references": list(question.answers),
        "answer": answered.text[:LONGEST_ANSWER] if answered.known else DONT_KNOW,
    }
    user = json.dumps(asked, ensure_ascii=False, indent=1)
    return ObjectRequest("judge", prompt.version, prompt.text, user, Verdict)


def _task(question: Question) -> str:
    if not question.answerable:
        return "there is no answer"
    return "all of them" if question.is_set else "any of them"


def agreement(exact: Sequence[bool], judged: Sequence[bool | None]) -> Agreement:
    """How far two series of verdicts agree; where the judge gave none, the answer is left out.

    Raises ValueError where they are not equally long.
    """
    both = [(ours, theirs) for ours, theirs in zip(exact, judged, strict=True) if theirs is not None]
    if not both:
        return Agreement(None, None)
    share = sum(ours == theirs for ours, theirs in both) / len(both)
    right = sum(ours for ours, _ in both) / len(both), sum(theirs for _, theirs in both) / len(both)
    by_chance = right[0] * right[1] + (1 - right[0]) * (1 - right[1])
    return Agreement(share, (share - by_chance) / (1 - by_chance) if by_chance < 1 else None)
