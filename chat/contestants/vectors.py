"""Retrieval by meaning: excerpts and queries as vectors of a model, compared by the angle between them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
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

    Their vectors are asked for once, before the first query, ``at_once`` of them at a time, and each such part is
    kept in the folder ``kept`` as soon as it is there: a run that was stopped or killed goes on behind it, and no
    later one pays again. They cost no question anything. ``connect`` gives the client of the running event loop,
    ``price`` US dollars for so many tokens.
    """

    def __init__(
        self,
        excerpts: Sequence[Excerpt],
        connect: Callable[[], Embedding],
        *,
        kept: Path,
        price: Callable[[int], Decimal],
        at_once: int = 1024,
    ) -> None:
        self._excerpts = tuple(excerpts)
        self._connect, self._kept, self._price, self._at_once = connect, kept, price, at_once
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
            self._forget()
            raise BadReply(
                f"The embedding model gave {len(asked)} numbers where the documents have {vectors.shape[1]}: it "
                "was changed. Ask again, and the documents are embedded anew."
            )
        best = np.argsort(-(vectors @ asked), kind="stable")[:top]
        return [self._excerpts[place] for place in best]

    async def _all_vectors(self) -> Vectors:
        async with self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            if self._vectors is None:
                starts = range(0, len(self._excerpts), self._at_once)
                parts = [await self._part(self._excerpts[start : start + self._at_once]) for start in starts]
                if len({part.shape[1] for part in parts}) > 1:
                    self._forget()
                    raise BadReply(
                        "The embedding model gave vectors of different lengths: it was changed. Ask again, and "
                        "the documents are embedded anew."
                    )
                self._vectors = np.concatenate(parts)
            return self._vectors

    async def _part(self, excerpts: Sequence[Excerpt]) -> Vectors:
        """The vectors of some excerpts: those that were kept, or new ones."""
        texts = [excerpt.shown for excerpt in excerpts]
        path = self._kept / f"{_sha256(texts)}.npy"
        vectors = _load(path, len(texts))
        if vectors is None:
            vectors = _normed((await self._connect().embed(texts)).vectors)
            _save(path, vectors)
        return vectors

    def _forget(self) -> None:
        shutil.rmtree(self._kept, ignore_errors=True)
        self._vectors = None


def _sha256(texts: Sequence[str]) -> str:
    return hashlib.sha256("\x1e".join(texts).encode()).hexdigest()


def _load(path: Path, count: int) -> Vectors | None:
    """The vectors kept from an earlier run; None where there are none that fit."""
    try:
        vectors: Vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError):
        return None
    return vectors if vectors.ndim == 2 and len(vectors) == count else None


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
