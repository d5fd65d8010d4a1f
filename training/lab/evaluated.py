"""What evaluations found of a version, question by question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


def newest(version: MemoryVersion, evaluation_set: EvaluationSet, executive: str) -> Put | None:
    """The newest run led by the EXECUTIVE in which the version answered every question of the set as it is now.

    Where there is none, the newest run on the set that it led at all; None where there is none of that either.
    """
    questions = set(questions_of(evaluation_set))
    found = list(_runs(version, evaluation_set, executive))
    return next((put for put in found if questions <= set(put.right)), found[0] if found else None)


def _runs(version: MemoryVersion, evaluation_set: EvaluationSet, executive: str) -> Iterator[Put]:
    rows = contestants_of(version).filter(run__evaluation_set=evaluation_set)
    led = rows.filter(executive=executive).values_list("run_id", flat=True)
    for run in list(dict.fromkeys(led))[:RUNS_LOOKED_AT]:
        right: dict[Asked, bool] = {}
        for question, exact, judged, error in answers_of(
            rows.filter(run_id=run).values_list("pk", flat=True)
        ):
            right[question] = right.get(question, True) and (exact or judged) and not error
        yield Put(run, right)


def answers_of(contestants: Iterable[int]) -> Iterator[tuple[Asked, bool, bool, bool]]:
    """Each question with whether the answer is an exact match, whether a judge took it for right, and whether it
    could not be asked."""
    fields = ("text", "answers", "is_set", "answerable")
    rows = EvaluationAnswer.objects.filter(contestant__in=list(contestants)).order_by("pk")
    told = rows.values_list(*(f"question__{field}" for field in fields), "exact", "judged", "error")
    for *question, exact, judged, error in told.iterator():
        yield asked(*question), exact, bool(judged), bool(error)


def asked(text: str, answers: Iterable[Any], is_set: bool, answerable: bool) -> Asked:
    return Asked(text, frozenset(map(str, answers)), is_set, answerable)


@dataclass(frozen=True)
class SameQuestions:
    """Shares of exact matches of two versions on the same questions, led by the same EXECUTIVE.

    ``now`` is None where the second was asked none of what the first was asked.
    """

    evaluation_set: str
    executive: str
    questions: int
    before: float
    now: float | None


def same_questions(before: MemoryVersion, now: MemoryVersion) -> Iterator[SameQuestions]:
    """For each set of its corpus on which ``before`` was evaluated, under each EXECUTIVE that led both.

    Where none led both there is one row, whose ``now`` is None. The newest answer to a question counts. One that
    could not be asked was not measured of ``before``, and counts as wrong of ``now``.
    """
    known, compared = _by_set(before), _by_set(now)
    for evaluation_set, led in sorted(known.items()):
        shared = sorted(led.keys() & compared.get(evaluation_set, {}).keys())
        for executive in shared or sorted(led)[:1]:
            measured = {q: exact for q, exact in _newest_answers(led[executive]).items() if exact is not None}
            answers = _newest_answers(compared[evaluation_set][executive]) if shared else {}
            common = measured.keys() & answers.keys()
            if common:
                share = sum(measured[question] for question in common) / len(common)
                right = sum(bool(answers[question]) for question in common) / len(common)
                yield SameQuestions(evaluation_set, executive, len(common), share, right)
            elif measured:
                share = sum(measured.values()) / len(measured)
                yield SameQuestions(evaluation_set, executive, len(measured), share, None)


def _by_set(version: MemoryVersion) -> dict[str, dict[str, list[int]]]:
    """The contestants that asked a version, the newest first, by the name of the set and by EXECUTIVE."""
    rows = contestants_of(version).filter(run__evaluation_set__corpus=version.corpus_id)
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for name, executive, key in rows.values_list("run__evaluation_set__name", "executive", "pk"):
        found[name][executive].append(key)
    return found


def _newest_answers(contestants: Sequence[int]) -> dict[Asked, bool | None]:
    """Whether the newest answer to each question is an exact match; None where it could never be asked."""
    found: dict[Asked, bool | None] = {}
    for contestant in contestants[:RUNS_LOOKED_AT]:
        for question, exact, _, error in answers_of([contestant]):
            if found.get(question) is None:
                found[question] = None if error else exact
    return found
