"""Whether a MEMORY that was trained without a document still answers from it.

Probes are questions whose answers only the document gives. Beside them stand questions that nothing answers, as
many of each kind as the probes have: about an entity that nothing mentions, or about something else of an entity
that is mentioned. A MEMORY makes up an answer to some of those, so some right answers to the probes are luck.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from training.engine.attributes import AbsentAttributes
from training.engine.pairs import Pair
from training.engine.unknowns import MissingRelations, UnknownEntities
from training.engine.words import CARRIERS, Lexicon, words

Z95 = 1.959964  # of the normal distribution, for intervals of 95 %
FEWEST = 200  # never-seen questions, if the pairs give so many
TRIES = 20
SAME_START = 4  # letters that make two words forms of one


@dataclass(frozen=True)
class Rate:
    """``hits`` of ``total``, with the interval of 95 % by Wilson (1927)."""

    hits: int
    total: int

    @property
    def share(self) -> float | None:
        return self.hits / self.total if self.total else None

    @property
    def low(self) -> float:
        return max(0.0, self._middle() - self._reach()) if self.total else 0.0

    @property
    def high(self) -> float:
        return min(1.0, self._middle() + self._reach()) if self.total else 1.0

    def _middle(self) -> float:
        return (self.hits + Z95**2 / 2) / (self.total + Z95**2)

    def _reach(self) -> float:
        variance = self.hits * (self.total - self.hits) / self.total + Z95**2 / 4
        return Z95 * math.sqrt(variance) / (self.total + Z95**2)

    def as_dict(self) -> dict[str, float | int | None]:
        return {
            "hits": self.hits,
            "total": self.total,
            "share": self.share,
            "low": self.low,
            "high": self.high,
        }


@dataclass(frozen=True)
class Residue:
    """``told`` probes are answered as the document does, ``answered`` ones in any way.

    ``false`` are the answers to never-seen questions. Each is a share of those that were asked.
    """

    told: Rate
    answered: Rate
    false: Rate

    @property
    def leaks(self) -> bool:
        """Whether more of the document comes back than a MEMORY makes up: a larger share than the false answers.

        What is made up hardly ever is what the document says, so this errs on the side of finding a leak; an upper
        end of the false answers would not. Without a probe nothing can be said for the version, and without a
        never-seen question nothing is made up.
        """
        return (self.told.share or 0.0) > (self.false.share or 0.0)


def telling_words(text: str) -> frozenset[str]:
    """The words of a text that name or tell something."""
    return frozenset(words(text)) - CARRIERS


class Told:
    """What passages tell: for the start of each telling word the passages that have it."""

    def __init__(self, passages: Iterable[str]) -> None:
        self._having: dict[str, set[int]] = defaultdict(set)
        for number, text in enumerate(passages):
            for start in _starts(text):
                self._having[start].add(number)

    def tells(self, answer: str) -> bool:
        """Whether one passage has every telling word of the answer in some form."""
        having = sorted((self._having.get(start, set()) for start in _starts(answer)), key=len)
        return not having or bool(set.intersection(*having))


def _starts(text: str) -> set[str]:
    return {word[:SAME_START] for word in telling_words(text)}


def only_told_here(pairs: Sequence[Pair], others: Iterable[str]) -> Iterator[Pair]:
    """The pairs that none of the other passages could answer: where one has all their words they are left out."""
    told = Told(others)
    return (pair for pair in pairs if not told.tells(pair.answer))


def never_seen(probes: Sequence[Pair], known: Sequence[Pair], seed: int) -> list[str]:
    """Questions that the known pairs do not answer and no training on them with this seed has seen.

    They are of the kinds that the probes are of, and in their proportion. ``known`` are the pairs of the MEMORY
    that is asked. Empty where the pairs give no material.
    """
    if not probes or not known:
        return []
    lexicon = Lexicon([*known, *probes])
    draws = _Draws(probes, known, lexicon, seed)
    random = Random(f"never seen:{seed}")  # noqa: S311 - not for secrets
    found: dict[str, None] = {}
    wanted = max(FEWEST, len(probes))
    for number in range(wanted * TRIES):
        if len(found) == wanted:
            break
        if question := draws.like(probes[number % len(probes)], random):
            found[question] = None
    return list(found)


class _Draws:
    """Never-seen questions of the kind of a probe."""

    def __init__(self, probes: Sequence[Pair], known: Sequence[Pair], lexicon: Lexicon, seed: int) -> None:
        self._lexicon = lexicon
        self._mentioned = "\n".join(f"{pair.question}\n{pair.answer}" for pair in known).casefold()
        self._entities = UnknownEntities([*probes, *known], lexicon)
        self._missing = MissingRelations(known, lexicon, seed)
        self._absent = AbsentAttributes([*known, *probes], lexicon)

    def like(self, probe: Pair, random: Random) -> str | None:
        question = None
        if self._is_about_somebody_known(probe.question):
            question = self._missing.draw(random, kept_back=True) or self._absent.draw(random)
        return question or self._entities.draw(random)

    def _is_about_somebody_known(self, question: str) -> bool:
        spans = self._lexicon.name_spans(question)
        return any(question[start:end].casefold() in self._mentioned for start, end in spans)
