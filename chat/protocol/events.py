"""The typed events of one chat turn: the only thing that leaves the protocol.

Websocket, REST, command line and the database all carry the same ``{"seq": .., "type": .., "data": {..}}``.
``seq`` counts from 1 within a turn, so a client that was away asks for everything after the last it saw.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Stage = Literal["grounding", "entity_identification", "answer_seeking"]


class Data(BaseModel):
    model_config = ConfigDict(frozen=True)


class StageStarted(Data):
    """A stage of the protocol begins; ``note`` says in plain words what it is for in this turn."""

    type: Literal["stage"] = "stage"
    stage: Stage
    note: str


class ClueFound(Data):
    """One atomic constraint taken from the user's question."""

    type: Literal["clue"] = "clue"
    text: str


class SubQueryAsked(Data):
    """A self-contained question that goes to MEMORY now. ``index`` counts from 1 within the turn."""

    type: Literal["sub_query"] = "sub_query"
    index: int
    stage: Stage
    question: str


class MemoryAnswered(Data):
    """MEMORY's answer to sub-query ``index``; ``latency_ms`` is wall time in milliseconds.

    ``known`` is false where MEMORY abstained, and where the protocol does not trust the answer; ``note`` then
    says why. ``source`` names the memory that answered where several were asked.
    """

    type: Literal["memory_answer"] = "memory_answer"
    index: int
    answer: str
    confidence: float
    known: bool
    latency_ms: float
    note: str = ""
    source: str = ""


class CandidatesRanked(Data):
    """The entities still in play, best first."""

    type: Literal["candidates"] = "candidates"
    names: list[str]
    note: str = ""


class FinalAnswer(Data):
    """The answer, written from MEMORY's answers alone. ``values`` holds its items for programs.

    ``known`` is false where MEMORY did not know; ``text`` then says so plainly. ``sub_queries`` lists the
    indexes of the sub-queries that the answer rests on.
    """

    type: Literal["final"] = "final"
    text: str
    values: list[str]
    known: bool
    sub_queries: list[int]
    justification: str = ""


class Stopped(Data):
    """The person pressed Stop; nothing follows."""

    type: Literal["stopped"] = "stopped"


class Failed(Data):
    """The turn ended in an error that is told in plain words; nothing follows."""

    type: Literal["error"] = "error"
    message: str
    code: str = "error"


AnyData = Annotated[
    StageStarted
    | ClueFound
    | SubQueryAsked
    | MemoryAnswered
    | CandidatesRanked
    | FinalAnswer
    | Stopped
    | Failed,
    Field(discriminator="type"),
]
FINAL_TYPES = frozenset({"final", "stopped", "error"})


class Event(BaseModel):
    """One event of a turn, numbered."""

    model_config = ConfigDict(frozen=True)

    seq: int
    data: AnyData

    @property
    def type(self) -> str:
        return self.data.type

    @property
    def ends_turn(self) -> bool:
        return self.type in FINAL_TYPES

    def as_dict(self) -> dict[str, Any]:
        """The wire form, the same everywhere."""
        return {"seq": self.seq, "type": self.type, "data": self.data.model_dump(exclude={"type"})}

    @classmethod
    def from_dict(cls, wire: dict[str, Any]) -> Event:
        return cls.model_validate({"seq": wire["seq"], "data": {"type": wire["type"], **wire["data"]}})
