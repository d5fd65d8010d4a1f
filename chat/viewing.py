"""Supporting pairs and their passages as one person may see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from chat.evidence.excerpt import excerpt
from chat.evidence.index import Support
from chat.evidence.sources import (
    EDITED,
    NO_RECORD,
    REJECTED,
    RETIRED,
    UNDER_REVIEW,
    Passage,
    SupportingPair,
)
from knowledge.models import Corpus, Document, Reflection, ReflectionSource, ReviewStatus, Role
from training.models import MemoryVersion, TrainedPair

PAIRS_SHOWN = 3
PASSAGES_SHOWN = 3  # of one pair


@dataclass
class Viewer:
    """A person who looks, and what is open to the person; asked of the database once."""

    person: Any
    _versions: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        readable = Corpus.objects.for_role(self.person, Role.READER)
        self.corpora = frozenset(readable.values_list("pk", flat=True))

    def may_ask(self, version: MemoryVersion) -> bool:
        if version.pk not in self._versions:
            self._versions[version.pk] = version.allows(self.person)
        return self._versions[version.pk]

    def may_see(self, pair: TrainedPair, version: MemoryVersion) -> bool:
        """Whether the pair is of a corpus that the person reads; of an unknown one, whether all are read."""
        return pair.reflection.corpus_id in self.corpora if pair.reflection else self.may_ask(version)


def as_seen(
    found: Sequence[Support], version: MemoryVersion, viewer: Viewer
) -> tuple[list[SupportingPair], int]:
    """The first pairs that are open to the viewer, and how many before or among them are not."""
    keys = [key for support in found for key in support.wordings]
    rows = TrainedPair.objects.select_related("reflection").in_bulk(keys)
    shown: list[SupportingPair] = []
    hidden = 0
    for support in found:
        taught = [rows[key] for key in support.wordings if key in rows]
        open_ones = [pair for pair in taught if viewer.may_see(pair, version)]
        if open_ones:
            shown.append(_pair_seen(support, open_ones, viewer))
        elif taught:
            hidden += 1
        if len(shown) == PAIRS_SHOWN:
            break
    return shown, hidden


def _pair_seen(support: Support, taught: Sequence[TrainedPair], viewer: Viewer) -> SupportingPair:
    """A pair with the passages behind it and behind the other wordings of its answer."""
    first = taught[0]
    spans = _spans_of(taught)
    may_read = [span for span in spans if span.chunk.document.corpus_id in viewer.corpora]
    return SupportingPair(
        first.question,
        first.answer,
        support.grade,
        support.graded.answers_otherwise,
        len(taught) - 1,
        tuple(_since(first)),
        tuple(_passage(span) for span in may_read[:PASSAGES_SHOWN]),
        len(may_read[PASSAGES_SHOWN:]),
        len(spans) - len(may_read),
    )


def _since(pair: TrainedPair) -> Iterable[str]:
    """What became of a pair since a version was trained on it, in sentences."""
    if pair.reflection is None:
        yield NO_RECORD
        return
    now = pair.reflection.latest_revision()
    if now.status != ReviewStatus.APPROVED:
        yield REJECTED if now.status == ReviewStatus.REJECTED else UNDER_REVIEW
    if (now.question, now.answer) != (pair.question, pair.answer):
        yield f"{EDITED} {_reads_now(now)}".strip()
    if now.retired:
        yield RETIRED


def _reads_now(now: Reflection) -> str:
    """The new words, once a curator has approved them."""
    return f"It now reads: {now.question} {now.answer}" if now.status == ReviewStatus.APPROVED else ""


def _spans_of(taught: Sequence[TrainedPair]) -> list[ReflectionSource]:
    """The spans behind pairs, each once: those of the first pair first, current documents before others."""
    place = {pair.reflection_id: number for number, pair in reversed(list(enumerate(taught)))}
    rows = (
        ReflectionSource.objects.filter(reflection__in=[key for key in place if key])
        .select_related("chunk__document__corpus")
        .defer("chunk__document__text")
    )
    ordered = sorted(
        rows, key=lambda row: (not row.chunk.document.is_current, place[row.reflection_id], row.pk)
    )
    unique: dict[tuple[int, int, int], ReflectionSource] = {}
    for row in ordered:
        unique.setdefault((row.chunk_id, row.start, row.end), row)
    return list(unique.values())


def _passage(span: ReflectionSource) -> Passage:
    document = span.chunk.document
    return Passage(
        document.title,
        document.version,
        reverse("document", args=[document.corpus.slug, document.pk]),
        tuple(excerpt(span.chunk.text, span.start, span.end)),
        "" if document.is_current else _replaced(document),
    )


def _replaced(document: Document) -> str:
    has_newer = document.corpus.documents.current().filter(name=document.name).exists()
    return "replaced by a newer version since" if has_newer else "taken out of the corpus since"
