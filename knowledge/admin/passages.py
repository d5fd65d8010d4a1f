"""The passages behind a pair, with what supports it marked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from knowledge.highlight import Stretch, stretches
from knowledge.models import Chunk, Document, Reflection


@dataclass(frozen=True)
class SourcePassage:
    """A passage that supports a pair, cut into marked and unmarked stretches."""

    document: Document
    stretches: list[Stretch]


def source_passages(reflection: Reflection) -> list[SourcePassage]:
    """Every passage that supports the pair, once each, with all of its supporting spans marked."""
    spans: dict[Chunk, list[tuple[int, int]]] = defaultdict(list)
    for source in reflection.source_spans.select_related("chunk__document").defer("chunk__document__text"):
        spans[source.chunk].append((source.start, source.end))
    return [SourcePassage(chunk.document, stretches(chunk.text, found)) for chunk, found in spans.items()]
