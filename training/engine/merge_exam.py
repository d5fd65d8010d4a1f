"""How much of what each parent knows is left in a merged MEMORY: the same questions to both."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from training.engine.abstention import Abstention
from training.engine.artifact import PAIRS, Manifest
from training.engine.batches import Curriculum
from training.engine.config import EngineConfig
from training.engine.decode import Decoder
from training.engine.encode import Encoder
from training.engine.errors import Interrupted
from training.engine.evaluate import (
    Asked,
    Question,
    ask,
    is_answered,
    known_questions,
    share,
    unknown_questions,
)
from training.engine.events import EVENT_SECONDS, Event
from training.engine.measure import Stop
from training.engine.pairs import Pair, Split, kept_pairs, normalised
from training.engine.words import Lexicon

MOST = 300  # questions of each kind
KINDS = ("trained", "held_out", "unknown")


@dataclass(frozen=True)
class Exam:
    """What one parent is asked, and the merged MEMORY after it. Questions by kind; ``unknown`` have no answer."""

    name: str
    questions: dict[str, list[Question]]

    def __len__(self) -> int:
        return sum(map(len, self.questions.values()))


def joined(splits: Sequence[Split]) -> Split:
    """What all parents learned. A question is there once: the first parent's answer counts.

    A wording is held out where no parent was trained on it.
    """
    trained, seen = _once((pair for split in splits for pair in split.trained), set())
    held_out, _ = _once((pair for split in splits for pair in split.held_out), seen)
    return Split(*_numbered(trained, held_out))


def _once(pairs: Iterable[Pair], seen: set[str]) -> tuple[list[Pair], set[str]]:
    found, seen = [], set(seen)
    for pair in pairs:
        question = normalised(pair.question)
        if question not in seen:
            found.append(pair)
            seen.add(question)
    return found, seen


def _numbered(*parts: Sequence[Pair]) -> Iterator[tuple[Pair, ...]]:
    """The pairs with ids of their own: two parents may have used the same one."""
    used: set[str] = set()
    for part in parts:
        pairs = []
        for pair in part:
            name = pair.id if pair.id not in used else f"{pair.id}-{len(used)}"
            used.add(name)
            pairs.append(Pair(name, pair.question, pair.answer, pair.fact))
        yield tuple(pairs)
    yield ()  # nothing is left out


def measuring_config(manifest: Manifest) -> EngineConfig:
    """What the measurement takes from a version's own configuration; the defaults where it says nothing."""
    told = manifest.get("config") or {}
    fields = ("seed", "false_refusals", "evaluation_sample")
    return EngineConfig(bpe_dropout=0.0, **{key: told[key] for key in fields if told.get(key) is not None})


def curriculum_of(split: Split, encoder: Encoder, config: EngineConfig) -> Curriculum:
    """What draws questions that the pairs do not answer."""
    return Curriculum(split.trained, encoder, Lexicon(split.trained), config)


def set_exam(name: str, split: Split, everything: Split, encoder: Encoder, config: EngineConfig) -> Exam:
    """The questions of one parent. None counts as unknown that another parent was taught."""
    random = Random(f"exam:{config.seed}")  # noqa: S311 - not for secrets
    taught = {normalised(pair.question) for pair in (*everything.trained, *everything.held_out)}
    drawn = unknown_questions(curriculum_of(split, encoder, config), random)
    unknown = [one for group in drawn.values() for one in group if normalised(one[0]) not in taught]
    parts = (known_questions(split.trained), known_questions(split.held_out), unknown)
    return Exam(
        name,
        {kind: random.sample(part, min(len(part), MOST)) for kind, part in zip(KINDS, parts, strict=True)},
    )


def take(
    exam: Exam, decoder: Decoder, abstention: Abstention, stop: Stop, heard: Callable[[int], Event]
) -> Generator[Event, None, dict[str, Any]]:
    """Put an exam to a model. Shares lie in [0, 1], and are None where there was no such question.

    Yields what ``heard`` makes of the number of questions answered since its last call. Raises Interrupted when
    ``stop`` returns true.
    """
    flat = [(kind, question) for kind, part in exam.questions.items() for question in part]
    answered: dict[str, list[Asked]] = {kind: [] for kind in KINDS}
    told, since = time.monotonic(), 0
    for place, one in ask(decoder, [question for _, question in flat]):
        answered[flat[place][0]].append(one)
        since += 1
        if stop():
            raise Interrupted("Stopped while evaluating; the same command goes on from there.")
        if time.monotonic() - told >= EVENT_SECONDS:
            yield heard(since)
            told, since = time.monotonic(), 0
    yield heard(since)
    return graded(answered, abstention)


def graded(answered: dict[str, list[Asked]], abstention: Abstention) -> dict[str, Any]:
    """An answer counts where it is exact and the abstention lets it stand; any answer to the unknown is false."""
    figures: dict[str, Any] = {}
    for kind, name in (("trained", "trained_recall"), ("held_out", "held_out_recall")):
        figures[name] = share(one.is_exact and is_answered(abstention, one) for one in answered[kind])
        figures[f"{kind}_questions"] = len(answered[kind])
    figures["false_answer_rate"] = share(is_answered(abstention, one) for one in answered["unknown"])
    figures["unknown_questions"] = len(answered["unknown"])
    return figures


def pairs_of(folder: Path) -> Split:
    return kept_pairs(folder / PAIRS)
