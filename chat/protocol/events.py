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
    """One atomic constraint taken from the user's question.

    ``power`` is how far it narrows down what is looked for, 1 (hardly) to 5 (to one entity); 0: not rated.
    """

    type: Literal["clue"] = "clue"
    text: str
    power: int = 0


class SubQueryAsked(Data):
    """A self-contained question that goes to MEMORY now. ``index`` counts from 1 within the turn.

    ``wordings`` are the other ways in which it is put to MEMORY in the same batch.
    """

    type: Literal["sub_query"] = "sub_query"
    index: int
    stage: Stage
    question: str
    wordings: list[str] = []


class WordingAnswered(BaseModel):
    """What MEMORY said to one wording of a sub-query."""

    model_config = ConfigDict(frozen=True)

    question: str
    answer: str
    confidence: float
    known: bool


class MemoryAnswered(Data):
    """MEMORY's answer to sub-query ``index``; ``latency_ms`` is wall time in milliseconds.

    ``known`` is false where MEMORY abstained, and where the protocol does not trust the answer; ``note`` then
    says why. ``source`` names the memory that answered where several were asked. ``agreement`` is the share of
    the wordings that gave this answer, part of the confidence; ``said`` holds them all where there were several.
    """

    type: Literal["memory_answer"] = "memory_answer"
    index: int
    answer: str
    confidence: float
    known: bool
    latency_ms: float
    note: str = ""
    source: str = ""
    agreement: float = 1.0
    said: list[WordingAnswered] = []


CandidateStatus = Literal["open", "confirmed", "demoted", "eliminated"]


class CandidateShown(BaseModel):
    """An entity in play: indexes of the sub-queries whose answers speak for it and against it.

    ``unknowns`` counts the questions about it that MEMORY did not know in a row: two demote, three eliminate it.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    status: CandidateStatus = "open"
    supporting: list[int] = []
    disqualifying: list[int] = []
    unknowns: int = 0
    note: str = ""


class CandidatesRanked(Data):
    """The entities still in play, best first. ``candidates`` also holds those that were eliminated, last."""

    type: Literal["candidates"] = "candidates"
    names: list[str]
    note: str = ""
    candidates: list[CandidateShown] = []


Action = Literal["ask", "move_on", "answer", "reply"]


class DecisionMade(Data):
    """What the EXECUTIVE decided, and what it cost.

    ``action``: ask MEMORY, move on to the next stage, answer, or reply without MEMORY. ``question`` is the
    person's question as a follow-up was understood, empty where it stood by itself. ``dropped`` are proposals
    that were not asked (again) with the reason. ``problem`` says how the EXECUTIVE failed where the protocol
    had to go on without it. ``calls`` are round trips, ``latency_ms`` their wall time in milliseconds.
    """

    type: Literal["decision"] = "decision"
    action: Action
    note: str = ""
    question: str = ""
    dropped: list[str] = []
    problem: str = ""
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_ms: float = 0.0


class AnswerToken(Data):
    """The next piece of the answer while it is being written. ``restart``: forget the pieces before it."""

    type: Literal["answer_token"] = "answer_token"
    text: str
    restart: bool = False


class FinalAnswer(Data):
    """The answer, written from MEMORY's answers alone. ``values`` holds its items for programs.

    ``text`` is Markdown, in which [1] cites sub-query 1. ``known`` is false where MEMORY did not know; ``text``
    then says so plainly. ``sub_queries`` lists the indexes of the sub-queries that the answer rests on.
    ``ended_by`` names the budget that ended the turn early: rounds, tokens or seconds. ``from_memory`` is false
    for replies that needed no memory. ``calls`` and tokens are the EXECUTIVE's in the whole turn.
    """

    type: Literal["final"] = "final"
    text: str
    values: list[str]
    known: bool
    sub_queries: list[int]
    justification: str = ""
    confidence: float | None = None
    ended_by: Literal["", "rounds", "tokens", "seconds"] = ""
    from_memory: bool = True
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Stopped(Data):
    """The person pressed Stop; nothing follows."""

    type: Literal["stopped"] = "stopped"


class Failed(Data):
    """The turn ended in an error that is told in plain words; nothing follows."""

    type: Literal["error"] = "error"
    message: str
    code: str = "error"


class Heartbeat(Data):
    """The turn is alive and waits for ``waiting_for``; ``seconds`` have passed since it began.

    It repeats the ``seq`` of the event before it and is not stored.
    """

    type: Literal["heartbeat"] = "heartbeat"
    waiting_for: str
    seconds: float


AnyData = Annotated[
    StageStarted
    | ClueFound
    | SubQueryAsked
    | MemoryAnswered
    | CandidatesRanked
    | DecisionMade
    | AnswerToken
    | FinalAnswer
    | Stopped
    | Failed
    | Heartbeat,
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
