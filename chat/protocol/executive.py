"""What the session asks of an EXECUTIVE, be it rules or a language model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from chat.protocol.state import State, SubQuery


@dataclass(frozen=True)
class Decision:
    """What to do next in the stage that ``state.stage`` names.

    ``ask`` holds independent sub-queries, none of which needs another's answer; empty means that the stage
    is finished. ``clues`` are constraints newly found in the user's question. ``candidates``, unless None,
    is the new ranking of entities in play, best first. ``note`` says in plain words what is done and why.
    """

    ask: tuple[SubQuery, ...] = ()
    clues: tuple[str, ...] = ()
    candidates: tuple[str, ...] | None = None
    note: str = ""


@dataclass(frozen=True)
class Synthesis:
    """The final answer, written from MEMORY's answers alone.

    ``values`` are its items for programs, ``sub_queries`` the indexes of the exchanges it rests on. ``known``
    is false where MEMORY did not know; ``text`` then says so plainly.
    """

    text: str
    values: tuple[str, ...] = ()
    known: bool = True
    sub_queries: tuple[int, ...] = ()
    justification: str = ""


class Executive(Protocol):
    """Interrogates MEMORY. It keeps nothing between calls: all it may know is in the state."""

    name: str

    def decide(self, state: State) -> Decision:
        """The next sub-queries of the present stage, or the decision to move on."""
        ...

    def synthesise(self, state: State) -> Synthesis:
        """The answer from what is known now, complete or not."""
        ...
