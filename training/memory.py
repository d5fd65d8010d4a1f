"""What the rest of the product knows of a MEMORY: it takes questions and gives answers with a confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from knowledge.pipeline.types import DONT_KNOW

__all__ = ["DONT_KNOW", "Memory", "MemoryAnswer"]


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
