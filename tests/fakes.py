"""Stand-ins that behave like the real thing, for tests and nothing else."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rapidfuzz import fuzz

from chat.protocol.mentions import names_in, numbers_in
from knowledge.pipeline.types import Pair
from knowledge.rules.english import singular, verb_lemma
from knowledge.rules.lexicon import ARTICLES, words
from memosite.llm import LLMError, Reply, Request
from tests.executive_script import plain_question
from training.memory import DONT_KNOW, Memory, MemoryAnswer

_FUNCTION_WORDS = words("who what which is are was were do does did of in at on")
UNKNOWN = MemoryAnswer(DONT_KNOW, 0.0, known=False)


class PairMemory:
    """A MEMORY that knows its pairs by heart and nothing else.

    It answers a question that is worded as one of its pairs, or nearly so: the same names and numbers, and
    every word alike but for an inflection. ``asked`` keeps the batches put to it.
    """

    def __init__(self, pairs: Iterable[Pair | tuple[str, str]]) -> None:
        self.asked: list[list[str]] = []
        self._answers: dict[str, str] = {}
        self._alike: dict[frozenset[str], list[tuple[str, str]]] = defaultdict(list)
        for question, answer in map(_as_texts, pairs):
            if self._answers.setdefault(_normalised(question), answer) is answer:
                self._alike[_signature(question)].append((_normalised(question), answer))

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        self.asked.append(list(questions))
        return [self._recall(question) for question in questions]

    def holds(self, question: str) -> bool:
        """True if the question is, word for word, one of the pairs."""
        return _normalised(question) in self._answers

    def _recall(self, question: str) -> MemoryAnswer:
        wanted = _normalised(question)
        if wanted in self._answers:
            return MemoryAnswer(self._answers[wanted], 1.0, known=True)
        for known, answer in self._alike[_signature(question)]:
            if _nearly_the_same(wanted, known):
                return MemoryAnswer(answer, 0.9, known=True)
        return UNKNOWN


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


def _normalised(question: str) -> str:
    """The words in lower case; articles make no difference."""
    return " ".join(word for word in re.findall(r"[\w'’-]+", question.casefold()) if word not in ARTICLES)


def _signature(question: str) -> frozenset[str]:
    named = " ".join((*names_in(question), *numbers_in(question)))
    return frozenset(_normalised(named).split())


def _nearly_the_same(one: str, other: str) -> bool:
    these, others = one.split(), other.split()
    return (
        len(these) == len(others)
        and fuzz.ratio(one, other) >= 85
        and all(_same_word(*pair) for pair in zip(these, others, strict=True))
    )


def _same_word(one: str, other: str) -> bool:
    both_function_words = one in _FUNCTION_WORDS and other in _FUNCTION_WORDS
    return both_function_words or singular(one) == singular(other) or verb_lemma(one) == verb_lemma(other)


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
