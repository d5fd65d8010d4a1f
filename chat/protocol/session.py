"""The three-stage protocol: an EXECUTIVE interrogates a MEMORY, and every step is an event.

Stages after MeMo (arXiv 2605.15156): grounding asks one question for each clue, entity identification
narrows the candidates, answer seeking asks about the entity found and writes the answer. The EXECUTIVE
decides what to ask; this module owns the rest: order and numbers of events, budgets, stopping, the rule that
nothing is asked twice, and exactly one closing event.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace

from chat.protocol.events import (
    AnyData,
    CandidatesRanked,
    ClueFound,
    Event,
    Failed,
    FinalAnswer,
    MemoryAnswered,
    StageStarted,
    Stopped,
    SubQueryAsked,
)
from chat.protocol.executive import Decision, Executive, Synthesis
from chat.protocol.mentions import missing_mentions
from chat.protocol.state import STAGES, Budget, Exchange, State, SubQuery, same_question_key
from memosite.errors import MemoError
from training.memory import DONT_KNOW, Memory, MemoryAnswer

log = logging.getLogger(__name__)

#: Events on the way, the state that they lead to at the end.
Steps = Generator[AnyData, None, State]


class EmptyQuestion(MemoError):
    """Nothing was asked."""

    code = "empty_question"
    status = 422


class StopRequested(Exception):
    """The person pressed Stop."""


def never() -> bool:
    """The stop check of a turn that nobody can stop."""
    return False


def interrogate(
    question: str,
    executive: Executive,
    memory: Memory,
    *,
    budget: Budget = Budget(),  # noqa: B008 - frozen
    stop: Callable[[], bool] = never,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Event]:
    """Answer a question, one event at a time; the last event, and only the last, is final, stopped or error.

    ``stop`` is called before each sub-query and after each answer; once it returns true, ``stopped`` is the
    next and last event. ``clock`` counts seconds. Nothing is raised: what goes wrong is told in ``error``.
    """
    session = _Session(executive, memory, budget, stop, clock)
    for number, data in enumerate(_closed(session, question), start=1):
        yield Event(seq=number, data=data)


def _closed(session: _Session, question: str) -> Iterator[AnyData]:
    """The session's events with whatever ended it as the last one. This is the edge that catches."""
    try:
        yield from session.run(question)
    except StopRequested:
        yield Stopped()
    except MemoError as error:
        yield Failed(message=str(error), code=error.code)
    except Exception:
        log.exception("A turn failed")
        yield Failed(
            message="The question could not be answered because of an internal error. Ask it again; "
            "if this happens again, tell your administrator.",
            code="internal",
        )


@dataclass
class _Session:
    executive: Executive
    memory: Memory
    budget: Budget
    stop: Callable[[], bool]
    clock: Callable[[], float]
    started: float = field(init=False, default=0.0)

    def run(self, question: str) -> Iterator[AnyData]:
        if not question.strip():
            raise EmptyQuestion("Ask a question first.")
        self.started = self.clock()
        state = State(question.strip())
        for stage in STAGES:
            self.check_stop()
            state = yield from self.run_stage(replace(state, stage=stage))
        self.check_stop()
        yield final_answer(self.executive.synthesise(state))

    def run_stage(self, state: State) -> Steps:
        """One stage: decisions and their sub-queries until the EXECUTIVE moves on or the budget is spent."""
        decision = self.executive.decide(state)
        yield StageStarted(stage=state.stage, note=decision.note)
        while True:
            state = yield from self.note_findings(state, decision)
            proposed = self.worth_asking(state, decision)
            if not proposed:
                return state
            for batch in _batches(proposed, self.budget.batch):
                state = yield from self.ask(state, batch)
            decision = self.executive.decide(state)

    def note_findings(self, state: State, decision: Decision) -> Steps:
        clues = [clue for clue in dict.fromkeys(decision.clues) if clue not in state.clues]
        for clue in clues:
            yield ClueFound(text=clue)
        if decision.candidates is not None and decision.candidates != state.candidates:
            yield CandidatesRanked(names=list(decision.candidates), note=decision.note)
            state = replace(state, candidates=decision.candidates)
        return replace(state, clues=(*state.clues, *clues))

    def worth_asking(self, state: State, decision: Decision) -> list[SubQuery]:
        """The proposals not asked before, as far as the budget goes."""
        new: dict[str, SubQuery] = {}
        for sub_query in decision.ask:
            if state.answer_to(sub_query.question) is None:
                new.setdefault(same_question_key(sub_query.question), sub_query)
        left = min(
            self.budget.of(state.stage) - state.asked_in(state.stage),
            self.budget.total - len(state.exchanges),
        )
        return list(new.values())[: max(left, 0)] if self.has_time() else []

    def has_time(self) -> bool:
        return self.clock() - self.started < self.budget.seconds

    def ask(self, state: State, batch: Sequence[SubQuery]) -> Steps:
        """Put a batch of sub-queries to MEMORY: all are announced, then all answered."""
        if not self.has_time():
            return state
        first = len(state.exchanges) + 1
        for index, sub_query in enumerate(batch, start=first):
            self.check_stop()
            yield SubQueryAsked(index=index, stage=state.stage, question=sub_query.question)
        asked_at = self.clock()
        answers = self.memory.answer([sub_query.question for sub_query in batch])
        latency_ms = round(1000 * (self.clock() - asked_at), 3)
        for index, (sub_query, answer) in enumerate(zip(batch, answers, strict=True), start=first):
            note = doubt(sub_query, answer)
            exchange = Exchange(
                index=index,
                stage=state.stage,
                question=sub_query.question,
                answer=answer.text,
                confidence=answer.confidence,
                known=answer.known and not note,
            )
            state = state.with_exchange(exchange)
            yield memory_answered(exchange, latency_ms, note, answer.source if answer.known else "")
            self.check_stop()
        return state

    def check_stop(self) -> None:
        if self.stop():
            raise StopRequested


def doubt(sub_query: SubQuery, answer: MemoryAnswer) -> str:
    """Why an answer that MEMORY is sure of is not taken as known; empty where there is no such reason."""
    if not answer.known or answer.text == DONT_KNOW:
        return ""
    missing = missing_mentions(sub_query.question, answer.text, sub_query.mentions)
    return f"Not taken as known: the answer does not mention {', '.join(missing)}." if missing else ""


def memory_answered(exchange: Exchange, latency_ms: float, note: str, source: str = "") -> MemoryAnswered:
    return MemoryAnswered(
        index=exchange.index,
        answer=exchange.answer,
        confidence=exchange.confidence,
        known=exchange.known,
        latency_ms=latency_ms,
        note=note,
        source=source,
    )


def final_answer(synthesis: Synthesis) -> FinalAnswer:
    return FinalAnswer(
        text=synthesis.text,
        values=list(synthesis.values),
        known=synthesis.known,
        sub_queries=list(synthesis.sub_queries),
        justification=synthesis.justification,
    )


def _batches(items: Sequence[SubQuery], size: int) -> Iterator[Sequence[SubQuery]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
