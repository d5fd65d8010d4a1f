"""Step 4: look-ups whose answer is a name, against the reversal curse. The name never stands in the question."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.pipeline.candidates import Candidate
from knowledge.pipeline.prompts import prompt
from knowledge.pipeline.replies import DerivedItem
from knowledge.pipeline.steps.derive import derive, names_entity, numbered
from knowledge.pipeline.types import Kind
from memosite.llm import LLM, Reply

STEP = "surface"


async def surface(facts: Sequence[Candidate], llm: LLM) -> tuple[list[Candidate], Reply[DerivedItem] | None]:
    """Reverse look-ups by one and more facts of a document. Questions that give the name away are left out."""
    if not facts:
        return [], None
    made, reply = await derive(facts, numbered(facts), STEP, prompt(STEP), Kind.ENTITY, llm)
    return [candidate for candidate in made if candidate.entity and not names_entity(candidate)], reply
