"""Where a corpus stands, in a fixed number of queries however large it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Count, Exists, F, FloatField, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Cast

from knowledge.models import (
    Chunk,
    Corpus,
    Flag,
    LLMCall,
    Reflection,
    ReflectionFlag,
    ReflectionSource,
    ReviewStatus,
)
from knowledge.pipeline.types import Kind

DOCUMENTS_SHOWN = 15  # on the corpus page, those with the least coverage first


@dataclass(frozen=True)
class KindRow:
    """How many pairs of one kind stand at each status."""

    kind: str
    label: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class DocumentCoverage:
    """How many of a document's passages have given at least one pair."""

    document: int
    title: str
    passages: int
    covered: int

    @property
    def bare(self) -> int:
        return self.passages - self.covered

    @property
    def share(self) -> float:
        return self.covered / self.passages if self.passages else 0.0


@dataclass(frozen=True)
class StepSpend:
    """What one step of the synthesis has cost."""

    step: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal


@dataclass
class Spend:
    """What the language models have cost a corpus, by step and together."""

    steps: Sequence[StepSpend] = field(default_factory=list)

    @cached_property
    def total(self) -> StepSpend:
        return StepSpend(
            "all",
            sum(step.calls for step in self.steps),
            sum(step.prompt_tokens for step in self.steps),
            sum(step.completion_tokens for step in self.steps),
            sum((step.cost for step in self.steps), Decimal(0)),
        )


def pairs_in_play(corpus: Corpus) -> QuerySet[Reflection]:
    """The pairs of a corpus without those that were retired or revised."""
    return corpus.reflections.filter(retired=False, is_latest=True).order_by()


def by_kind(corpus: Corpus) -> list[KindRow]:
    """The pairs by kind and status, in the order of the method's steps."""
    found: dict[str, dict[str, int]] = {}
    for kind, status, count in pairs_in_play(corpus).values_list("kind", "status").annotate(n=Count("pk")):
        found.setdefault(kind, dict.fromkeys(ReviewStatus.values, 0))[status] = count
    return [KindRow(kind, kind.value.replace("_", " "), found[kind]) for kind in Kind if kind in found]


def flag_counts(corpus: Corpus) -> dict[Flag, int]:
    """How many pairs that nobody has decided about yet carry which flag; for changed documents, all pairs."""
    flags = ReflectionFlag.objects.filter(
        Q(reflection__status=ReviewStatus.PENDING) | Q(flag=Flag.DOCUMENT_CHANGED),
        reflection__corpus=corpus,
        reflection__retired=False,
        reflection__is_latest=True,
    )
    found = dict(flags.order_by().values_list("flag").annotate(Count("pk")))
    return {flag: found[flag] for flag in Flag if flag in found}


def passages_with_coverage(corpus: Corpus) -> QuerySet[Chunk]:
    """The passages of current documents, with whether a pair that is in play rests on them (``covered``)."""
    sources = ReflectionSource.objects.filter(
        chunk=OuterRef("pk"), reflection__retired=False, reflection__is_latest=True
    ).exclude(reflection__status=ReviewStatus.REJECTED)
    current = Chunk.objects.filter(document__corpus=corpus, document__is_current=True).order_by()
    return current.annotate(covered=Exists(sources))


def bare_passages(corpus: Corpus, document: int | None = None) -> QuerySet[Chunk]:
    """The passages that gave no pair, of one document or of all."""
    rows: Any = passages_with_coverage(corpus)
    rows = rows.filter(covered=False)
    return rows.filter(document=document) if document else rows


def coverage(corpus: Corpus) -> DocumentCoverage:
    """The coverage of the whole corpus."""
    counted = passages_with_coverage(corpus).aggregate(
        passages=Count("pk"), with_pair=Count("pk", filter=Q(covered=True))
    )
    return DocumentCoverage(0, str(corpus), counted["passages"], counted["with_pair"])


def coverage_by_document(corpus: Corpus) -> QuerySet[Chunk, Any]:
    """Rows of document, title, passages and covered passages: the least covered document first."""
    grouped = passages_with_coverage(corpus).values("document", title=F("document__title"))
    counted = grouped.annotate(passages=Count("pk"), with_pair=Count("pk", filter=Q(covered=True)))
    share = Cast(F("with_pair"), FloatField()) / F("passages")
    return counted.annotate(share=share).order_by("share", "-passages", "title", "document")


def worst_covered(corpus: Corpus, start: int = 0, count: int = DOCUMENTS_SHOWN) -> list[DocumentCoverage]:
    """The documents with the least coverage."""
    return [
        DocumentCoverage(row["document"], row["title"], row["passages"], row["with_pair"])
        for row in coverage_by_document(corpus)[start : start + count]
    ]


def spend_of(corpus: Corpus) -> Spend:
    """What calls of language models have cost, by step."""
    rows = LLMCall.objects.filter(corpus=corpus).order_by("step").values_list("step")
    counted = rows.annotate(Count("pk"), Sum("prompt_tokens"), Sum("completion_tokens"), Sum("cost"))
    return Spend([StepSpend(*row) for row in counted])
