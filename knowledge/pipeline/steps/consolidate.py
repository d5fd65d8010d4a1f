"""Step 2: facts of one passage that share an entity, a period or a relation become multi-fact questions."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.pipeline.candidates import Candidate
from knowledge.pipeline.prompts import prompt
from knowledge.pipeline.replies import DerivedItem
from knowledge.pipeline.steps.derive import derive, numbered
from knowledge.pipeline.types import Kind
from memosite.llm import LLM, Reply

STEP = "consolidate"


async def consolidate(
    facts: Sequence[Candidate], llm: LLM
) -> tuple[list[Candidate], Reply[DerivedItem] | None]:
    """Merged pairs of a passage's direct and indirect facts. Fewer than two facts need no call."""
    if len(facts) < 2:
        return [], None
    return await derive(facts, numbered(facts), STEP, prompt(STEP), Kind.CONSOLIDATED, llm)
