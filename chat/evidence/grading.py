"""How near a pair that a memory was taught comes to what the memory said.

``exact``: the pair says the same. Either its answer is the memory's sentence, word for word, and that sentence
names all that both questions are about; or both questions ask the same of the same names and numbers, and both
answers add the same. ``near``: the pair is about what was asked and shares much of what was said. Everything else
is no support. When in doubt, the lower grade.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz

from chat.likeness.reading import (
    KINDS,
    KINDS_ASKED,
    Exchange,
    Reading,
    is_number_unit,
    is_statement,
    name_words,
    read,
    same_words,
    terms,
    units,
)
from knowledge.pipeline.wording import words

#: The share, in [0, 1], of the words of a claim that a near pair has; more where no name says what it is about.
NEAR_WORDS = 0.5
NEAR_WORDS_WITHOUT_NAMES = 0.6


class Grade(StrEnum):
    """How far a pair supports an answer."""

    EXACT = "exact"
    NEAR = "near"
    NONE = "none"


@dataclass(frozen=True)
class Graded:
    """A grade; ``answers_otherwise`` where the pair gives another answer to the same question.

    ``likeness`` in [0, 1] orders pairs of one grade.
    """

    grade: Grade
    answers_otherwise: bool = False
    likeness: float = 0.0


class Claim:
    """What a memory said to a question that was put to it in one or several wordings."""

    def __init__(self, wordings: Sequence[str], answer: str) -> None:
        self.answer = answer
        self.exchanges = tuple(Exchange(wording, answer) for wording in dict.fromkeys(wordings))
        self.names = name_words((*wordings, answer))
        self.asked_units = units(self.exchanges[0].question)
        self.added_units = tuple(unit for unit in units(answer) if unit not in self.asked_units)
        self.terms = [frozenset(terms(exchange.text)) for exchange in self.exchanges]

    def grade(self, pair: Exchange) -> Graded:
        """How far the pair supports the claim."""
        there = frozenset(terms(pair.text))
        if max(len(said & there) / max(len(said), 1) for said in self.terms) < NEAR_WORDS:
            return Graded(Grade.NONE)  # most candidates, at a fraction of the work
        likeness = self._likeness(pair, there)
        names = self.names | name_words((pair.question, pair.answer))
        taught = read(pair, names)
        asked = [read(exchange, names) for exchange in self.exchanges]
        if self._is_same_statement(pair, asked, taught, names):
            return Graded(Grade.EXACT, likeness=likeness)
        same = next((one for one in asked if asks_the_same(one, taught)), None)
        if same is not None:
            if adds_the_same(same, taught):
                return Graded(Grade.EXACT, likeness=likeness)
            return Graded(Grade.NEAR, is_at_odds(same, taught), likeness)
        return Graded(Grade.NEAR if self._is_near(pair, there) else Grade.NONE, likeness=likeness)

    def _is_same_statement(
        self, pair: Exchange, asked: Sequence[Reading], taught: Reading, names: frozenset[str]
    ) -> bool:
        if not same_words(self.answer, pair.answer):
            return False
        if any(same_words(one.question, pair.question) for one in self.exchanges):
            return True
        return is_statement(pair.answer, taught, names) and any(
            is_statement(self.answer, one, names) for one in asked
        )

    def _is_near(self, pair: Exchange, there: frozenset[str]) -> bool:
        shared = self.terms[0] & there
        share = len(shared) / max(len(self.terms[0]), 1)
        if not self.asked_units:
            return share >= NEAR_WORDS_WITHOUT_NAMES
        beyond = shared - frozenset[str]().union(*self.asked_units)
        return share >= NEAR_WORDS and bool(beyond) and self._is_about(frozenset(words(pair.text)))

    def _is_about(self, there: frozenset[str]) -> bool:
        """Whether a pair is about what was asked.

        It has all names and numbers of the question, or half of the names and all that the answer found by them.
        """
        numbers = [unit for unit in self.asked_units if is_number_unit(unit)]
        names = [unit for unit in self.asked_units if unit not in numbers]
        has_added = bool(self.added_units) and all(unit <= there for unit in self.added_units)
        found = sum(unit <= there for unit in names)
        has_numbers = all(unit <= there for unit in numbers)
        return (found == len(names) and (has_numbers or has_added)) or (2 * found >= len(names) and has_added)

    def _likeness(self, pair: Exchange, there: frozenset[str]) -> float:
        """Of the words that either says, the share that both say; the wording of the questions breaks ties."""
        shared = 2 * len(self.terms[0] & there) / max(len(self.terms[0]) + len(there), 1)
        wording = max(fuzz.token_sort_ratio(one.question, pair.question) for one in self.exchanges)
        return (9 * shared + wording / 100) / 10


def asks_the_same(one: Reading, other: Reading) -> bool:
    """Whether two questions ask the same of the same names and numbers, in whatever words."""
    return (
        one.about == other.about
        and _relations_agree(one, other)
        and one.links == other.links
        and one.is_past == other.is_past
        and one.doers == other.doers
    )


def _relations_agree(one: Reading, other: Reading) -> bool:
    """The same words, or those of one and besides only what kind of thing is asked for ("which town")."""
    if not one.relation or not other.relation:
        return one.relation == other.relation
    fewer, more = sorted((one, other), key=lambda each: len(each.relation))
    kinds = KINDS_ASKED if one.about else frozenset[str]()
    return fewer.relation <= more.relation and more.relation - fewer.relation <= more.category | kinds


def adds_the_same(one: Reading, other: Reading) -> bool:
    """Whether two answers to the same question add the same, but for words such as "the town of"."""
    fewer, more = sorted((one.added, other.added), key=len)
    beside = more - fewer <= KINDS | one.category | other.category
    return one.negations == other.negations and bool(fewer) and fewer <= more and beside


def is_at_odds(one: Reading, other: Reading) -> bool:
    """Whether two answers to the same question cannot be one: neither says only more than the other."""
    within = one.added <= other.added or other.added <= one.added
    return not within or one.negations != other.negations
