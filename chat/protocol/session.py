"""The three-stage protocol: an EXECUTIVE interrogates a MEMORY, and every step is an event.

Stages after MeMo (arXiv 2605.15156): grounding asks one question for each clue, entity identification
narrows the candidates, answer seeking asks about the entity found and writes the answer. The EXECUTIVE
decides what to ask; this module owns the rest: order of events, budgets, the rule that nothing is asked twice,
and exactly one closing event. ``chat.protocol.stream`` numbers the events and stops the work.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from chat.protocol.candidates import Candidate
from chat.protocol.events import (
    Action,
    AnswerToken,
    AnyData,
    CandidatesRanked,
    ClueFound,
    DecisionMade,
    Failed,
    FinalAnswer,
    MemoryAnswered,
    Stage,
    StageStarted,
    SubQueryAsked,
    WordingAnswered,
)
from chat.protocol.executive import Decision, Executive, Synthesis, Usage
from chat.protocol.mentions import missing_mentions, says_it_the_other_way_round
from chat.protocol.state import STAGES, Budget, Exchange, PastTurn, State, SubQuery, same_question_key
from chat.protocol.voting import content_words, vote
from memosite.errors import MemoError
from memosite.llm.text import printable
from training.memory import DONT_KNOW, Memory, MemoryAnswer, recall

log = logging.getLogger(__name__)
#: Pieces of an answer go out when they are so long, in characters, or so old, in seconds.
PIECE_LENGTH, PIECE_SECONDS = 48, 0.1


class EmptyQuestion(MemoError):
    """Nothing was asked."""

    code = "empty_question"
    status = 422


@dataclass
class Session:
    """One turn. ``emit`` takes the events as they happen; ``clock`` counts seconds."""

    executive: Executive
    memory: Memory
    budget: Budget
    emit: Callable[[AnyData], None]
    clock: Callable[[], float] = time.monotonic
    started: float = field(init=False, default=0.0)
    used: Usage = field(init=False, default_factory=Usage)
    waiting_for: str = field(init=False, default="executive")
    announced: list[Stage] = field(init=False, default_factory=list)

    async def run(self, question: str, history: Sequence[PastTurn]) -> None:
        """Interrogate until there is an answer. The last event is final or error; nothing is raised."""
        self.started = self.clock()
        try:
            await self.answer(question.strip(), tuple(history))
        except MemoError as error:
            self.emit(Failed(message=str(error), code=error.code))
        except Exception:
            log.exception("A turn failed")
            self.emit(
                Failed(
                    message="The question could not be answered because of an internal error. Ask it again; "
                    "if this happens again, tell your administrator.",
                    code="internal",
                )
            )

    async def answer(self, question: str, history: tuple[PastTurn, ...]) -> None:
        if not question:
            raise EmptyQuestion("Ask a question first.")
        state = State(question, history=history)
        while not (spent := self.spent(state)):
            decision = await self.decide(state)
            state = self.take_in(state, decision)
            if decision.answer:
                return self.finish(state, decision.answer)
            if proposed := self.worth_asking(state, decision):
                state = await self.ask_all(state, proposed)
            elif state.stage == STAGES[-1]:
                break
            else:
                state = replace(state, stage=STAGES[STAGES.index(state.stage) + 1])
        synthesis = await self.synthesise(state)
        return self.finish(state, synthesis, spent)

    def spent(self, state: State) -> str:
        """The budget that leaves nothing but the answer; empty while there is room to ask."""
        if state.rounds + 1 >= self.budget.rounds:
            return "rounds"
        if state.rounds and self.used.tokens * (state.rounds + 2) / state.rounds > self.budget.tokens:
            return "tokens"  # another round and the answer, as dear as the rounds before, would go beyond it
        return "" if self.has_time() else "seconds"

    def has_time(self) -> bool:
        return self.clock() - self.started < self.budget.seconds * (1 - self.executive.reserve)

    def counted(self, state: State) -> State:
        """The state with what is left of the budget."""
        seconds = max(0.0, self.budget.seconds - (self.clock() - self.started))
        return replace(state, rounds_left=self.budget.rounds - state.rounds, seconds_left=seconds)

    # --- The EXECUTIVE ---------------------------------------------------------------------------------------
    async def decide(self, state: State) -> Decision:
        self.waiting_for = "executive"
        began = self.clock()
        voice = _Voice(self.emit, self.clock)
        decision = await self.executive.decide(self.counted(state), voice.say)
        voice.flush()
        self.used += decision.usage
        stage = decision.stage or state.stage
        if STAGES.index(stage) < STAGES.index(state.stage):
            stage = state.stage  # stages are never gone back to
        self.announce(stage, decision)
        self.emit(
            DecisionMade(
                action=_action(decision),
                note=decision.note,
                question=decision.question,
                dropped=list(decision.dropped),
                problem=decision.problem,
                calls=decision.usage.calls,
                prompt_tokens=decision.usage.prompt_tokens,
                completion_tokens=decision.usage.completion_tokens,
                latency_ms=round(1000 * (self.clock() - began), 3),
            )
        )
        return replace(decision, stage=stage)

    def announce(self, stage: Stage, decision: Decision) -> None:
        """Say that a stage begins, unless nothing of it is needed: the answer is there already."""
        if stage not in self.announced and decision.answer is None:
            self.announced.append(stage)
            self.emit(StageStarted(stage=stage, note=decision.note))

    def take_in(self, state: State, decision: Decision) -> State:
        """The state with what the EXECUTIVE found."""
        known = {clue.text for clue in state.clues}
        clues = [clue for clue in dict.fromkeys(decision.clues) if clue.text not in known]
        for clue in clues:
            self.emit(ClueFound(text=clue.text, power=clue.power))
        candidates = state.candidates
        if decision.candidates is not None and decision.candidates != candidates:
            candidates = decision.candidates
            self.emit(_ranking(candidates, decision.note))
        return replace(
            state,
            question=decision.question or state.question,
            stage=decision.stage or state.stage,
            clues=(*state.clues, *clues),
            candidates=candidates,
            dropped=decision.dropped,
            failures=state.failures + 1 if decision.problem else 0,
            rounds=state.rounds + 1,
        )

    async def synthesise(self, state: State) -> Synthesis:
        self.waiting_for = "executive"
        voice = _Voice(self.emit, self.clock)
        began = self.clock()
        synthesis = await self.executive.synthesise(self.counted(state), voice.say)
        voice.flush()
        self.used += synthesis.usage
        if synthesis.usage.calls or synthesis.problem:
            self.emit(
                DecisionMade(
                    action="answer",
                    problem=synthesis.problem,
                    calls=synthesis.usage.calls,
                    prompt_tokens=synthesis.usage.prompt_tokens,
                    completion_tokens=synthesis.usage.completion_tokens,
                    latency_ms=round(1000 * (self.clock() - began), 3),
                )
            )
        return synthesis

    def finish(self, state: State, synthesis: Synthesis, ended_by: str = "") -> None:
        support = [each for each in state.exchanges if each.index in synthesis.sub_queries]
        sure = [exchange.confidence for exchange in support if exchange.known]
        self.emit(
            FinalAnswer(
                text=synthesis.text,
                values=list(synthesis.values),
                known=synthesis.known,
                sub_queries=list(synthesis.sub_queries),
                justification=synthesis.justification,
                confidence=min(sure) if sure and synthesis.known else None,
                ended_by=ended_by,  # type: ignore[arg-type]
                from_memory=synthesis.from_memory,
                calls=self.used.calls,
                prompt_tokens=self.used.prompt_tokens,
                completion_tokens=self.used.completion_tokens,
            )
        )

    # --- MEMORY ----------------------------------------------------------------------------------------------
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

    async def ask_all(self, state: State, proposed: Sequence[SubQuery]) -> State:
        for batch in _batches(proposed, self.budget.batch):
            if self.has_time():
                state = await self.ask(state, batch)
        return state

    async def ask(self, state: State, batch: Sequence[SubQuery]) -> State:
        """Put a batch of sub-queries to MEMORY, all wordings at once: all are announced, then all answered."""
        self.waiting_for = "memory"
        first = len(state.exchanges) + 1
        for index, sub_query in enumerate(batch, start=first):
            others = list(sub_query.wordings)
            self.emit(
                SubQueryAsked(index=index, stage=state.stage, question=sub_query.question, wordings=others)
            )
        asked_at = self.clock()
        await asyncio.sleep(0)  # what was announced goes out before MEMORY is asked
        answers = iter(await recall(self.memory, [text for each in batch for text in all_wordings(each)]))
        latency_ms = round(1000 * (self.clock() - asked_at), 3)
        for index, sub_query in enumerate(batch, start=first):
            said = [_printable(next(answers)) for _ in all_wordings(sub_query)]
            state = self.hear(state, index, sub_query, said, latency_ms)
        return state

    def hear(
        self, state: State, index: int, sub_query: SubQuery, said: list[MemoryAnswer], latency_ms: float
    ) -> State:
        """Take in MEMORY's answers to all wordings of a sub-query."""
        wordings = all_wordings(sub_query)
        voted = vote(wordings, said)
        note = doubt(sub_query, voted.answer)
        exchange = Exchange(
            index=index,
            stage=state.stage,
            question=sub_query.question,
            answer=voted.answer.text,
            confidence=voted.answer.confidence,
            known=voted.answer.known and not note,
            agreement=voted.agreement,
        )
        self.emit(
            MemoryAnswered(
                index=index,
                answer=exchange.answer,
                confidence=exchange.confidence,
                known=exchange.known,
                latency_ms=latency_ms,
                note=note,
                source=voted.answer.source if voted.answer.known else "",
                agreement=voted.agreement,
                said=[
                    WordingAnswered(
                        question=text, answer=each.text, confidence=each.confidence, known=each.known
                    )
                    for text, each in zip(wordings, said, strict=True)
                ]
                if len(said) > 1
                else [],
            )
        )
        return state.with_exchange(exchange)


