"""Step 3: each pair has to be self-contained and supported by its source; many pairs are checked in one call.

A pair that fails is rewritten with its passage at hand and checked again, ``ROUNDS`` times at most, then
discarded. The check of faithfulness is our addition to the method.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from knowledge.pipeline.candidates import Candidate, Source, wordings
from knowledge.pipeline.prompts import prompt
from knowledge.pipeline.replies import Verdict
from knowledge.pipeline.steps.derive import names_entity
from knowledge.pipeline.types import Kind
from memosite.llm import LLM, LLMError, Request

STEP = "verify"
ROUNDS = 3
#: Pairs in one call: enough to share the fixed text and the passages, few enough for a reply in full.
BATCH = 40
OTHER_WORDINGS = 2
LOOK_UPS = (Kind.ENTITY, Kind.CROSS_DOCUMENT)
Sources = Mapping[int, Source]  # by the passage's id


@dataclass
class Verified:
    """What came of a verification: the pairs kept, how many were discarded for which reason, and what failed."""

    kept: list[Candidate] = field(default_factory=list)
    discarded: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[Candidate, str]] = field(default_factory=list)


async def verify(candidates: Sequence[Candidate], sources: Sources, llm: LLM) -> Verified:
    """Check pairs against the passages that their spans point at. A pair without a span is unsupported.

    Raises nothing of the model's making: pairs that could not be checked are in ``failed``, with the reason.
    """
    outcome = Verified()
    waiting: list[Candidate] = []
    for candidate in candidates:
        if candidate.spans:
            waiting.append(candidate)
        else:
            outcome.discarded["unsupported"] += 1
    for _ in range(ROUNDS):
        batches = (waiting[start : start + BATCH] for start in range(0, len(waiting), BATCH))
        undecided = await asyncio.gather(*(_check(batch, sources, llm, outcome) for batch in batches))
        waiting = list(chain.from_iterable(undecided))
        if not waiting:
            break
    outcome.discarded["ambiguous"] += len(waiting)
    outcome.discarded = +outcome.discarded
    return outcome


async def _check(
    batch: Sequence[Candidate], sources: Sources, llm: LLM, outcome: Verified
) -> list[Candidate]:
    """Judge a batch, halved as often as need be where the model fails; returns what has to be judged again."""
    asked = prompt(STEP)
    try:
        reply = await llm.ask(
            Request(STEP, asked.version, asked.text, _listing(batch, sources), "verdicts", Verdict)
        )
    except LLMError as error:
        return await _halve(batch, sources, llm, outcome, str(error))
    verdicts = {verdict.pair: verdict for verdict in reply.items}
    missing = [batch[number - 1] for number in range(1, len(batch) + 1) if number not in verdicts]
    again: list[Candidate] = []
    for number, candidate in enumerate(batch, start=1):
        if verdict := verdicts.get(number):
            again += _apply(verdict, candidate, outcome)
    if 0 < len(missing) < len(batch):
        again += await _check(missing, sources, llm, outcome)
    elif missing:
        again += await _halve(missing, sources, llm, outcome, "The verifier gave no verdict on the pair.")
    return again


async def _halve(
    batch: Sequence[Candidate], sources: Sources, llm: LLM, outcome: Verified, error: str
) -> list[Candidate]:
    """One bad pair must not take the others with it."""
    if len(batch) == 1:
        outcome.failed.append((batch[0], error))
        return []
    middle = len(batch) // 2
    return [
        *await _check(batch[:middle], sources, llm, outcome),
        *await _check(batch[middle:], sources, llm, outcome),
    ]


def _apply(verdict: Verdict, candidate: Candidate, outcome: Verified) -> list[Candidate]:
    if verdict.verdict == "keep":
        outcome.kept.append(candidate)
        return []
    if verdict.verdict == "rewrite" and verdict.question.strip() and verdict.answer.strip():
        questions = wordings(verdict.question, verdict.other_wordings, at_most=OTHER_WORDINGS)
        rewritten = replace(candidate, questions=questions, answer=verdict.answer.strip())
        if candidate.kind not in LOOK_UPS or not names_entity(rewritten):
            return [rewritten]
    outcome.discarded[verdict.reason or "ambiguous"] += 1
    return []


def _listing(batch: Sequence[Candidate], sources: Sources) -> str:
    """The passages, once each, and the pairs with the labels of theirs."""
    passages = list(dict.fromkeys(span.passage_id for candidate in batch for span in candidate.spans))
    label = {passage: f"P{number}" for number, passage in enumerate(passages, start=1)}
    texts = [sources[passage].as_prompt(label[passage]) for passage in passages]
    lines = [_line(number, candidate, label.__getitem__) for number, candidate in enumerate(batch, start=1)]
    return "\n\n".join([*texts, "\n".join(["Pairs", *lines])])


def _line(number: int, candidate: Candidate, label: Callable[[int], str]) -> str:
    labels = ", ".join(dict.fromkeys(label(span.passage_id) for span in candidate.spans))
    hidden = f" (not in the question: {candidate.entity})" if _hides_a_name(candidate) else ""
    asked = " | ".join(candidate.questions)
    return f"{number}. [{labels}]{hidden} Q: {asked} A: {candidate.answer}"


def _hides_a_name(candidate: Candidate) -> bool:
    return candidate.kind in LOOK_UPS and bool(candidate.entity)
