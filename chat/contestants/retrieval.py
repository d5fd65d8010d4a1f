"""Retrieval in the place of MEMORY: sub-queries are looked up, and a reader answers from what is found."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chat.contestants.excerpts import Excerpt, fitting
from chat.contestants.ledger import Ledger
from chat.contestants.readers import Reader
from training.memory import MemoryAnswer


class Retriever(Protocol):
    """Finds the excerpts for a query, best first. What that costs goes into the ledger. May raise a MemoError."""

    async def find(self, query: str, top: int, ledger: Ledger) -> Sequence[Excerpt]: ...


@dataclass(frozen=True)
class Fixed:
    """Finds the same, whatever is asked for."""

    excerpts: tuple[Excerpt, ...]

    async def find(self, query: str, top: int, ledger: Ledger) -> Sequence[Excerpt]:
        return self.excerpts


@dataclass(frozen=True)
class RetrievalMemory:
    """A ``Memory`` that reads: it takes sub-queries and answers each from the excerpts found for it.

    At most ``token_budget`` tokens are read for one sub-query. It serves one question, whose ledger it keeps.
    """

    retriever: Retriever
    reader: Reader
    top: int
    token_budget: int
    ledger: Ledger

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        return asyncio.run(self.recall(questions))

    async def recall(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        """One answer a question, in their order. Raises what retriever and reader raise."""
        return list(await asyncio.gather(*map(self._look_up, questions)))

    async def _look_up(self, question: str) -> MemoryAnswer:
        found = fitting(await self.retriever.find(question, self.top, self.ledger), self.token_budget)
        self.ledger.read_tokens += sum(excerpt.tokens for excerpt in found)
        return await self.reader.read(question, found, self.ledger)
