""" "I don't know" pairs, our addition to the method: plausible questions that the corpus does not answer.

The EXECUTIVE lives on a MEMORY that says honestly what it does not know. Questions are proposed for a bundle of
passages, then checked against every passage of the corpus that tells of what they ask about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from knowledge.pipeline.candidates import Candidate, Source
from knowledge.pipeline.prompts import prompt
from knowledge.pipeline.replies import Answered, OpenQuestion
from knowledge.pipeline.types import DONT_KNOW, Kind, Origin, Span
from memosite.llm import LLM, Request

PROPOSE, CHECK = "open_questions", "answered"
#: Finds the passages of the whole corpus that might answer a question about a name, the likeliest first.
Lookup = Callable[[str, str], Sequence[Source]]


async def leave_open(sources: Sequence[Source], lookup: Lookup, llm: LLM) -> list[Candidate]:
    """Questions about what the passages name that no passage of the corpus answers. Raises LLMError."""
    asked = prompt(PROPOSE)
    listing = "\n\n".join(source.as_prompt(f"P{number}") for number, source in enumerate(sources, start=1))
    reply = await llm.ask(Request(PROPOSE, asked.version, asked.text, listing, "questions", OpenQuestion))
    homes = [(item, home) for item in reply.items if (home := _home(item, sources))]
    origin = Origin(PROPOSE, asked.version, reply.model, reply.call)
    answered = await _answered([item for item, _ in homes], lookup, llm)
    return [
        _candidate(item, home, origin)
        for number, (item, home) in enumerate(homes, start=1)
        if not answered.get(number, True)
    ]


def _home(item: OpenQuestion, sources: Sequence[Source]) -> Source | None:
    """The passage that names what the question is about; a name that nobody mentions gives no pair."""
    name = item.entity.strip().casefold()
    if not name or name not in item.question.casefold():
        return None
    return next(
        (source for source in sources if name in f"{source.title}\n{source.passage.text}".casefold()), None
    )


async def _answered(questions: Sequence[OpenQuestion], lookup: Lookup, llm: LLM) -> Mapping[int, bool]:
    """By the question's number, whether any passage that might answer it does."""
    if not questions:
        return {}
    found = [source for item in questions for source in lookup(item.question, item.entity)]
    passages = list({source.passage.id: source for source in found}.values())
    texts = [source.as_prompt(f"P{number}") for number, source in enumerate(passages, start=1)]
    lines = [f"{number}. {item.question}" for number, item in enumerate(questions, start=1)]
    asked = prompt(CHECK)
    listing = "\n\n".join([*texts, "\n".join(["Questions", *lines])])
    reply = await llm.ask(Request(CHECK, asked.version, asked.text, listing, "verdicts", Answered))
    return {verdict.question: verdict.is_answered for verdict in reply.items}


def _candidate(item: OpenQuestion, home: Source, origin: Origin) -> Candidate:
    name, text = item.entity.strip(), home.passage.text
    start = text.casefold().find(name.casefold())
    span = (start, start + len(name)) if start >= 0 else (0, len(text))  # only the title names it
    spans = (Span(home.passage.id, *span),)
    return Candidate((item.question,), DONT_KNOW, Kind.UNANSWERABLE, spans, origin, name)
