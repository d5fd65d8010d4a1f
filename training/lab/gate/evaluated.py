"""What evaluations found of a version, question by question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from memosite.runs import COMPLETE
from training.lab.runs.executives import offered
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
    questions, first = set(questions_of(evaluation_set)), None
    for put in _runs(version, evaluation_set, executive):
        if questions <= put.right.keys():
            return put
        first = first or put
    return first


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


Exact = dict[Asked, bool | None]  # None of a question that could never be asked


def same_questions(before: MemoryVersion, now: MemoryVersion) -> Iterator[SameQuestions]:
    """For each set of its corpus on which ``before`` was evaluated, under each EXECUTIVE that led both.

    Where none led both there is one row, whose ``now`` is None. Questions are those that the sets have now, and
    EXECUTIVEs those that may still lead: what cannot be asked any more binds nobody. The newest answer to a
    question counts. One that could not be asked was not measured of ``before``, and counts as wrong of ``now``.
    """
    known, compared = _by_set(before), _by_set(now)
    may_lead = [one.name for one in offered([before.corpus], [before, now])]
    for evaluation_set in EvaluationSet.objects.filter(pk__in=known).order_by("name"):
        questions = frozenset(questions_of(evaluation_set))
        led = {name: known[evaluation_set.pk][name] for name in may_lead if name in known[evaluation_set.pk]}
        yield from _compared(evaluation_set.name, questions, led, compared.get(evaluation_set.pk, {}))


def _compared(
    name: str,
    questions: frozenset[Asked],
    of_before: Mapping[str, Sequence[int]],
    of_now: Mapping[str, Sequence[int]],
) -> Iterator[SameQuestions]:
    """The comparisons on one set; contestants by the EXECUTIVE that led them."""
    alone: SameQuestions | None = None
    is_compared = False
    for executive, contestants in of_before.items():
        answers = _newest_answers(contestants, questions)
        measured = {question: exact for question, exact in answers.items() if exact is not None}
        its = _newest_answers(of_now.get(executive, ()), questions)
        if common := measured.keys() & its.keys():
            is_compared = True
            yield SameQuestions(name, executive, len(common), _share(measured, common), _share(its, common))
        elif measured and alone is None:
            alone = SameQuestions(name, executive, len(measured), _share(measured, measured), None)
    if alone and not is_compared:
        yield alone


def _share(exact: Mapping[Asked, bool | None], questions: Collection[Asked]) -> float:
    return sum(bool(exact[question]) for question in questions) / len(questions)


def _by_set(version: MemoryVersion) -> dict[int, dict[str, list[int]]]:
    """The contestants that asked a version, the newest first, by the set's key and by EXECUTIVE."""
    rows = contestants_of(version).filter(run__evaluation_set__corpus=version.corpus_id)
    found: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for evaluation_set, executive, key in rows.values_list("run__evaluation_set", "executive", "pk"):
        found[evaluation_set][executive].append(key)
    return found


def _newest_answers(contestants: Sequence[int], questions: frozenset[Asked]) -> Exact:
    """Whether the newest answer to each question is an exact match."""
    found: Exact = {}
    for contestant in contestants[:RUNS_LOOKED_AT]:
        for question, exact, _, error in answers_of([contestant]):
            if question in questions and found.get(question) is None:
                found[question] = None if error else exact
        if len(found) == len(questions) and None not in found.values():
            break
    return found
