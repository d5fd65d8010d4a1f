"""Questions of like meaning: the same names, numbers and question word, and nearly the same words of meaning.

"Who leads Project Atlas?" and "who is leading project atlas" are alike; of another project, asked with "where", or
turned round ("Whom does Ada manage?", "Who manages Ada?"), they are not. Prepositions and tenses count for
nothing, so groups of like questions are there for people to look through: nothing is answered or trained on their
strength.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest
from typing import Generic, TypeVar

from rapidfuzz import fuzz

from chat.likeness.reading import Exchange, Reading, base, read, terms
from chat.protocol.mentions import names_in
from knowledge.pipeline.wording import FUNCTION_WORDS, words
from knowledge.rules.lexicon import PREPOSITIONS

Key = TypeVar("Key", bound=Hashable)

NEAR = 0.6  # share of words in common from which two questions with the same names are alike
NEAR_WITHOUT_NAMES = 0.75  # the same where neither names anything
SAME_WORD = 90.0  # of 100: a word of five letters or more with a typing error
REMEMBERED_QUESTIONS = 50_000

_ASKING = {"whom": "who", "whose": "who"}
_QUESTION_WORD = re.compile(r"\b(who|whom|whose|where|when|why|how (?:many|much|long|old|far|often)|how)\b")
#: Asked so, one of two parties may be looked for, or something else.
_OPEN = frozenset({"", "how many"})
_POLITE = frozenset({"show", "give", "today", "now", "currently"})


@dataclass(frozen=True)
class Meaning:
    """What counts when questions are compared.

    ``asks`` is the question word, empty for "what" and "which", which ask for anything; ``names`` are the words of
    its names and numbers as it spells them, ``said`` all its words and ``terms`` those that bear its meaning.
    """

    question: str
    asks: str
    names: frozenset[str]
    said: frozenset[str]
    terms: frozenset[str]


@lru_cache(REMEMBERED_QUESTIONS)
def meaning_of(question: str) -> Meaning:
    """The question as it is compared."""
    found = _QUESTION_WORD.search(question.casefold())
    asks = found.group(1) if found else ""
    said = frozenset(words(question))
    named = frozenset(words(" ".join(names_in(question)))) - FUNCTION_WORDS - PREPOSITIONS
    numbers = frozenset(word for word in said if word[0].isdigit())
    return Meaning(question, _ASKING.get(asks, asks), named | numbers, said, frozenset(terms(question)))


def likeness(one: Meaning, other: Meaning) -> float:
    """How near two questions are, in [0, 1]; 0 where they cannot ask for the same."""
    if one.asks and other.asks and one.asks != other.asks:
        return 0.0
    if not (one.names <= other.said and other.names <= one.said):
        return 0.0
    names = one.names | other.names
    near = _nearness(one, other, frozenset(map(base, names)))
    if not near or _is_turned_round(one, other, names):
        return 0.0
    return near


def _nearness(one: Meaning, other: Meaning, fixed: frozenset[str]) -> float:
    """The share of words in common, in [0, 1], of questions with the same names and numbers; 0 if it is small."""
    telling, others = (each.terms - fixed - _POLITE - frozenset(each.asks.split()) for each in (one, other))
    if bool(telling) != bool(others):
        return 0.0  # "Who is Ada?" asks for anything about her, "Who does Ada report to?" for one thing
    common, apart = _shared(telling, others)
    if not common and apart:
        return 0.0  # nothing but the names in common
    near = (common + len(fixed)) / max(1, common + apart + len(fixed))
    return near if near >= (NEAR if fixed else NEAR_WITHOUT_NAMES) else 0.0


def _is_turned_round(one: Meaning, other: Meaning, names: frozenset[str]) -> bool:
    """Whether a question denies what the other asks, or has somebody else do it.

    That "Atlas starts" says the same as "the start of Atlas": only who is asked for is always one of two.
    """
    first, second = _reading(one.question, names), _reading(other.question, names)
    if bool(first.negations) != bool(second.negations):
        return True
    if first.doers == second.doers:
        return False
    asks = one.asks or other.asks
    if asks in _OPEN:
        return first.direction.deed is not None and second.direction.deed is not None
    return asks == "who" or bool(first.doers and second.doers)


@lru_cache(REMEMBERED_QUESTIONS)
def _reading(question: str, names: frozenset[str]) -> Reading:
    return read(Exchange(question, ""), names)


def _shared(one: frozenset[str], other: frozenset[str]) -> tuple[int, int]:
    """How many words two sets share, a typing error apart, and how many stand in one of them alone."""
    common = one & other
    left, right = one - common, set(other - common)
    mistyped = 0
    for word in sorted(left):
        twin = next((each for each in sorted(right) if _is_mistyped(word, each)), None)
        if twin:
            right.remove(twin)
            mistyped += 1
    return len(common) + mistyped, len(left) - mistyped + len(right)


def _is_mistyped(one: str, other: str) -> bool:
    return min(len(one), len(other)) >= 5 and fuzz.ratio(one, other) >= SAME_WORD


class Groups(Generic[Key]):
    """Questions that each stand for a group of like ones; ``find`` names the group that a further one belongs to.

    Only groups that share the rarest words with a question are compared, so that thousands cost milliseconds.
    """

    COMPARED = 200

    def __init__(self, groups: Iterable[tuple[Key, str]] = ()) -> None:
        self._meanings: dict[Key, Meaning] = {}
        self._with_word: dict[str, list[Key]] = defaultdict(list)
        for key, question in groups:
            self.add(key, question)

    def add(self, key: Key, question: str) -> None:
        """A group that the question stands for."""
        meaning = self._meanings[key] = meaning_of(question)
        for word in meaning.terms:
            self._with_word[word].append(key)

    def find(self, question: str) -> Key | None:
        """The group whose question is most like this one; of equals the one that was added first."""
        asked = meaning_of(question)
        best, found = 0.0, None
        for key in self._candidates(asked):
            near = likeness(asked, self._meanings[key])
            if near > best:
                best, found = near, key
        return found

    def _candidates(self, asked: Meaning) -> list[Key]:
        """The groups with the most words in common, rare words first."""
        shared: dict[Key, float] = defaultdict(float)
        for word in asked.terms:
            keys = self._with_word.get(word, ())
            for key in keys:
                shared[key] += 1 / len(keys)
        return nlargest(self.COMPARED, shared, key=shared.__getitem__)
