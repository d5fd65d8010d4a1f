"""The five steps of reflection synthesis in order, for any GENERATOR backend.

Steps 1 to 4 work on one document and step 5 on groups of documents, so the natural units of resumable work
are a document and a group. Callers store each unit as it comes. Before the first unit, and again after a
restart, they hand the whole corpus to ``generator.prepare``; the units do not depend on each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from knowledge.pipeline.types import DocumentReflections, Generator, Pair, SourceDocument


def reflect_on_document(document: SourceDocument, generator: Generator) -> DocumentReflections:
    """Run steps 1 to 4 (extract, consolidate, verify, surface) on one document."""
    extracted = generator.extract(document)
    merged = list(generator.consolidate(document, extracted.pairs))
    candidates = unique([*extracted.pairs, *merged])
    verified = list(generator.verify(document, candidates))
    surfaced = list(generator.verify(document, list(generator.surface(document, verified))))
    return replace(
        extracted,
        pairs=tuple(unique([*verified, *surfaced])),
        discarded=len(candidates) - len(verified),
    )


def reflect_across_documents(
    documents: Sequence[SourceDocument], generator: Generator
) -> Iterator[tuple[Pair, ...]]:
    """Run step 5, one batch of pairs at a time."""
    for batch in generator.synthesize(documents):
        yield tuple(unique(batch))


def unique(pairs: Iterable[Pair]) -> list[Pair]:
    """Drop pairs with the same question and answer, keeping the first."""
    return list({pair.key: pair for pair in reversed(list(pairs))}.values())[::-1]
