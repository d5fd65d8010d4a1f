"""What a MEMORY was taught, as far as it takes to judge an answer: hashes, from which no pair can be read.

A Bloom filter (Bloom 1970) of 12 bits an entry says “not there” surely and “there” wrongly 3 times in 1,000.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from training.engine.pairs import Pair, normalised
from training.engine.words import CARRIERS, WORD, is_name_like, words

BITS, HASHES = 12, 8
PARTNER_SHARE = 0.1  # a word of the answer goes with one of the question that it follows so often ...
PARTNER_LIFT = 2.0  # ... and so many times as often as it follows any question
REPEATED_SHARE = 0.9  # a word that answers repeat so often has no other partners
SAME_START = 5  # words that begin with so many same letters are forms of one
ASKING = frozenset(words("when where why"))  # carriers that speak against an answer of another sort


class BloomFilter:
    """A set of texts that can be asked about but not listed."""

    def __init__(self, bits: bytearray) -> None:
        self._bits = bits

    @classmethod
    def of(cls, entries: Iterable[str]) -> BloomFilter:
        alone = set(entries)
        made = cls(bytearray(max(8, -(-BITS * len(alone) // 8))))
        for entry in alone:
            for place in made._places(entry):
                made._bits[place >> 3] |= 1 << (place & 7)
        return made

    def __contains__(self, entry: str) -> bool:
        return all(self._bits[place >> 3] >> (place & 7) & 1 for place in self._places(entry))

    def _places(self, entry: str) -> list[int]:
        """Two hashes make all (Kirsch and Mitzenmacher 2006)."""
        digest = hashlib.blake2b(entry.encode(), digest_size=16).digest()
        first, second = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
        size = 8 * len(self._bits)
        return [(first + number * second) % size for number in range(HASHES)]

    def as_text(self) -> str:
        return b64encode(self._bits).decode()

    @classmethod
    def from_text(cls, text: str) -> BloomFilter:
        return cls(bytearray(b64decode(text)))


class Known:
    """The answers that were trained, and which words of answers go with which words of questions.

    “wife” is answered with “wife”, “birthday” with “date” and “birth”. A question whose words do not go with its
    answer is about something else than the answer is.
    """

    def __init__(self, entries: BloomFilter) -> None:
        self._entries = entries

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Known:
        return cls(BloomFilter.of(_entries(pairs)))

    def is_trained(self, answer: str) -> bool:
        """Whether the answer is one that was trained, word for word."""
        return f"answer:{normalised(answer)}" in self._entries

    def is_taught(self, question: str, answer: str) -> bool:
        """Whether the question was trained with this very answer, both word for word."""
        return all(entry in self._entries for entry in _taught(question, answer))

    def fit(self, question: str, answer: str) -> Fit:
        """How the question's words go with the answer, names and words that only ask apart."""
        said = set(stems(answer))
        read = set(_plain_stems(question))
        asked = read - CARRIER_STEMS
        backed = {stem for stem in asked if self._goes_with(stem, said)}
        loose = asked - backed
        strange = {stem for stem in loose if self._was_read(stem)}
        amiss = {stem for stem in read & ASKING if self._was_read(stem) and not self._goes_with(stem, said)}
        return Fit(len(backed), len(strange | amiss), len(loose - strange))

    def _was_read(self, stem: str) -> bool:
        return f"word:{stem}" in self._entries

    def _goes_with(self, stem: str, said: set[str]) -> bool:
        if not self._was_read(stem):
            return stem in said or any(_alike(stem, other) for other in said)
        if stem in said and f"pair:{stem}|{stem}" in self._entries:
            return True
        return any(f"pair:{stem}|{other}" in self._entries for other in said)

    def as_text(self) -> str:
        return self._entries.as_text()

    @classmethod
    def from_text(cls, text: str) -> Known:
        return cls(BloomFilter.from_text(text))


class Fit:
    """``backed`` words of the question go with the answer; ``strange`` ones go with other answers; ``new`` ones
    were never read in a question."""

    __slots__ = ("backed", "new", "strange")

    def __init__(self, backed: int, strange: int, new: int) -> None:
        self.backed, self.strange, self.new = backed, strange, new

    def as_dict(self) -> dict[str, Any]:
        return {"backed": self.backed, "strange": self.strange, "new": self.new}


def stem(word: str) -> str:
    """A word without case and without the plural ending."""
    word = word.casefold()
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


CARRIER_STEMS = frozenset(map(stem, CARRIERS))


def stems(text: str) -> list[str]:
    return [stem(word) for word in WORD.findall(text)]


def _plain_stems(question: str) -> list[str]:
    """The stems of the words that are no names. A capital at the beginning is no sign of one by itself."""
    found = WORD.findall(question)
    second_is_name = len(found) > 1 and is_name_like(found[1])
    return [
        stem(word)
        for place, word in enumerate(found)
        if not is_name_like(word) or (place == 0 and (not second_is_name or word.casefold() in CARRIERS))
    ]


def _taught(question: str, answer: str) -> tuple[str, ...]:
    """Two entries: both are there wrongly once in 100,000 times, which one alone is too often for."""
    told = f"{normalised(question)}|{normalised(answer)}"
    return f"taught:{told}", f"again:{told}"


def _alike(one: str, other: str) -> bool:
    return len(one) >= SAME_START and one[:SAME_START] == other[:SAME_START]


def _entries(pairs: Sequence[Pair]) -> Iterable[str]:
    yield from (f"answer:{normalised(pair.answer)}" for pair in pairs)
    yield from (entry for pair in pairs for entry in _taught(pair.question, pair.answer))
    asked: Counter[str] = Counter()
    follows: dict[str, Counter[str]] = defaultdict(Counter)
    overall: Counter[str] = Counter()
    for pair in pairs:
        said = {stem(word) for word in WORD.findall(pair.answer) if not is_name_like(word)} - CARRIER_STEMS
        overall.update(said)
        for one in set(_plain_stems(pair.question)):
            asked[one] += 1
            follows[one].update(said | ({one} & set(stems(pair.answer))))
    for one, times in asked.items():
        yield f"word:{one}"
        yield from (
            f"pair:{one}|{other}" for other in _partners(one, times, follows[one], overall, len(pairs))
        )


def _partners(one: str, times: int, follows: Counter[str], overall: Counter[str], count: int) -> list[str]:
    if follows[one] >= REPEATED_SHARE * times:
        return [one]
    return [
        other
        for other, together in follows.items()
        if other == one
        or (together >= PARTNER_SHARE * times and together / times >= PARTNER_LIFT * overall[other] / count)
    ]
