"""Readers turn the passages that were found for a sub-query into an answer to it, as MEMORY would give one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Protocol

from chat.contestants.asking import request_for, told
from chat.contestants.excerpts import Excerpt
from chat.contestants.ledger import Ledger
from chat.contestants.lookup import UNKNOWN, PairLookup
from chat.language_model.calling import Connect
from knowledge.ingest.chunk import split_into_chunks
from knowledge.pipeline.run import reflect_across_documents, reflect_on_document
from knowledge.pipeline.types import Pair, Passage, SourceDocument
from training.memory import MemoryAnswer

#: Sets of excerpts whose pairs a reader keeps: sub-queries come back to the same ones.
KEPT = 512


class Reader(Protocol):
    """Answers a question from excerpts alone. Raises LLMError where a language model fails it."""

    async def read(self, question: str, excerpts: Sequence[Excerpt], ledger: Ledger) -> MemoryAnswer: ...


class RulesReader:
    """Reads with the built-in GENERATOR: the question is looked up among the pairs that the excerpts give.

    Facts of several excerpts are united as they are over a corpus. It knows nothing that the excerpts do not say,
    and answers just the questions that a MEMORY of them would have been taught.
    """

    def __init__(self) -> None:
        self._lookup = lru_cache(KEPT)(lookup_in)

    async def read(self, question: str, excerpts: Sequence[Excerpt], ledger: Ledger) -> MemoryAnswer:
        if not excerpts:
            return UNKNOWN
        lookup = await asyncio.to_thread(self._lookup, tuple(excerpts))
        return lookup.answer(question)


class LanguageModelReader:
    """Reads with a language model. ``seconds`` is how long one reading may take."""

    def __init__(self, connect: Connect, seconds: float) -> None:
        self._connect, self._seconds = connect, seconds

    async def read(self, question: str, excerpts: Sequence[Excerpt], ledger: Ledger) -> MemoryAnswer:
        if not excerpts:
            return UNKNOWN
        reply = await told(self._connect, request_for("read", question, excerpts), ledger, self._seconds)
        if not reply.known:
            return UNKNOWN
        text = reply.answer.strip() or ", ".join(reply.values)
        return MemoryAnswer(text, 1.0, known=True, calibrated=False)


def lookup_in(excerpts: Sequence[Excerpt]) -> PairLookup:
    """The pairs of the excerpts by heart."""
    return PairLookup((pair.question, pair.answer) for pair in pairs_in(excerpts))


def pairs_in(excerpts: Sequence[Excerpt]) -> Iterator[Pair]:
    """What the built-in GENERATOR makes of the excerpts, as if they were all that there is."""
    # A quarter of a second that the start of the site need not wait for.
    from knowledge.rules.generator import RulesGenerator

    documents = _documents(excerpts)
    generator = RulesGenerator(documents)
    for document in documents:
        yield from reflect_on_document(document, generator).pairs
    for batch in reflect_across_documents(documents, generator):
        yield from batch


def _documents(excerpts: Sequence[Excerpt]) -> list[SourceDocument]:
    """The excerpts of one document together, under its title."""
    by_title: dict[str, list[Excerpt]] = {}
    for excerpt in excerpts:
        by_title.setdefault(excerpt.title, []).append(excerpt)
    return [
        SourceDocument(number, title, tuple(_passages(number, found)), found[0].date)
        for number, (title, found) in enumerate(by_title.items(), start=1)
    ]


def _passages(document: int, excerpts: Sequence[Excerpt]) -> Iterator[Passage]:
    """In chunks as documents are read elsewhere."""
    chunks = [chunk.text for excerpt in excerpts for chunk in split_into_chunks(excerpt.body)]
    return (Passage(document * 100_000 + place, text) for place, text in enumerate(chunks))
