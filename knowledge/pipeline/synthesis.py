"""The five steps in order with a language model: steps 1 to 4 on a bundle of passages, step 5 on groups.

Bundles do not depend on each other and overlap; within one, calls run side by side wherever a step allows it.
A document for which the model fails is reported as a ``Failure`` and takes no other document with it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from knowledge.pipeline.candidates import Candidate, Source
from knowledge.pipeline.steps.consolidate import consolidate
from knowledge.pipeline.steps.extract import extract_direct, extract_indirect
from knowledge.pipeline.steps.leave_open import CHECK, PROPOSE, Lookup, leave_open
from knowledge.pipeline.steps.surface import surface
from knowledge.pipeline.steps.synthesize import Group, synthesize
from knowledge.pipeline.steps.verify import STEP as VERIFY
from knowledge.pipeline.steps.verify import Verified, verify
from knowledge.pipeline.types import Kind
from memosite.llm import LLM, LLMError, Reply

#: A bundle shares the calls that check its pairs: so many passages, and so many characters, at most.
BUNDLE_PASSAGES = 4
BUNDLE_CHARACTERS = 5000


@dataclass(frozen=True)
class Failure:
    """A step that did not succeed, or not in full, on a document; ``passages`` where it is known which."""

    document_id: int
    step: str
    error: str
    passages: tuple[int, ...] = ()


@dataclass
class Synthesis:
    """What came of a unit of work. ``facts`` are the verified pairs of steps 1 and 2, which step 5 builds on."""

    candidates: list[Candidate] = field(default_factory=list)
    facts: list[Candidate] = field(default_factory=list)
    discarded: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)


def make_bundles(sources: Iterable[Source]) -> list[list[Source]]:
    """Passages in their order, cut into bundles."""
    bundles: list[list[Source]] = []
    size = 0
    for source in sources:
        length = len(source.passage.text)
        full = bundles and len(bundles[-1]) >= BUNDLE_PASSAGES
        if not bundles or full or size + length > BUNDLE_CHARACTERS:
            bundles.append([])
            size = 0
        bundles[-1].append(source)
        size += length
    return bundles


async def reflect_on_bundle(sources: Sequence[Source], lookup: Lookup, llm: LLM) -> Synthesis:
    """Steps 1 to 4 on some passages, and the questions that they leave open."""
    made = Synthesis()
    by_id = {source.passage.id: source for source in sources}
    still_open = asyncio.ensure_future(_leave_open(sources, lookup, llm, made))
    try:
        drafts = await asyncio.gather(*(_facts_of(source, llm, made) for source in sources))
        checked = await verify(list(chain.from_iterable(drafts)), by_id, llm)
        _note(checked, by_id, made)
        made.facts = checked.kept
        looked_up = await asyncio.gather(
            *(
                _surface(document, facts, llm, made)
                for document, facts in _by_document(made.facts, by_id).items()
            )
        )
        surfaced = await verify(list(chain.from_iterable(looked_up)), by_id, llm)
        _note(surfaced, by_id, made)
        made.candidates = [*made.facts, *surfaced.kept, *await still_open]
    finally:
        still_open.cancel()
    return made


async def reflect_on_groups(groups: Sequence[Group], sources: Mapping[int, Source], llm: LLM) -> Synthesis:
    """Step 5 on some groups of documents; ``sources`` holds the passages of all their facts."""
    made = Synthesis()
    drafts = await asyncio.gather(*(_synthesize(group, llm, made) for group in groups))
    checked = await verify(list(chain.from_iterable(drafts)), sources, llm)
    _note(checked, sources, made)
    made.candidates = checked.kept
    return made


# -- steps that report their failures ---------------------------------------------------------------------------
async def _facts_of(source: Source, llm: LLM, made: Synthesis) -> list[Candidate]:
    """Steps 1 and 2 on one passage: both passes of step 1 at once."""
    home = [Failure(source.document_id, "", "", (source.passage.id,))]
    direct, indirect = await asyncio.gather(
        _reported(extract_direct(source, llm), Kind.DIRECT.value, home, made),
        _reported(extract_indirect(source, llm), Kind.INDIRECT.value, home, made),
    )
    facts = [*direct, *indirect]
    return [*facts, *await _reported(consolidate(facts, llm), "consolidate", home, made)]


async def _surface(document: int, facts: Sequence[Candidate], llm: LLM, made: Synthesis) -> list[Candidate]:
    return await _reported(surface(facts, llm), "surface", [Failure(document, "", "")], made)


async def _synthesize(group: Group, llm: LLM, made: Synthesis) -> list[Candidate]:
    documents = dict.fromkeys(each.document_id for each in group.facts)
    homes = [Failure(document, "", "") for document in documents]
    return await _reported(synthesize(group, llm), "synthesize", homes, made)


async def _leave_open(
    sources: Sequence[Source], lookup: Lookup, llm: LLM, made: Synthesis
) -> list[Candidate]:
    """Open questions of a bundle; where the model fails on it, of each passage by itself."""
    try:
        outcome = await leave_open(sources, lookup, llm)
        made.failures += [_failure(each, CHECK, error) for each, error in outcome.failed]
        return outcome.candidates
    except LLMError as error:
        if len(sources) == 1:
            made.failures.append(_failure(sources[0], PROPOSE, str(error)))
            return []
    alone = await asyncio.gather(*(_leave_open([source], lookup, llm, made) for source in sources))
    return list(chain.from_iterable(alone))


async def _reported(
    work: Awaitable[tuple[list[Candidate], Reply[Any] | None]],
    step: str,
    homes: Sequence[Failure],
    made: Synthesis,
) -> list[Candidate]:
    """The candidates of a step; what it failed on, or lost, is noted for each of ``homes``."""
    try:
        candidates, reply = await work
    except LLMError as error:
        made.failures += [replace(home, step=step, error=str(error)) for home in homes]
        return []
    if reply and not reply.is_complete:
        lost = "was cut off" if reply.is_cut else f"held {reply.lost} unusable items"
        kept = (
            f"The model's reply {lost}; {len(candidates)} pairs of it were kept. Retry, or raise max tokens."
        )
        made.failures += [replace(home, step=step, error=kept) for home in homes]
    return candidates


def _note(checked: Verified, sources: Mapping[int, Source], made: Synthesis) -> None:
    """Add what a verification discarded and failed on."""
    made.discarded.update(checked.discarded)
    for candidate, error in checked.failed:
        for passage in dict.fromkeys(span.passage_id for span in candidate.spans):
            failure = _failure(sources[passage], VERIFY, error)
            if failure not in made.failures:
                made.failures.append(failure)


def _failure(source: Source, step: str, error: str) -> Failure:
    return Failure(source.document_id, step, error, (source.passage.id,))


def _by_document(facts: Iterable[Candidate], sources: Mapping[int, Source]) -> dict[int, list[Candidate]]:
    found: dict[int, list[Candidate]] = defaultdict(list)
    for fact in facts:
        found[sources[fact.spans[0].passage_id].document_id].append(fact)
    return found
