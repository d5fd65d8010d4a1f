"""Reviewing a batch of pairs by a random sample: drawn, judged, and decided for the whole batch.

The batch is frozen when the sample is drawn: each pair's key with a short digest of its words. A pair whose words
changed since, or that somebody decided about meanwhile, is left out of the decision and counted.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from knowledge.models import Corpus, Reflection, ReviewStatus, SampledPair, SampleReview
from knowledge.pipeline.confidence import Share, wilson
from knowledge.services import review
from memosite.errors import Conflict
from memosite.people import account_of

SIZE = 50
LARGEST = 500
BATCH = 2000
Frozen = tuple[int, str]  # key and digest of a pair


@dataclass(frozen=True)
class Standing:
    """How far the judging of a sample is, and what it says about the batch."""

    size: int
    right: int
    wrong: int
    allowed: int
    errors: Share

    @property
    def judged(self) -> int:
        return self.right + self.wrong

    @property
    def left(self) -> int:
        return self.size - self.judged

    @property
    def has_passed(self) -> bool:
        return self.left == 0 and self.wrong <= self.allowed

    @property
    def has_failed(self) -> bool:
        """Whether no judgement that is still to come could let it pass."""
        return self.wrong > self.allowed


@dataclass(frozen=True)
class Decided:
    """What became of a batch: how many pairs were approved and rejected, and how many were left out."""

    approved: int
    rejected: int
    left_out: int


# --- Drawing -----------------------------------------------------------------------------------------------
def batch_of(rows: QuerySet[Reflection]) -> QuerySet[Reflection]:
    """The pairs of a list that a sample may speak for: pending ones that are still made."""
    pending = Reflection.objects.filter(status=ReviewStatus.PENDING, retired=False, is_latest=True)
    return pending.filter(pk__in=rows.order_by().values("pk")).order_by("pk")


def draw(
    corpus: Corpus,
    rows: QuerySet[Reflection],
    person: Any,
    *,
    size: int = SIZE,
    allowed_errors: int = 0,
    query: str = "",
    seed: int | None = None,
) -> SampleReview:
    """Freeze the pending pairs of a list and draw a sample of them. Raises Conflict where there are none."""
    batch = batch_of(rows).filter(corpus=corpus)
    population = [(pk, digest(*text)) for pk, *text in batch.values_list("pk", "question", "answer")]
    if not population:
        raise Conflict("No pair of this list waits for review, so there is nothing to draw a sample from.")
    size = max(1, min(size, LARGEST, len(population)))
    if allowed_errors >= size:
        raise Conflict(
            f"{allowed_errors} errors in a sample of {size} would let everything pass. Allow fewer."
        )
    chosen = random.Random(seed).sample([pk for pk, _ in population], size)  # noqa: S311 - no secret
    return _store(corpus, person, population, chosen, allowed_errors=allowed_errors, query=query)


@transaction.atomic
def _store(
    corpus: Corpus, person: Any, population: list[Frozen], chosen: list[int], **fields: Any
) -> SampleReview:
    sample = SampleReview.objects.create(
        corpus=corpus,
        population=population,
        size=len(chosen),
        created_by=account_of(person),
        **fields,
    )
    SampledPair.objects.bulk_create(
        SampledPair(sample=sample, reflection_id=key, position=place)
        for place, key in enumerate(chosen, start=1)
    )
    return sample


def digest(question: str, answer: str) -> str:
    """A short mark of a pair's words."""
    return hashlib.sha256(f"{question}\n{answer}".encode()).hexdigest()[:12]


# --- Judging -----------------------------------------------------------------------------------------------
def standing(sample: SampleReview) -> Standing:
    """How the sample stands."""
    judged = list(sample.pairs.exclude(is_right=None).values_list("is_right", flat=True))
    wrong = judged.count(False)
    return Standing(
        sample.size, len(judged) - wrong, wrong, sample.allowed_errors, wilson(wrong, len(judged))
    )


def judge(pair: SampledPair, *, is_right: bool) -> None:
    """Say that a sampled pair is right or wrong; that may be taken back until the sample is decided."""
    if pair.sample.outcome != SampleReview.Outcome.OPEN:
        raise Conflict("This sample is decided. Draw another one to judge again.")
    SampledPair.objects.filter(pk=pair.pk).update(is_right=is_right)


# --- Deciding ----------------------------------------------------------------------------------------------
@transaction.atomic
def approve_batch(sample: SampleReview, person: Any) -> Decided:
    """Approve the frozen batch of a sample that passed, without the pairs found wrong: those are rejected."""
    if not standing(sample).has_passed:
        raise Conflict("This sample has not passed, so it speaks for no batch.")
    _close(sample, SampleReview.Outcome.APPROVED)
    wrong = _wrong(sample)
    unchanged = set(_unchanged(sample.population))
    rejected = review(_pairs(unchanged & wrong), ReviewStatus.REJECTED, person)
    approved = _review_many(unchanged - wrong, ReviewStatus.APPROVED, person)
    return Decided(approved, rejected, len(sample.population) - approved - rejected)


@transaction.atomic
def refuse_batch(sample: SampleReview, person: Any) -> Decided:
    """Close a sample that failed: the pairs found wrong are rejected, the batch stays pending."""
    if not standing(sample).has_failed:
        raise Conflict("This sample has not failed.")
    _close(sample, SampleReview.Outcome.REFUSED)
    unchanged = set(_unchanged(sample.population))
    rejected = review(_pairs(unchanged & _wrong(sample)), ReviewStatus.REJECTED, person)
    return Decided(0, rejected, len(sample.population) - rejected)


def _close(sample: SampleReview, outcome: str) -> None:
    """Decide once: of two people who press the button, the second is told."""
    open_one = SampleReview.objects.filter(pk=sample.pk, outcome=SampleReview.Outcome.OPEN)
    if open_one.update(outcome=outcome, decided_at=timezone.now()) != 1:
        raise Conflict("This sample is decided already.")


def _wrong(sample: SampleReview) -> set[int]:
    return set(sample.pairs.filter(is_right=False).values_list("reflection", flat=True))


def _unchanged(population: Sequence[Sequence[Any]]) -> Iterator[int]:
    """The pairs of a frozen batch that still read as they did and wait for a decision still."""
    for start in range(0, len(population), BATCH):
        batch: Sequence[Any] = population[start : start + BATCH]
        frozen: dict[int, str] = dict(batch)
        rows = Reflection.objects.filter(
            pk__in=frozen, status=ReviewStatus.PENDING, retired=False, is_latest=True
        )
        for pk, question, answer in rows.values_list("pk", "question", "answer"):
            if digest(question, answer) == frozen[pk]:
                yield pk


def _pairs(keys: Iterable[int]) -> QuerySet[Reflection]:
    return Reflection.objects.filter(pk__in=list(keys))


def _review_many(keys: set[int], status: str, person: Any) -> int:
    ordered = sorted(keys)
    batches = (ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH))
    return sum(review(_pairs(batch), status, person) for batch in batches)
