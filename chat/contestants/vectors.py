"""Retrieval by meaning: excerpts and queries as vectors of a model, compared by the angle between them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from chat.contestants.excerpts import Excerpt
from chat.contestants.ledger import Ledger
from memosite.llm import BadReply
from memosite.llm.embedding import Embedded

Vectors = NDArray[np.float32]


class Embedding(Protocol):
    """A server of vectors. Raises LLMError."""

    async def embed(self, texts: Sequence[str]) -> Embedded: ...


class VectorIndex:
    """Excerpts with their titles, found by cosine.

    Their vectors are asked for once, before the first query, and kept in the file ``kept``, so that no run pays
    for them again; they cost no question anything. ``connect`` gives the client of the running event loop,
    ``price`` US dollars for so many tokens.
    """

    def __init__(
        self,
        excerpts: Sequence[Excerpt],
        connect: Callable[[], Embedding],
        *,
        kept: Path,
        price: Callable[[int], Decimal],
    ) -> None:
        self._excerpts = tuple(excerpts)
        self._connect, self._kept, self._price = connect, kept, price
        self._vectors: Vectors | None = None
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    async def prepare(self) -> None:
        """Have the vectors of all excerpts. Raises LLMError."""
        if self._excerpts:
            await self._all_vectors()

    async def find(self, query: str, top: int, ledger: Ledger) -> Sequence[Excerpt]:
        """Raises LLMError."""
        if not self._excerpts:
            return ()
        vectors = await self._all_vectors()
        embedded = await self._connect().embed([query])
        ledger.cost += self._price(embedded.tokens)
        asked = _normed(embedded.vectors)[0]
        if len(asked) != vectors.shape[1]:
            self._kept.unlink(missing_ok=True)
            self._vectors = None
            raise BadReply(
                f"The embedding model gave {len(asked)} numbers where the documents have {vectors.shape[1]}: it "
                "was changed. Ask again, and the documents are embedded anew."
            )
        best = np.argsort(-(vectors @ asked), kind="stable")[:top]
        return [self._excerpts[place] for place in best]

    async def _all_vectors(self) -> Vectors:
        async with self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            if self._vectors is None:
                self._vectors = self._load()
            if self._vectors is None:
                embedded = await self._connect().embed([excerpt.shown for excerpt in self._excerpts])
                self._vectors = _normed(embedded.vectors)
                _save(self._kept, self._vectors)
            return self._vectors

    def _load(self) -> Vectors | None:
        """The vectors kept from an earlier run; None where there are none that fit."""
        try:
            vectors: Vectors = np.load(self._kept, allow_pickle=False)
        except (OSError, ValueError):
            return None
        return vectors if vectors.ndim == 2 and len(vectors) == len(self._excerpts) else None


def _normed(vectors: Sequence[Sequence[float]]) -> Vectors:
    """Vectors of length 1, so that their product is the cosine."""
    found = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return (found / np.where(lengths == 0, 1, lengths)).astype(np.float32)


def _save(path: Path, vectors: Vectors) -> None:
    """Written beside and moved, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.{os.getpid()}")
    with half.open("wb") as file:
        np.save(file, vectors, allow_pickle=False)
    half.replace(path)
