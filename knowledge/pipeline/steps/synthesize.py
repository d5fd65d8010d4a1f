"""Step 5: pairs that need several documents: converging clues and parallel properties."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.pipeline.candidates import Candidate
from knowledge.pipeline.prompts import prompt
from knowledge.pipeline.replies import DerivedItem
from knowledge.pipeline.steps.derive import derive, names_entity
from knowledge.pipeline.types import Kind
from memosite.llm import LLM, Reply

STEP = "synthesize"


@dataclass(frozen=True)
class GroupFact:
    """A fact with the document that tells it."""

    document_id: int
    fact: Candidate


@dataclass(frozen=True)
class Group:
    """Documents that share ``names``, by the facts in which these names occur."""

    names: tuple[str, ...]
    facts: tuple[GroupFact, ...]


async def synthesize(group: Group, llm: LLM) -> tuple[list[Candidate], Reply[DerivedItem]]:
    """Pairs of a group of documents. What one document alone supports is left out: it was made before."""
    facts = [each.fact for each in group.facts]
    made, reply = await derive(facts, _listing(group), STEP, prompt(STEP), Kind.CROSS_DOCUMENT, llm)
    home = {span.passage_id: each.document_id for each in group.facts for span in each.fact.spans}
    across = [made_of for made_of in made if len({home[span.passage_id] for span in made_of.spans}) > 1]
    return [candidate for candidate in across if not names_entity(candidate)], reply


def _listing(group: Group) -> str:
    """The facts as the prompt lists them, each with a number and its document's letter."""
    documents = list(dict.fromkeys(each.document_id for each in group.facts))
    lines = [
        f"{number}. [{_letter(documents.index(each.document_id))}] {each.fact.question} {each.fact.answer}"
        for number, each in enumerate(group.facts, start=1)
    ]
    return "\n".join([f"Names shared: {'; '.join(group.names)}", *lines])


def _letter(index: int) -> str:
    """A, B ... Z, AA, AB ..."""
    return (_letter(index // 26 - 1) if index >= 26 else "") + chr(ord("A") + index % 26)
