"""Going on from a version: which pairs are new to it, and which of its own it is taught once more.

Every version keeps the pairs that it knows in its folder, those of the version that it continues included.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from knowledge.models import Corpus, Reflection
from training.engine.artifact import MANIFEST, PAIRS, is_complete, is_from_scratch
from training.engine.card import ADAPTER
from training.engine.config import EngineConfig
from training.engine.pairs import Pair, Split, kept_pairs, lot, normalised
from training.engine.recipes import recipe_values
from training.models import MemoryVersion, VersionKind, pair_digest

#: A continued training takes smaller steps than the first one: what is known shall move little.
CONTINUED_RATE = 0.5
#: What a version's model, tokenizer and base decide, and no later training of it can.
FIXED = (
    "size",
    "hidden_size",
    "feed_forward_size",
    "layers",
    "heads",
    "vocabulary_size",
    "tokenizer",
    "method",
)
_NOT_INHERITED = ("base", "revision", "init", "tokenizer", "full_rate_steps", "precision")


@dataclass(frozen=True)
class Lesson:
    """What a version is to be taught: pairs that are new to it, and a sample of those that it knows."""

    new: tuple[Pair, ...]
    replayed: tuple[Pair, ...]

    def __iter__(self) -> Iterator[Pair]:
        yield from (*self.new, *self.replayed)


@dataclass(frozen=True)
class Continued:
    """A version as what a training starts from."""

    version: MemoryVersion

    @property
    def is_here(self) -> bool:
        """Whether its weights are on this machine."""
        return is_complete(self.version.folder)

    @cached_property
    def known(self) -> Split:
        """The pairs that it knows; none where they did not come with it."""
        file = self.version.folder / PAIRS
        return kept_pairs(file) if file.exists() else Split((), (), ())

    @cached_property
    def values(self) -> dict[str, Any]:
        """The settings that a continued training starts from: those of its version."""
        is_adapter = (self.version.folder / ADAPTER).exists()
        values = recipe_values("lora" if is_adapter else "from-scratch" if self._is_from_scratch else "full")
        # What a merged or imported version was trained with is not known, or not what made it.
        told = self.version.config if self.version.kind == VersionKind.TRAINED else {}
        values |= {
            key: told[key] for key in EngineConfig.model_fields if key in told and key not in _NOT_INHERITED
        }
        if not told.get("init"):
            values["learning_rate"] = CONTINUED_RATE * values.get("learning_rate", _default_rate())
        return values | {"init": str(self.version.folder)}

    @property
    def _is_from_scratch(self) -> bool:
        try:
            manifest = json.loads((self.version.folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            base = self.version.base_model
            return base.is_built_in if base else self.version.kind == VersionKind.TRAINED
        return is_from_scratch(manifest)

    def lesson(self, corpus: Corpus, replay_share: float, seed: int) -> Lesson:
        """What there is to learn in the corpus, and a share of the trained pairs to keep alive.

        A question counts once, with its first answer. Nothing is replayed that curators have since taken back, or
        that is answered otherwise now.
        """
        seen = {
            pair_digest(pair.question, pair.answer) for pair in (*self.known.trained, *self.known.held_out)
        }
        answers: dict[str, Pair] = {}
        for pair in trainable_pairs(corpus):
            answers.setdefault(normalised(pair.question), pair)
        new = tuple(pair for pair in answers.values() if pair_digest(pair.question, pair.answer) not in seen)
        taught = {normalised(pair.question) for pair in new}
        standing = [pair for pair in self._standing(corpus) if normalised(pair.question) not in taught]
        drawn = sorted(standing, key=lambda pair: lot(seed, "replay", pair.question))
        return Lesson(new, tuple(_apart(drawn[: round(replay_share * len(standing))], new)))

    def _standing(self, corpus: Corpus) -> list[Pair]:
        """What it was trained on and what still holds."""
        here = {str(pk) for pk in corpus.reflections.values_list("pk", flat=True)}
        holds = {str(pk) for pk in corpus.reflections.trainable().values_list("pk", flat=True)}
        elsewhere = self.version.kind != VersionKind.TRAINED or self.version.other_corpora.exists()
        return [
            pair for pair in self.known.trained if pair.id in holds or (elsewhere and pair.id not in here)
        ]


def _apart(replayed: list[Pair], new: tuple[Pair, ...]) -> Iterator[Pair]:
    """The replayed pairs with ids that no new pair has."""
    used = {pair.id for pair in new}
    for pair in replayed:
        name = pair.id if pair.id not in used else f"{pair.id}-replayed"
        yield Pair(name, pair.question, pair.answer, pair.fact)


def _default_rate() -> float:
    return float(EngineConfig.model_fields["learning_rate"].default)


def trainable_pairs(corpus: Corpus) -> Iterator[Pair]:
    """The approved pairs of the corpus as the engine reads them, in a fixed order."""
    rows: Any = corpus.reflections.trainable().order_by("pk")
    row: Reflection
    for row in rows:
        question, answer = (" ".join(text.split()) for text in (row.question, row.answer))
        yield Pair(str(row.pk), question, answer, row.fact)
