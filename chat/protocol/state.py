"""What a chat turn knows so far, and how much it may still ask. Values only: every step makes a new state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from chat.protocol.candidates import Candidate
from chat.protocol.events import Stage
from chat.protocol.mentions import names_in
from memosite.errors import MemoError

STAGES: tuple[Stage, ...] = ("grounding", "entity_identification", "answer_seeking")


class WrongBudget(MemoError):
    """A budget that would let nothing be asked."""

    code = "wrong_budget"


@dataclass(frozen=True)
class Budget:
    """The bounds of one turn: sub-queries in each stage and in all, and wall time in seconds.

    MeMo interrogates for 5 to 8 turns a stage; the limits here count single sub-queries, of which a question
    with several-valued answers needs one for each value. ``batch`` sub-queries at most go to MEMORY in one
    call; between two calls the turn can be stopped. ``rounds`` are decisions of the EXECUTIVE, the final answer
    included, and ``tokens`` all that its calls may cost, prompts and replies together. Each limit ends the turn
    in the best answer so far.
    """

    grounding: int = 16
    entity_identification: int = 60
    answer_seeking: int = 60
    total: int = 100
    seconds: float = 60.0
    batch: int = 8
    rounds: int = 200
    tokens: int = 1_000_000

    def __post_init__(self) -> None:
        limits = (
            *(self.of(stage) for stage in STAGES),
            self.total,
            self.seconds,
            self.batch,
            self.rounds,
            self.tokens,
        )
        if min(limits) <= 0:
            raise WrongBudget("Every limit of a question's budget must be greater than zero.")

    def of(self, stage: Stage) -> int:
        """The sub-queries that one stage may ask."""
        return {
            "grounding": self.grounding,
            "entity_identification": self.entity_identification,
            "answer_seeking": self.answer_seeking,
        }[stage]


@dataclass(frozen=True)
class SubQuery:
    """A self-contained question for MEMORY.

    ``mentions`` are the words that a trustworthy answer repeats; left empty, they are the names and numbers
    in the question. ``wordings`` are other ways to ask the same; MEMORY gets them in the same batch.
    """

    question: str
    mentions: tuple[str, ...] = ()
    wordings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exchange:
    """A sub-query with MEMORY's answer; ``known`` is false where it abstained or is not to be trusted."""

    index: int
    stage: Stage
    question: str
    answer: str
    confidence: float
    known: bool
    agreement: float = 1.0


@dataclass(frozen=True)
class Clue:
    """An atomic constraint taken from the question; ``power`` as in ``ClueFound``."""

    text: str
    power: int = 0


@dataclass(frozen=True)
class PastTurn:
    """A question of the same conversation and the answer that it was given."""

    question: str
    answer: str
    values: tuple[str, ...] = ()
    known: bool = True


@dataclass(frozen=True)
class State:
    """All that an EXECUTIVE decides from.

    ``candidates`` are the entities in play, best first, those that were eliminated last. A sub-query is asked
    once in a turn at most, so a question that MEMORY does not know is a dead end from then on. ``history`` are
    the conversation's turns before this one, the oldest first. ``dropped`` are the last proposals that were not
    asked, with the reason. ``failures`` counts the EXECUTIVE's decisions in a row that could not be used.
    ``rounds_left`` and ``seconds_left`` count down to the answer.
    """

    question: str
    stage: Stage = "grounding"
    clues: tuple[Clue, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    history: tuple[PastTurn, ...] = ()
    dropped: tuple[str, ...] = ()
    failures: int = 0
    rounds: int = 0
    rounds_left: int = 200
    seconds_left: float = 60.0

    def answer_to(self, question: str) -> Exchange | None:
        """The exchange in which this question was asked in this turn, whatever its case and punctuation."""
        key = same_question_key(question)
        return next((e for e in self.exchanges if same_question_key(e.question) == key), None)

    def asked_in(self, stage: Stage) -> int:
        return sum(exchange.stage == stage for exchange in self.exchanges)

    @property
    def dead_ends(self) -> tuple[str, ...]:
        """The sub-queries that MEMORY could not answer, in the order asked."""
        return tuple(exchange.question for exchange in self.exchanges if not exchange.known)

    @property
    def facts(self) -> Mapping[str, tuple[str, ...]]:
        """What MEMORY said, grouped by the names that its answers mention."""
        facts: dict[str, tuple[str, ...]] = {}
        for exchange in self.exchanges:
            for name in names_in(exchange.answer) if exchange.known else ():
                facts[name] = (*facts.get(name, ()), exchange.answer)
        return MappingProxyType(facts)

    @property
    def known(self) -> tuple[Exchange, ...]:
        """The exchanges that MEMORY knew an answer in."""
        return tuple(exchange for exchange in self.exchanges if exchange.known)

    def with_exchange(self, exchange: Exchange) -> State:
        return replace(self, exchanges=(*self.exchanges, exchange))


def same_question_key(question: str) -> str:
    """Equal for questions that differ in case, spaces and punctuation only."""
    return " ".join(re.findall(r"[\w'’-]+", question.casefold()))
