"""What the rest of the product knows of a MEMORY: it takes questions and gives answers with a confidence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from knowledge.pipeline.types import DONT_KNOW

__all__ = ["DONT_KNOW", "AwaitableMemory", "Memory", "MemoryAnswer", "recall"]
#: Callers that wait at once for memories that can only be asked from a thread.
_threads = ThreadPoolExecutor(32, thread_name_prefix="recall")


@dataclass(frozen=True)
class MemoryAnswer:
    """One answer from the weights.

    ``confidence`` lies in [0, 1]: the calibrated probability that the answer is right, if half of all questions
    have an answer. Versions without a calibration give the geometric mean of the probabilities of its tokens;
    ``calibrated`` is false then, and the number says nothing beside that of another version.
    ``known`` is false where the MEMORY abstains; ``text`` is then ``DONT_KNOW``. ``source`` names the memory that
    answered where several were asked.
    """

    text: str
    confidence: float
    known: bool
    source: str = ""
    calibrated: bool = True


class Memory(Protocol):
    """A trained MEMORY that can be asked. Implementations answer a batch in the order of the questions."""

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]: ...


@runtime_checkable
class AwaitableMemory(Protocol):
    """A MEMORY that can also be awaited: no thread waits meanwhile, and whoever is cancelled is not answered."""

    async def recall(self, questions: Sequence[str]) -> list[MemoryAnswer]: ...


async def recall(memory: Memory, questions: Sequence[str]) -> list[MemoryAnswer]:
    """Ask a MEMORY from a coroutine. Raises what ``answer`` raises."""
    if isinstance(memory, AwaitableMemory):
        return await memory.recall(questions)
    return await asyncio.get_running_loop().run_in_executor(_threads, memory.answer, list(questions))
