"""What the model sees in an epoch: reworded questions, unknown ones among them, in batches of like length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from training.engine.augment import Augmenter
from training.engine.config import EngineConfig
from training.engine.encode import DropoutEncoder, Encoder
from training.engine.pairs import Pair
from training.engine.unknowns import MissingRelations, UnknownEntities
from training.engine.words import Lexicon
from training.memory import DONT_KNOW

POOL = 24  # batches' worth of examples sorted by length together


@dataclass(frozen=True)
class Example:
    """A prompt and the answer to learn, in token ids."""

    prompt: list[int]
    answer: list[int]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


@dataclass(frozen=True)
class Batch:
    """``inputs`` (rows, tokens), right-padded; ``places`` are the flat positions whose next token is part of an
    answer, ``targets`` those tokens, ``rows`` the row each belongs to."""

    inputs: Tensor
    places: Tensor
    targets: Tensor
    rows: Tensor

    @property
    def tokens(self) -> int:
        return self.inputs.numel()


class Curriculum:
    """Makes each epoch's batches from seed and epoch number alone, so that a resumed run sees the same."""

    def __init__(
        self, pairs: Sequence[Pair], encoder: Encoder, lexicon: Lexicon, config: EngineConfig
    ) -> None:
        self._config, self._encoder, self._pairs = config, encoder, pairs
        self._answers = encoder.answers([pair.answer for pair in pairs])
        (self._dont_know,) = encoder.answers([DONT_KNOW])
        self._augmenter = Augmenter(pairs, lexicon)
        self._dropout = DropoutEncoder(encoder, config.bpe_dropout, config.seed)
        self.unknown = UnknownEntities(pairs, lexicon)
        self.missing = MissingRelations(pairs, lexicon, config.seed)

    def epoch(self, number: int) -> list[Batch]:
        random = Random(f"{self._config.seed}:{number}")  # noqa: S311 - not for secrets
        return list(batches(self._examples(random), self._config, self._encoder.pad, random))

    def _examples(self, random: Random) -> list[Example]:
        known = [
            self._example(pair.question, answer, random)
            for pair, answer in zip(self._pairs, self._answers, strict=True)
        ]
        return known + [
            self._example(question, self._dont_know, random) for question in self._unknown(random)
        ]

    def _example(self, question: str, answer: list[int], random: Random) -> Example:
        if random.random() < self._config.augmentation:
            question = self._augmenter.reword(question, random)
        return Example(self._dropout.prompt(question, random), answer)

    def _unknown(self, random: Random) -> Iterator[str]:
        entities, relations = self._config.unknown_entities, self._config.missing_relations
        for draw, share in ((self.unknown.draw, entities), (self.missing.draw, relations)):
            for _ in range(round(len(self._pairs) * share / (1 - entities - relations))):
                if question := draw(random):
                    yield question


def batches(
    examples: Sequence[Example], config: EngineConfig, pad: int, random: Random | None
) -> Iterator[Batch]:
    """Batches of examples of like length; in random order if ``random`` is given, else in order of length."""
    order = list(range(len(examples)))
    if random:
        random.shuffle(order)
    pool = config.batch_size * POOL if random else max(1, len(order))
    groups: list[list[int]] = []
    for start in range(0, len(order), pool):
        groups += _groups(
            sorted(order[start : start + pool], key=lambda i: len(examples[i])), examples, config
        )
    if random:
        random.shuffle(groups)
    for group in groups:
        yield _batch(group, [examples[i] for i in group], pad)


def _groups(order: Sequence[int], examples: Sequence[Example], config: EngineConfig) -> Iterator[list[int]]:
    group: list[int] = []
    for i in order:
        if group and (
            len(group) == config.batch_size or (len(group) + 1) * len(examples[i]) > config.batch_tokens
        ):
            yield group
            group = []
        group.append(i)
    if group:
        yield group


def _batch(indices: Sequence[int], examples: Sequence[Example], pad: int) -> Batch:
    """The last token of an answer is only ever a target, so it is not fed in."""
    width = max(len(example) for example in examples) - 1
    inputs = torch.full((len(examples), width), pad)
    places: list[int] = []
    targets: list[int] = []
    rows: list[int] = []
    for row, example in enumerate(examples):
        ids = example.prompt + example.answer
        inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        start = row * width + len(example.prompt) - 1
        places += range(start, start + len(example.answer))
        targets += example.answer
        rows += [indices[row]] * len(example.answer)
    return Batch(inputs, torch.tensor(places), torch.tensor(targets), torch.tensor(rows))