@dataclass
class _Voice:
    """Gathers the pieces of an answer into events of a readable length."""

    emit: Callable[[AnyData], None]
    clock: Callable[[], float]
    pieces: list[str] = field(default_factory=list)
    restart: bool = False
    since: float = 0.0

    def say(self, text: str, restart: bool) -> None:
        if restart:
            self.pieces, self.restart = [], True
        self.since = self.since or self.clock()
        self.pieces.append(text)
        if sum(map(len, self.pieces)) >= PIECE_LENGTH or self.clock() - self.since >= PIECE_SECONDS:
            self.flush()

    def flush(self) -> None:
        if self.pieces or self.restart:
            self.emit(AnswerToken(text="".join(self.pieces), restart=self.restart))
        self.pieces, self.restart, self.since = [], False, self.clock()


def all_wordings(sub_query: SubQuery) -> tuple[str, ...]:
    """The question and its other wordings, each once."""
    return tuple(dict.fromkeys((sub_query.question, *sub_query.wordings)))


def doubt(sub_query: SubQuery, answer: MemoryAnswer) -> str:
    """Why an answer that MEMORY is sure of is not taken as known; empty where there is no such reason.

    An answer that repeats something of its question, but not whom it asks about, speaks of somebody else. One
    that repeats nothing ("In 2019.") cannot be judged so. Nor is one taken that turns the relation round.
    """
    if not answer.known or answer.text == DONT_KNOW:
        return ""
    if says_it_the_other_way_round(sub_query.question, answer.text):
        return "Not taken as known: the answer says it the other way round."
    missing = missing_mentions(sub_query.question, answer.text, sub_query.mentions)
    repeated = content_words(sub_query.question) & content_words(answer.text)
    if not missing or not repeated:
        return ""
    return f"Not taken as known: the answer does not mention {', '.join(missing)}."


def _printable(answer: MemoryAnswer) -> MemoryAnswer:
    text = printable(answer.text)
    return answer if text == answer.text else replace(answer, text=text)


def _action(decision: Decision) -> Action:
    if decision.answer is not None:
        return "answer" if decision.answer.from_memory else "reply"
    return "ask" if decision.ask else "move_on"


def _ranking(candidates: Sequence[Candidate], note: str) -> CandidatesRanked:
    return CandidatesRanked(
        names=[candidate.name for candidate in candidates if candidate.is_in_play],
        note=note,
        candidates=[candidate.shown() for candidate in candidates],
    )


def _batches(items: Sequence[SubQuery], size: int) -> Iterator[Sequence[SubQuery]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
