"""The contestants: MeMo, the EXECUTIVE alone, and the EXECUTIVE with retrieval in the place of MEMORY."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from chat.contestants.asking import Told, request_for, told
from chat.contestants.excerpts import Excerpt, cut, fitting
from chat.contestants.interrogation import Heard, OneWording, Price, accounted, interrogated
from chat.contestants.ledger import Ledger
from chat.contestants.readers import Reader
from chat.contestants.retrieval import Fixed, RetrievalMemory, Retriever
from chat.language_model.calling import Connect
from chat.protocol.executive import Executive, Usage
from chat.protocol.state import Budget
from training.evaluation.types import Answered, Passage, Question, Unaskable
from training.memory import Memory

RULES_KNOW_NOTHING = (
    "I don't know. The built-in EXECUTIVE knows nothing by itself: without a memory or documents there is nothing "
    "that it could answer from."
)


class NoGoldDocuments(Unaskable):
    """A question does not name documents that are there, so none can be retrieved perfectly."""

    code = "no_gold_documents"


async def made_ready() -> None:
    """The preparation of what needs none."""


@dataclass(frozen=True)
class Lead:
    """An EXECUTIVE as contestants use it: what it may spend on a question, and what its tokens cost.

    ``connect`` gives the language model that it is; None for the built-in rules.
    """

    executive: Executive
    budget: Budget
    price: Price
    connect: Connect | None = None


@dataclass(frozen=True)
class MemoryContestant:
    """MeMo: the EXECUTIVE interrogates a MEMORY in three stages, as in the chat.

    At most ``token_budget`` tokens of answers are heard for one question.
    """

    fingerprint: str
    lead: Lead
    memory: Memory
    token_budget: int

    async def prepare(self) -> None:
        """Nothing: the memory was loaded when this was made."""

    async def answer(self, question: Question) -> Answered:
        ledger = Ledger()
        heard = Heard(self.memory, self.token_budget, ledger)
        lead = self.lead
        return await interrogated(question.text, lead.executive, heard, lead.budget, ledger, lead.price)


@dataclass(frozen=True)
class ClosedBook:
    """The EXECUTIVE alone. A language model answers from its own weights; the built-in rules know nothing."""

    fingerprint: str
    lead: Lead

    async def prepare(self) -> None:
        """Nothing."""

    async def answer(self, question: Question) -> Answered:
        if self.lead.connect is None:
            return Answered(RULES_KNOW_NOTHING)
        return await asked_outright(self.lead.connect, self.lead, "closed_book", question, (), Ledger())


@dataclass(frozen=True)
class RetrievalContestant:
    """The EXECUTIVE with retrieval in the place of MEMORY.

    With ``decompose`` it interrogates in the same three stages: each sub-query is looked up, and ``reader``
    answers it from what is found. Without, what is found for the question as a whole is all that there is to
    read: a language model gets it in one call, the built-in EXECUTIVE takes the question apart over it.
    ``retriever_for`` gives the retriever of a question, ``token_budget`` bounds what is read at once, ``ready`` is
    what the retrievers need before the first question.
    """

    fingerprint: str
    lead: Lead
    retriever_for: Callable[[Question], Retriever]
    reader: Reader
    top: int
    token_budget: int
    decompose: bool
    ready: Callable[[], Awaitable[None]] = made_ready

    async def prepare(self) -> None:
        """Raises what the retrievers' own preparation raises."""
        await self.ready()

    async def answer(self, question: Question) -> Answered:
        lead, ledger = self.lead, Ledger()
        retriever = self.retriever_for(question)
        if not self.decompose:
            started = time.monotonic()
            found = tuple(await retriever.find(question.text, self.top, ledger))
            if lead.connect is not None:
                return await asked_outright(
                    lead.connect,
                    lead,
                    "one_shot",
                    question,
                    fitting(found, self.token_budget),
                    ledger,
                    started,
                )
            retriever = Fixed(found)
        memory = RetrievalMemory(retriever, self.reader, self.top, self.token_budget, ledger)
        executive = OneWording(lead.executive)
        return await interrogated(question.text, executive, memory, lead.budget, ledger, lead.price)


async def asked_outright(
    connect: Connect,
    lead: Lead,
    step: str,
    question: Question,
    excerpts: Sequence[Excerpt],
    ledger: Ledger,
    started: float | None = None,
) -> Answered:
    """A language model's answer in one call, from the excerpts or from what it knows. Raises LLMError."""
    started = time.monotonic() if started is None else started
    ledger.read_tokens += sum(excerpt.tokens for excerpt in excerpts)
    reply = await told(connect, request_for(step, question.text, excerpts), ledger, lead.budget.seconds)
    return accounted(_answered(reply), Usage(), ledger, lead.price, started)


def _answered(reply: Told) -> Answered:
    text = reply.answer.strip()
    if not reply.known:
        return Answered(text or "I don't know.")
    values = tuple(dict.fromkeys(value.strip() for value in reply.values if value.strip()))
    return Answered(text or ", ".join(values), values or (text,), known=True)


def gold(question: Question, passages: Sequence[Passage]) -> Fixed:
    """Retrieval that finds the documents which a question names, whole, and no others.

    Distractors are none of them, whatever their title. For a question that is not answerable it may find none.
    Raises NoGoldDocuments.
    """
    wanted = set(question.documents)
    named = [passage for passage in passages if passage.title in wanted and not passage.is_noise]
    found = cut(named, "article")
    missing = wanted - {excerpt.title for excerpt in found}
    if missing:
        names = ", ".join(f"“{title}”" for title in sorted(missing))
        raise NoGoldDocuments(
            f"The question names documents that are not there: {names}. Give the titles as they are in the corpus."
        )
    if question.answerable and not found:
        raise NoGoldDocuments(
            "The question does not say which documents hold its answer, so none can be retrieved perfectly. Add "
            "their titles to the question, or leave this contestant out."
        )
    return Fixed(found)
