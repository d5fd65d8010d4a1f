"""What evaluations found of a version, question by question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from memosite.runs import COMPLETE
from training.models import EvaluationAnswer, EvaluationContestant, EvaluationSet, MemoryVersion

MEMORY = "memory"  # the kind of a contestant that asks a version
RUNS_LOOKED_AT = 10


class Asked(NamedTuple):
    """A question with what counts as right: as long as that is the same, so is the question."""

    text: str
    answers: frozenset[str]
    is_set: bool
    answerable: bool


@dataclass(frozen=True)
class Put:
    """What a version answered when a run put questions to it.

    ``right``: answered exactly, or in the eyes of the judge; of several EXECUTIVEs all have to be right.
    """

    run: int
    right: Mapping[Asked, bool]


def contestants_of(version: MemoryVersion) -> Any:
    """Where a version was a contestant without noise in a run that is complete, the newest run first."""
    rows = EvaluationContestant.objects.filter(version=version, kind=MEMORY, noise=0)
    return rows.filter(run__status__in=COMPLETE).order_by("-run_id")


def questions_of(evaluation_set: EvaluationSet) -> list[Asked]:
    """The questions of a set as they are now."""
    fields = ("text", "answers", "is_set", "answerable")
    return [asked(*row) for row in evaluation_set.questions.values_list(*fields)]


def newest(version: MemoryVersion, evaluation_set: EvaluationSet) -> Put | None:
    """The newest run in which the version answered every question of the set as it is now.

    Where there is none, the newest run on the set at all; None where there is none of that either.
    """
    questions = set(questions_of(evaluation_set))
    found = list(_runs(version, evaluation_set))
    return next((put for put in found if questions <= set(put.right)), found[0] if found else None)


def _runs(version: MemoryVersion, evaluation_set: EvaluationSet) -> Iterator[Put]:
    rows = contestants_of(version).filter(run__evaluation_set=evaluation_set)
    runs = list(dict.fromkeys(rows.values_list("run_id", flat=True)))[:RUNS_LOOKED_AT]
    for run in runs:
        right: dict[Asked, bool] = {}
        for question, exact, judged in answers_of(rows.filter(run_id=run).values_list("pk", flat=True)):
            right[question] = right.get(question, True) and (exact or judged)
        yield Put(run, right)


def answers_of(contestants: Iterable[int]) -> Iterator[tuple[Asked, bool, bool]]:
    """Each question with whether the answer is an exact match, and whether a judge took it for right."""
    fields = ("text", "answers", "is_set", "answerable")
    rows = EvaluationAnswer.objects.filter(contestant__in=list(contestants)).order_by("pk")
    told = rows.values_list(*(f"question__{field}" for field in fields), "exact", "judged", "error")
    for *question, exact, judged, error in told.iterator():
        yield asked(*question), exact and not error, bool(judged) and not error


def asked(text: str, answers: Iterable[Any], is_set: bool, answerable: bool) -> Asked:
    return Asked(text, frozenset(map(str, answers)), is_set, answerable)


@dataclass(frozen=True)
class SameQuestions:
    """Shares of exact matches of two versions on the same questions, led by the same EXECUTIVE."""

    evaluation_set: str
    executive: str
    questions: int
    before: float
    now: float


def same_questions(before: MemoryVersion, now: MemoryVersion) -> Iterator[SameQuestions]:
    """For each set and EXECUTIVE with which both were evaluated, by the newest run of each."""
    first, second = _by_set(before), _by_set(now)
    for key in sorted(first.keys() & second.keys()):
        exact = [
            {question: exact for question, exact, _ in answers_of([side[key]])} for side in (first, second)
        ]
        common = exact[0].keys() & exact[1].keys()
        if common:
            shares = [sum(side[question] for question in common) / len(common) for side in exact]
            yield SameQuestions(*key, len(common), *shares)


def _by_set(version: MemoryVersion) -> dict[tuple[str, str], int]:
    """The newest contestant for each name of a set and EXECUTIVE."""
    rows = contestants_of(version).filter(run__evaluation_set__isnull=False).order_by("run_id")
    fields = ("run__evaluation_set__name", "executive", "pk")
    return {(name, executive): key for name, executive, key in rows.values_list(*fields)}
