"""What steps 2, 4 and 5 have in common: pairs made of numbered facts, which inherit the facts' sources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from knowledge.pipeline.candidates import Candidate, united, wordings
from knowledge.pipeline.prompts import Prompt
from knowledge.pipeline.replies import DerivedItem
from knowledge.pipeline.types import Kind, Origin
from memosite.llm import LLM, Reply, Request

OTHER_WORDINGS = 1


async def derive(
    facts: Sequence[Candidate], listing: str, step: str, asked: Prompt, kind: Kind, llm: LLM
) -> tuple[list[Candidate], Reply[DerivedItem]]:
    """Pairs that the model makes of ``facts``, which ``listing`` shows it under the numbers 1, 2, 3 ...

    A pair that names facts which are not there has no source and is left out.
    """
    reply = await llm.ask(Request(step, asked.version, asked.text, listing, "pairs", DerivedItem))
    origin = Origin(step, asked.version, reply.model, reply.call)
    made = (_candidate(item, facts, kind, origin) for item in reply.items)
    return [candidate for candidate in made if candidate], reply


def numbered(facts: Iterable[Candidate]) -> str:
    """Facts as a prompt lists them."""
    return "\n".join(f"{number}. {fact.question} {fact.answer}" for number, fact in enumerate(facts, start=1))


def names_entity(candidate: Candidate) -> bool:
    """Whether a question of a look-up gives away the name that it asks for."""
    name = candidate.entity.strip()
    if not name:
        return False
    pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    return any(pattern.search(question) for question in candidate.questions)


def _candidate(item: DerivedItem, facts: Sequence[Candidate], kind: Kind, origin: Origin) -> Candidate | None:
    if not item.facts or not all(1 <= number <= len(facts) for number in item.facts):
        return None
    used = [facts[number - 1] for number in dict.fromkeys(item.facts)]
    names = dict.fromkeys(name for fact in used for name in fact.entities)
    return Candidate(
        questions=wordings(item.question, item.other_wordings, at_most=OTHER_WORDINGS),
        answer=item.answer,
        kind=kind,
        spans=united(span for fact in used for span in fact.spans),
        origin=origin,
        entity=item.entity.strip(),
        entities=tuple(names),
    )
