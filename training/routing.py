"""Several memories side by side: each is asked, and the surest of those that know answers.

A corpus is added to a chat by asking its memory as well: in a trial on from-scratch models this kept what
merging the weights lost (docs/serving.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from training.memory import Memory, MemoryAnswer, recall


class RoutedMemory:
    """A MEMORY made of named ones. ``source`` of an answer is the name of the one that gave it."""

    def __init__(self, memories: Mapping[str, Memory]) -> None:
        if not memories:
            raise ValueError("a routed memory needs at least one memory")
        self._memories = dict(memories)

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        """Ask all at once. Raises what any of them raises: half of what is known must not pass for all of it."""
        with ThreadPoolExecutor(len(self._memories), thread_name_prefix="routed memory") as threads:
            asked = {
                name: threads.submit(memory.answer, list(questions))
                for name, memory in self._memories.items()
            }
            said = [
                [replace(answer, source=name) for answer in each.result()] for name, each in asked.items()
            ]
        return [surest(answers) for answers in zip(*said, strict=True)]

    async def recall(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        """As ``answer``, from a coroutine."""
        all_said = await asyncio.gather(*(recall(memory, questions) for memory in self._memories.values()))
        said = [
            [replace(answer, source=name) for answer in answers]
            for name, answers in zip(self._memories, all_said, strict=True)
        ]
        return [surest(answers) for answers in zip(*said, strict=True)]


def surest(answers: Sequence[MemoryAnswer]) -> MemoryAnswer:
    """The known answer with the largest confidence, the first of equals; if none is known, the surest refusal.

    Each memory's own threshold has decided what is known before, so a memory that is always sure of itself does
    not win with what it does not know. A confidence that is not calibrated (of an imported version, say) cannot be
    compared: such an answer counts only where no calibrated one is known.
    """
    return max(answers, key=lambda answer: (answer.known, answer.calibrated, answer.confidence))
