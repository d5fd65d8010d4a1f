""" "I don't know" pairs, our addition to the method: plausible questions that the corpus does not answer.

The EXECUTIVE lives on a MEMORY that says honestly what it does not know. Questions are proposed for a bundle of
passages, then checked against every passage of the corpus that tells of what they ask about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from knowledge.pipeline.candidates import Candidate, Source
from knowledge.pipeline.prompts import prompt
from knowledge.pipeline.replies import Answered, OpenQuestion
from knowledge.pipeline.types import DONT_KNOW, Kind, Origin, Span
from memosite.llm import LLM, LLMError, Request

PROPOSE, CHECK = "open_questions", "answered"
#: Finds the passages of the whole corpus that might answer a question about a name, the likeliest first.
Lookup = Callable[[str, str], Sequence[Source]]


@dataclass
class LeftOpen:
    """Open questions, and the passages that the model failed on when it was to check them, with the reason."""

    candidates: list[Candidate] = field(default_factory=list)
    failed: list[tuple[Source, str]] = field(default_factory=list)


async def leave_open(sources: Sequence[Source], lookup: Lookup, llm: LLM) -> LeftOpen:
    """Questions about what the passages name that no passage of the corpus answers.

    Raises LLMError where no questions were proposed. A question that could not be checked is left out.
    """
    asked = prompt(PROPOSE)
    listing = "\n\n".join(source.as_prompt(f"P{number}") for number, source in enumerate(sources, start=1))
    reply = await llm.ask(Request(PROPOSE, asked.version, asked.text, listing, "questions", OpenQuestion))
    homes = [(item, home) for item in reply.items if (home := _home(item, sources))]
    origin = Origin(PROPOSE, asked.version, reply.model, reply.call)
    found = {item.question: lookup(item.question, item.entity) for item, _ in homes}
    outcome = LeftOpen()
    still_open = await _still_open(found, llm, outcome)
    outcome.candidates = [
        _candidate(item, home, origin) for item, home in homes if item.question in still_open
    ]
    return outcome


def _home(item: OpenQuestion, sources: Sequence[Source]) -> Source | None:
    """The passage that names what the question is about; a name that nobody mentions gives no pair."""
    name = item.entity.strip().casefold()
    if not name or name not in item.question.casefold():
        return None
    return next(
        (source for source in sources if name in f"{source.title}\n{source.passage.text}".casefold()), None
    )


async def _still_open(found: Mapping[str, Sequence[Source]], llm: LLM, outcome: LeftOpen) -> set[str]:
    """The questions that none of the passages found for them answers."""
    questions = list(found)
    passages = list({source.passage.id: source for those in found.values() for source in those}.values())
    if not questions:
        return set()
    try:
        return set(questions) - await _answered(questions, passages, llm)
    except LLMError as error:
        if len(passages) == 1:
            outcome.failed.append((passages[0], str(error)))
            return set()
    # One bad passage must not take the others with it: each is asked by itself.
    alone = await asyncio.gather(
        *(_still_open({q: [each] for q in questions if each in found[q]}, llm, outcome) for each in passages)
    )
    by_passage = dict(zip((each.passage.id for each in passages), alone, strict=True))
    return {q for q in questions if all(q in by_passage[each.passage.id] for each in found[q])}


async def _answered(questions: Sequence[str], passages: Sequence[Source], llm: LLM) -> set[str]:
    """The questions that the passages answer, and those without a verdict. Raises LLMError."""
    texts = [source.as_prompt(f"P{number}") for number, source in enumerate(passages, start=1)]
    lines = [f"{number}. {question}" for number, question in enumerate(questions, start=1)]
    asked = prompt(CHECK)
    listing = "\n\n".join([*texts, "\n".join(["Questions", *lines])])
    reply = await llm.ask(Request(CHECK, asked.version, asked.text, listing, "verdicts", Answered))
    verdicts = {verdict.question: verdict.is_answered for verdict in reply.items}
    return {question for number, question in enumerate(questions, start=1) if verdicts.get(number, True)}


def _candidate(item: OpenQuestion, home: Source, origin: Origin) -> Candidate:
    name, text = item.entity.strip(), home.passage.text
    start = text.casefold().find(name.casefold())
    span = (start, start + len(name)) if start >= 0 else (0, len(text))  # only the title names it
    spans = (Span(home.passage.id, *span),)
    return Candidate((item.question,), DONT_KNOW, Kind.UNANSWERABLE, spans, origin, name)
