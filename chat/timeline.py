"""A turn's events folded into what a page shows: the three stages, their sub-queries, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from chat.protocol.events import (
    AnswerToken,
    CandidateShown,
    CandidatesRanked,
    ClueFound,
    DecisionMade,
    Event,
    Failed,
    FinalAnswer,
    MemoryAnswered,
    StageStarted,
    Stopped,
    SubQueryAsked,
)


@dataclass
class Exchange:
    """A sub-query and, once MEMORY has spoken, its answer."""

    index: int
    question: str
    wordings: list[str] = field(default_factory=list)
    answer: MemoryAnswered | None = None

    @property
    def state(self) -> str:
        """asking, known or unknown."""
        if self.answer is None:
            return "asking"
        return "known" if self.answer.known else "unknown"

    @property
    def has_words(self) -> bool:
        """Whether MEMORY gave an answer, be it one that the protocol trusts (known) or not (with a note)."""
        return self.answer is not None and (self.answer.known or bool(self.answer.note))

    @property
    def agreement(self) -> str:
        """How far the wordings agree, in words: "3 of 4 wordings agree". Empty where there was one."""
        said = len(self.answer.said) if self.answer else 0
        if self.answer is None or said < 2:
            return ""
        return f"{round(self.answer.agreement * said)} of {said} wordings agree"


@dataclass
class StageShown:
    """One stage of the protocol with what happened in it."""

    stage: str
    note: str = ""
    clues: list[ClueFound] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.stage.replace("_", " ").capitalize()


@dataclass
class Timeline:
    """The stages of a turn so far, the candidates as they stand, and the closing event.

    ``understood`` is the question as a follow-up was understood; ``written`` is the answer as far as it was
    written; ``problems`` are what went wrong on the way and what was left out, in words.
    """

    stages: list[StageShown] = field(default_factory=list)
    candidates: list[CandidateShown] = field(default_factory=list)
    understood: str = ""
    written: str = ""
    problems: list[str] = field(default_factory=list)
    final: FinalAnswer | None = None
    failure: str = ""
    is_stopped: bool = False
    last_seq: int = 0

    @property
    def exchanges(self) -> list[Exchange]:
        return [exchange for stage in self.stages for exchange in stage.exchanges]

    def apply(self, event: Event) -> None:
        """Take in the next event."""
        self.last_seq = event.seq
        match event.data:
            case StageStarted(stage=stage, note=note):
                self.stages.append(StageShown(stage, note))
            case ClueFound() as clue:
                self.stages[-1].clues.append(clue)
            case SubQueryAsked(index=index, question=question, wordings=wordings):
                self.stages[-1].exchanges.append(Exchange(index, question, wordings))
            case MemoryAnswered(index=index) as answer:
                next(one for one in self.exchanges if one.index == index).answer = answer
            case CandidatesRanked() as ranking:
                self.candidates = ranking.candidates or [CandidateShown(name=name) for name in ranking.names]
            case AnswerToken(text=text, restart=restart):
                self.written = text if restart else self.written + text
            case DecisionMade() as decision:
                self.understood = decision.question or self.understood
                self.problems += [decision.problem] if decision.problem else []
            case FinalAnswer() as final:
                self.final = final
            case Failed(message=message):
                self.failure = message
            case Stopped():
                self.is_stopped = True


def timeline_of(events: Iterable[Event]) -> Timeline:
    """Fold a turn's events, which come in their order."""
    timeline = Timeline()
    for event in events:
        timeline.apply(event)
    return timeline
