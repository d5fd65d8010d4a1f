"""What the session asks of an EXECUTIVE, be it rules or a language model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from chat.protocol.candidates import Candidate
from chat.protocol.events import Stage
from chat.protocol.state import Clue, State, SubQuery

#: Takes the pieces of an answer as it is written; ``True`` says that it begins anew.
Say = Callable[[str, bool], None]


@dataclass(frozen=True)
class Usage:
    """What a decision cost: round trips, retries of the connection included only as time, and tokens."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True)
class Synthesis:
    """The final answer, written from MEMORY's answers alone.

    ``values`` are its items for programs, ``sub_queries`` the indexes of the exchanges it rests on. ``known``
    is false where MEMORY did not know; ``text`` then says so plainly. ``problem`` says why the EXECUTIVE could
    not write it and the known facts stand for it. ``from_memory`` is false for a reply that needed no MEMORY.
    """

    text: str
    values: tuple[str, ...] = ()
    known: bool = True
    sub_queries: tuple[int, ...] = ()
    justification: str = ""
    problem: str = ""
    from_memory: bool = True
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class Decision:
    """What to do next.

    ``ask`` holds independent sub-queries, none of which needs another's answer, that belong to ``stage``: the
    present one (None) or a later one. Empty, with no ``answer`` either, means that the stage is finished.
    ``clues`` are constraints newly found in the user's question. ``candidates``, unless None, is the new ranking
    of entities. ``question`` is the user's question as a follow-up was understood. ``dropped`` are sub-queries
    that were thought of and left out, each with its reason. ``problem`` says how the EXECUTIVE failed, where it
    did. ``note`` says in plain words what is done and why.
    """

    ask: tuple[SubQuery, ...] = ()
    clues: tuple[Clue, ...] = ()
    candidates: tuple[Candidate, ...] | None = None
    note: str = ""
    stage: Stage | None = None
    answer: Synthesis | None = None
    question: str = ""
    dropped: tuple[str, ...] = ()
    problem: str = ""
    usage: Usage = field(default_factory=Usage)


class Executive(Protocol):
    """Interrogates MEMORY. It keeps nothing between calls: all it may know is in the state.

    ``reserve`` is the share of a turn's seconds that it needs for writing the answer.
    """

    name: str
    reserve: float

    async def decide(self, state: State, say: Say) -> Decision:
        """The next sub-queries, the decision to move on to the next stage, or the answer."""
        ...

    async def synthesise(self, state: State, say: Say) -> Synthesis:
        """The answer from what is known now, complete or not."""
        ...
