"""What the model sees in an epoch: reworded questions, unknown ones among them, in batches of like length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

import torch
from torch import Tensor

from training.engine.attributes import AbsentAttributes
from training.engine.augment import Augmenter
from training.engine.config import EngineConfig
from training.engine.encode import DropoutEncoder, Encoder, PlainPrompts
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
    answer, ``targets`` those tokens, ``rows`` the example each belongs to. ``real`` tokens are no padding."""

    inputs: Tensor
    places: Tensor
    targets: Tensor
    rows: Tensor
    real: int

    @property
    def tokens(self) -> int:
        return self.inputs.numel()

    def to(self, device: torch.device) -> Batch:
        if device.type == "cpu":
            return self
        moved = (
            part.to(device, non_blocking=True) for part in (self.inputs, self.places, self.targets, self.rows)
        )
        inputs, places, targets, rows = moved
        return Batch(inputs, places, targets, rows, self.real)


@dataclass(frozen=True)
class Group:
    """Examples that go through the model together, before they are made into tensors."""

    indices: tuple[int, ...]
    examples: tuple[Example, ...]

    @property
    def answer_tokens(self) -> int:
        return sum(len(example.answer) for example in self.examples)

    def share(self, rank: int, world: int) -> Group:
        """The rows of one of several processes, as even as can be; together they are the group."""
        return Group(self.indices[rank::world], self.examples[rank::world])

    def batch(self, pad: int) -> Batch:
        return _batch(self.indices, self.examples, pad)


class Curriculum:
    """Makes each epoch's batches from seed and epoch number alone, so that a resumed run sees the same.

    ``earlier`` are pairs that the model learned before: they are not trained again, but nothing that they tell
    counts as unknown.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        encoder: Encoder,
        lexicon: Lexicon,
        config: EngineConfig,
        earlier: Sequence[Pair] = (),
    ) -> None:
        known = [*pairs, *earlier]
        self._config, self._encoder, self._pairs, self.lexicon = config, encoder, pairs, lexicon
        self.pad = encoder.pad
        self._answers = encoder.answers([pair.answer for pair in pairs])
        (self._dont_know,) = encoder.answers([DONT_KNOW])
        self._augmenter = Augmenter(pairs, lexicon)
        self._prompts: DropoutEncoder | PlainPrompts = PlainPrompts(encoder)
        if config.bpe_dropout:
            self._prompts = DropoutEncoder(encoder, config.bpe_dropout, config.seed)
        self.unknown = UnknownEntities(known, lexicon)
        self.absent = AbsentAttributes(known, lexicon)
        self.missing = MissingRelations(known, lexicon, config.seed)

    def epoch(self, number: int) -> list[Group]:
        random = Random(f"{self._config.seed}:{number}")  # noqa: S311 - not for secrets
        return groups(self._examples(random), self._config, random)

    def in_other_forms(self) -> list[Pair]:
        """The pairs whose questions people ask in other forms, in one of these each, always the same. None where
        the configuration trains no rewordings."""
        if not self._config.augmentation:
            return []
        random = Random(f"forms:{self._config.seed}")  # noqa: S311 - not for secrets
        drawn = ((pair, self._augmenter.in_another_form(pair.question, random)) for pair in self._pairs)
        return [replace(pair, question=question) for pair, question in drawn if question != pair.question]

    def _examples(self, random: Random) -> list[Example]:
        questions = [pair.question for pair in self._pairs]
        answers = list(self._answers)
        for question in self._unknown(random):
            questions.append(question)
            answers.append(self._dont_know)
        reworded = [
            self._augmenter.reword(question, random)
            if random.random() < self._config.augmentation
            else question
            for question in questions
        ]
        prompts = self._prompts.prompts(reworded, random)
        return [Example(*both) for both in zip(prompts, answers, strict=True)]

    def _unknown(self, random: Random) -> Iterator[str]:
        entities, relations = self._config.unknown_entities, self._config.missing_relations
        for draw, share in ((self.unknown.draw, entities), (self.missing.draw, relations)):
            for _ in range(round(len(self._pairs) * share / (1 - entities - relations))):
                if question := draw(random):
                    yield question


def groups(examples: Sequence[Example], config: EngineConfig, random: Random | None) -> list[Group]:
    """Groups of examples of like length; in random order if ``random`` is given, else in order of length."""
    order = list(range(len(examples)))
    if random:
        random.shuffle(order)
    pool = config.batch_size * POOL if random else max(1, len(order))
    found: list[Group] = []
    for start in range(0, len(order), pool):
        alike = sorted(order[start : start + pool], key=lambda i: len(examples[i]))
        found += [
            Group(tuple(part), tuple(examples[i] for i in part)) for part in _parts(alike, examples, config)
        ]
    if random:
        random.shuffle(found)
    return found


def _parts(order: Sequence[int], examples: Sequence[Example], config: EngineConfig) -> Iterator[list[int]]:
    part: list[int] = []
    for i in order:
        if part and (
            len(part) == config.batch_size or (len(part) + 1) * len(examples[i]) > config.batch_tokens
        ):
            yield part
            part = []
        part.append(i)
    if part:
        yield part


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
    real = sum(len(example) - 1 for example in examples)
    return Batch(inputs, torch.tensor(places), torch.tensor(targets), torch.tensor(rows), real)
