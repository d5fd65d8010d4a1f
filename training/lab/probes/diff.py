"""What changed from one version to another, by what both say to the pairs of either."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from knowledge.models import Document, ReflectionSource
from training.evaluation.learned import Change, Said, change_between
from training.lab.probes.probing import Questions, missing, recollected, taught
from training.models import MemoryVersion, ProbeRun, Purpose, TrainedPair

#: What a page lists, in its order. What neither or both know the same is only counted.
TOLD = (Change.LEARNED, Change.FORGOTTEN, Change.OUTDATED, Change.CHANGED)
NO_DOCUMENT = 0  # stands for pairs that rest on no document that is here


@dataclass(frozen=True)
class Difference:
    """A question that either version was taught, what each says, and what became of it from a to b."""

    question: str
    before: Said
    after: Said
    change: Change
    documents: tuple[int, ...]


@dataclass(frozen=True)
class DocumentChanges:
    """How many questions of a document there are of each change. A question may rest on several documents."""

    pk: int
    title: str
    counts: Counter[Change]

    @property
    def learned(self) -> int:
        return self.counts[Change.LEARNED]

    @property
    def forgotten(self) -> int:
        return self.counts[Change.FORGOTTEN]

    @property
    def outdated(self) -> int:
        return self.counts[Change.OUTDATED]

    @property
    def changed(self) -> int:
        return self.counts[Change.CHANGED]

    @property
    def kept(self) -> int:
        return self.counts[Change.KEPT]

    @property
    def neither(self) -> int:
        return self.counts[Change.NEITHER]

    @property
    def is_touched(self) -> bool:
        return any(self.counts[change] for change in TOLD)


class KnowledgeDiff:
    """From ``a`` to ``b``, on the pairs of both. What one of them was not asked yet is left out and counted."""

    def __init__(self, a: MemoryVersion, b: MemoryVersion) -> None:
        self.a, self.b = a, b

    @cached_property
    def _taught(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """The questions that each version was taught, with their answers."""
        return taught(self.a), taught(self.b)

    @cached_property
    def _asked(self) -> list[str]:
        """The questions of either, in the order of the pairs."""
        return list(dict.fromkeys([question for side in self._taught for question in side]))

    @property
    def questions(self) -> int:
        return len(self._asked)

    @cached_property
    def missing(self) -> dict[str, int]:
        """How many of the questions each version was not asked yet, by its side."""
        sides = {"a": self.a, "b": self.b}
        return {side: len(missing(version, self._asked)) for side, version in sides.items()}

    @property
    def is_complete(self) -> bool:
        return not any(self.missing.values())

    @cached_property
    def differences(self) -> list[Difference]:
        """Every question that both were asked, in the order of the pairs."""
        before, after = recollected(self.a), recollected(self.b)
        of_a, of_b = self._taught
        resting = self._documents_of_questions
        return [
            Difference(
                question,
                before[question],
                after[question],
                change_between(
                    before[question], after[question], of_a.get(question, ()), of_b.get(question, ())
                ),
                resting.get(question, (NO_DOCUMENT,)),
            )
            for question in self._asked
            if question in before and question in after
        ]

    def counts(self) -> dict[str, int]:
        """How many questions there are of each change."""
        found = Counter(each.change for each in self.differences)
        return {change.value: found[change] for change in Change}

    def of(self, change: str, document: int | None = None) -> Sequence[Difference]:
        """The questions of one change, of one document if it is named."""
        return [
            each
            for each in self.differences
            if each.change == change and (document is None or document in each.documents)
        ]

    def by_document(self) -> list[DocumentChanges]:
        """The documents that the pairs rest on, those that changed most first."""
        counts: dict[int, Counter[Change]] = defaultdict(Counter)
        for each in self.differences:
            for document in each.documents:
                counts[document][each.change] += 1
        titles = {row.pk: str(row) for row in Document.objects.filter(pk__in=counts).defer("text")}
        rows = [
            DocumentChanges(pk, titles.get(pk, "Without a document"), found) for pk, found in counts.items()
        ]
        return sorted(rows, key=lambda row: (-sum(row.counts[change] for change in TOLD), row.title))

    @cached_property
    def _documents_of_questions(self) -> dict[str, tuple[int, ...]]:
        """The documents that the pairs of each question rest on."""
        pairs = TrainedPair.objects.filter(version__in=(self.a, self.b)).exclude(reflection=None)
        sources = ReflectionSource.objects.filter(reflection__in=pairs.order_by().values("reflection"))
        rests: dict[int, set[int]] = defaultdict(set)
        for reflection, document in sources.order_by().values_list("reflection_id", "chunk__document"):
            rests[reflection].add(document)
        found: dict[str, set[int]] = defaultdict(set)
        for question, reflection in pairs.order_by().values_list("question", "reflection_id"):
            found[question] |= rests[reflection]
        return {question: tuple(sorted(documents)) for question, documents in found.items() if documents}


def questions_of(run: ProbeRun) -> Questions:
    """The union of both versions' pairs, for both."""
    versions = _sides(run)
    questions = dict.fromkeys(question for version in versions for question in taught(version))
    return {version: list(questions) for version in versions}


def result_of(run: ProbeRun) -> dict[str, Any]:
    """How many questions there are of each change, which the page of a version shows before it goes live."""
    return {"changes": KnowledgeDiff(*_sides(run)).counts()}


def _sides(run: ProbeRun) -> tuple[MemoryVersion, MemoryVersion]:
    assert run.other is not None  # noqa: S101 - a run of this purpose names both
    return run.version, run.other


def diff_before_promotion(live: MemoryVersion | None, version: MemoryVersion) -> ProbeRun | None:
    """The latest complete run from the live version to this one, with its counts."""
    if live is None or live == version:
        return None
    runs: Iterable[ProbeRun] = ProbeRun.objects.filter(purpose=Purpose.DIFF, version=live, other=version)
    return next((run for run in runs if run.is_complete), None)
