"""Stand-ins that behave like the real thing, for tests and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from chat.contestants.lookup import UNKNOWN, PairLookup
from knowledge.pipeline.types import Pair
from memosite.llm import LLMError, Reply, Request
from tests.executive_script import plain_question
from training.memory import Memory, MemoryAnswer


class PairMemory:
    """A MEMORY that knows its pairs by heart and nothing else (``PairLookup``). ``asked`` keeps the batches."""

    def __init__(self, pairs: PairLookup | Iterable[Pair | tuple[str, str]]) -> None:
        self.asked: list[list[str]] = []
        self._lookup = pairs if isinstance(pairs, PairLookup) else PairLookup(map(_as_texts, pairs))

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        self.asked.append(list(questions))
        return [self._lookup.answer(question) for question in questions]

    def holds(self, question: str) -> bool:
        """True if the question is, word for word, one of the pairs."""
        return self._lookup.holds(question)


class ScriptedMemory:
    """A MEMORY that gives exactly the answers written down for it, and says "I don't know" to the rest."""

    def __init__(self, script: Mapping[str, str | MemoryAnswer | Exception]) -> None:
        self.asked: list[list[str]] = []
        self._script = script

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        self.asked.append(list(questions))
        return [self._line(question) for question in questions]

    def _line(self, question: str) -> MemoryAnswer:
        line = self._script.get(question, UNKNOWN)
        if isinstance(line, Exception):
            raise line
        return line if isinstance(line, MemoryAnswer) else MemoryAnswer(line, 1.0, known=True)


def _as_texts(pair: Pair | tuple[str, str]) -> tuple[str, str]:
    return (pair.question, pair.answer) if isinstance(pair, Pair) else pair


class ScriptedLLM:
    """A language model that gives exactly the items written down for each step, and none to other steps.

    A step's script is a list of items, or a function of the user's prompt, which may raise ``failure``. ``asked``
    keeps the requests.
    """

    failure = LLMError

    def __init__(self, **script: list[dict[str, Any]] | Callable[[str], list[dict[str, Any]]]) -> None:
        self.asked: list[Request[Any]] = []
        self._script = script

    async def ask(self, request: Request[Any]) -> Reply[Any]:
        self.asked.append(request)
        script = self._script.get(request.step, [])
        items = script(request.user) if callable(script) else script
        read = tuple(request.item.model_validate(item) for item in items)
        return Reply(read, f"call {len(self.asked)}", "scripted")


class WordedMemory:
    """Answers the scripted EXECUTIVE's paraphrases as the questions within: pairs know no other wordings."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        return self._memory.answer([plain_question(question) for question in questions])
