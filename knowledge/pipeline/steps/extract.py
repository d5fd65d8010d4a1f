"""Step 1: what a passage states (direct), and what follows from it (indirect). Two passes over each passage."""

from __future__ import annotations

from knowledge.pipeline.candidates import Candidate, Source, wordings
from knowledge.pipeline.evidence import find_spans
from knowledge.pipeline.prompts import prompt
from knowledge.pipeline.replies import FactItem
from knowledge.pipeline.types import Kind, Origin
from memosite.llm import LLM, Reply, Request

OTHER_WORDINGS = 2


async def extract_direct(source: Source, llm: LLM) -> tuple[list[Candidate], Reply[FactItem]]:
    """Every fact that the passage states, minor ones included, relations in both directions."""
    return await _extract(source, Kind.DIRECT, llm)


async def extract_indirect(source: Source, llm: LLM) -> tuple[list[Candidate], Reply[FactItem]]:
    """Facts that need several statements of the passage: ages, durations, chains of actions, absolute dates."""
    return await _extract(source, Kind.INDIRECT, llm)


async def _extract(source: Source, kind: Kind, llm: LLM) -> tuple[list[Candidate], Reply[FactItem]]:
    asked = prompt(kind.value)
    request = Request(kind.value, asked.version, asked.text, source.as_prompt(), "pairs", FactItem)
    reply = await llm.ask(request)
    origin = Origin(kind.value, asked.version, reply.model, reply.call)
    return [_candidate(item, source, kind, origin) for item in reply.items], reply


def _candidate(item: FactItem, source: Source, kind: Kind, origin: Origin) -> Candidate:
    return Candidate(
        questions=wordings(item.question, item.other_wordings, at_most=OTHER_WORDINGS),
        answer=item.answer,
        kind=kind,
        spans=find_spans(item.evidence, [source.passage]),
        origin=origin,
        entity=item.entities[0] if item.entities else "",
        entities=tuple(item.entities),
    )
