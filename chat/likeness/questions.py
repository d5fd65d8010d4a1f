"""Questions of like meaning: the same names, numbers and question word, and nearly the same words of meaning.

"Who leads Project Atlas?" and "who is leading project atlas" are alike; of another project, or asked with
"where", they are not. Prepositions count for nothing, so groups of like questions are there for people to look
through: nothing is answered or trained on their strength.
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

from chat.protocol.mentions import names_in, numbers_in
from chat.protocol.voting import content_words
from knowledge.rules.lexicon import words

Key = TypeVar("Key", bound=Hashable)

NEAR = 0.6  # share of words in common from which two questions with the same names are alike
NEAR_WITHOUT_NAMES = 0.75  # the same where neither names anything
SAME_WORD = 90.0  # of 100: a word of five letters or more with a typing error
REMEMBERED_QUESTIONS = 50_000

_ASKING = {"whom": "who", "whose": "who"}
_QUESTION_WORD = re.compile(r"\b(who|whom|whose|where|when|why|how (?:many|much|long|old|far|often)|how)\b")
_POLITE = words("please tell show give know name say us our my your i now today currently exactly")
_NEGATIONS = frozenset({"not", "no", "never", "without", "nobody", "none", "neither", "nor"})


@dataclass(frozen=True)
class Meaning:
    """What counts when questions are compared.

    ``fixed`` are the words of its names and numbers, ``words`` all that carry meaning, those included; ``asks``
    is the question word, empty for "what" and "which", which ask for anything.
    """

    asks: str
    fixed: frozenset[str]
    words: frozenset[str]
    is_negated: bool


@lru_cache(REMEMBERED_QUESTIONS)
def meaning_of(question: str) -> Meaning:
    """The question as it is compared."""
    small = question.casefold()
    found = _QUESTION_WORD.search(small)
    asks = found.group(1) if found else ""
    named = " ".join((*names_in(question), *numbers_in(question)))
    fixed = content_words(named)
    telling = content_words(question) - frozenset(asks.split()) - (_POLITE - fixed)
    plain = frozenset(re.findall(r"[^\W\d_]+", small.replace("n't", " not").replace("n’t", " not")))
    return Meaning(_ASKING.get(asks, asks), fixed, telling, bool(plain & _NEGATIONS))


def likeness(one: Meaning, other: Meaning) -> float:
    """How near two questions are, in [0, 1]; 0 where they cannot ask for the same."""
    if one.is_negated != other.is_negated or (one.asks and other.asks and one.asks != other.asks):
        return 0.0
    fixed = one.fixed | other.fixed
    if not (fixed <= one.words and fixed <= other.words):
        return 0.0
    if (one.words == fixed) != (other.words == fixed):
        return 0.0  # "Who is Ada?" asks for anything about her, "Who does Ada report to?" for one thing
    common, apart = _shared(one.words - fixed, other.words - fixed)
    if not common and apart:
        return 0.0  # nothing but the names in common
    near = (common + len(fixed)) / max(1, common + apart + len(fixed))
    return near if near >= (NEAR if fixed else NEAR_WITHOUT_NAMES) else 0.0


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
        for word in meaning.words:
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
        for word in asked.words:
            keys = self._with_word.get(word, ())
            for key in keys:
                shared[key] += 1 / len(keys)
        return nlargest(self.COMPARED, shared, key=shared.__getitem__)
