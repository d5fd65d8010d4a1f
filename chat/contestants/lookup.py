"""Pairs known by heart: an honest reader without a language model, and what every MEMORY would like to be."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from rapidfuzz import fuzz

from chat.protocol.mentions import names_in, numbers_in
from knowledge.rules.english import singular, verb_lemma
from knowledge.rules.lexicon import ARTICLES, words
from training.memory import DONT_KNOW, MemoryAnswer

_FUNCTION_WORDS = words("who what which is are was were do does did of in at on")
#: How sure an answer is whose question is worded nearly, but not just, as the pair's: [0, 1].
NEARLY = 0.9
UNKNOWN = MemoryAnswer(DONT_KNOW, 0.0, known=False)


class PairLookup:
    """Answers a question that is worded as one of its pairs, or nearly so, and no other.

    Nearly: the same names and numbers, and every word alike but for an inflection. Of two pairs with the same
    question the first counts.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._answers: dict[str, str] = {}
        self._alike: dict[frozenset[str], list[tuple[str, str]]] = defaultdict(list)
        for question, answer in pairs:
            if self._answers.setdefault(_normalised(question), answer) is answer:
                self._alike[_signature(question)].append((_normalised(question), answer))

    def holds(self, question: str) -> bool:
        """True if the question is, word for word, one of the pairs."""
        return _normalised(question) in self._answers

    def answer(self, question: str) -> MemoryAnswer:
        """The answer of the pair with this question, "I don't know" where there is none."""
        wanted = _normalised(question)
        if wanted in self._answers:
            return MemoryAnswer(self._answers[wanted], 1.0, known=True)
        for known, answer in self._alike.get(_signature(question), ()):
            if _nearly_the_same(wanted, known):
                return MemoryAnswer(answer, NEARLY, known=True)
        return UNKNOWN


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
