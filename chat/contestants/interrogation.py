"""The EXECUTIVE interrogates something that answers as MEMORY does, with accounts of what that takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from chat.contestants.ledger import Ledger
from chat.contestants.lookup import UNKNOWN
from chat.contestants.tokens import count_tokens
from chat.protocol.events import DecisionMade, Event, Failed, FinalAnswer
from chat.protocol.executive import Decision, Executive, Say, Synthesis, Usage
from chat.protocol.state import Budget, State
from chat.protocol.stream import interrogate
from memosite.errors import MemoError
from training.evaluation.types import Answered
from training.memory import Memory, MemoryAnswer, recall

#: US dollars for so many prompt and completion tokens of the EXECUTIVE.
Price = Callable[[int, int], Decimal]


class NoAnswer(MemoError):
    """The interrogation broke off; the message says why."""

    code = "no_answer"
    status = 502


@dataclass(frozen=True)
class Heard:
    """A MEMORY whose answers are counted as they are read, and heard no more once ``token_budget`` is used up."""

    memory: Memory
    token_budget: int
    ledger: Ledger

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        return [self._hear(answer) for answer in self.memory.answer(questions)]

    async def recall(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        return [self._hear(answer) for answer in await recall(self.memory, questions)]

    def _hear(self, answer: MemoryAnswer) -> MemoryAnswer:
        tokens = count_tokens(answer.text)
        if self.ledger.read_tokens + tokens > self.token_budget:
            return UNKNOWN
        self.ledger.read_tokens += tokens
        return answer


class OneWording:
    """An EXECUTIVE whose sub-queries go out in one wording.

    Paraphrases are for the ear of a trained model. A reader would be paid several times for the same passages.
    """

    def __init__(self, executive: Executive) -> None:
        self.name, self.reserve = executive.name, executive.reserve
        self._executive = executive

    async def decide(self, state: State, say: Say) -> Decision:
        decision = await self._executive.decide(state, say)
        return replace(decision, ask=tuple(replace(each, wordings=()) for each in decision.ask))

    async def synthesise(self, state: State, say: Say) -> Synthesis:
        return await self._executive.synthesise(state, say)


async def interrogated(
    question: str, executive: Executive, memory: Memory, budget: Budget, ledger: Ledger, price: Price
) -> Answered:
    """The answer of the three stages, with all that stands in the ledger. Raises NoAnswer where they break off."""
    started = time.monotonic()
    events = [
        event
        async for batch in interrogate(question, executive, memory, budget=budget)
        for event in batch
        if event.type != "heartbeat"
    ]
    final = _final(events)
    own = Usage(final.calls, final.prompt_tokens, final.completion_tokens)
    answered = Answered(
        text=final.text,
        values=tuple(final.values) if final.known else (),
        known=final.known,
        transcript=tuple(event.as_dict() for event in events),
    )
    return accounted(answered, own, ledger, price, started)


def accounted(answered: Answered, own: Usage, ledger: Ledger, price: Price, started: float) -> Answered:
    """An answer with its cost: the EXECUTIVE's ``own`` calls, and those in the ledger."""
    usage = own + ledger.usage
    return replace(
        answered,
        calls=usage.calls,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        read_tokens=ledger.read_tokens,
        cost=float(price(usage.prompt_tokens, usage.completion_tokens) + ledger.cost),
        seconds=time.monotonic() - started,
    )


def _final(events: Sequence[Event]) -> FinalAnswer:
    """The answer that the EXECUTIVE gave. What the chat puts together where it failed is none of its answers."""
    data = events[-1].data if events else None
    if not isinstance(data, FinalAnswer):
        raise NoAnswer(
            data.message if isinstance(data, Failed) else "The interrogation gave no answer. Try again."
        )
    decisions = [event.data for event in events if isinstance(event.data, DecisionMade)]
    if decisions and decisions[-1].problem:
        raise NoAnswer(decisions[-1].problem)
    return data
