"""Text to token ids. Questions can be cut with BPE-dropout (Provilkov et al. 2020), reproducibly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from transformers import PreTrainedTokenizerFast

from training.engine.base import ASSISTANT, END, PAD, USER

VARIANTS = 16  # random cuts kept for each piece of text; drawing from them costs nothing


class Encoder:
    """The chat template in token ids: a prompt ends where the answer begins, an answer with the end token."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        ids = tokenizer.get_vocab()
        self.user, self.assistant, self.end, self.pad = ids[USER], ids[ASSISTANT], ids[END], ids[PAD]

    def prompts(self, questions: Sequence[str]) -> list[list[int]]:
        return [[self.user, *ids, self.assistant] for ids in self._ids(questions)]

    def answers(self, answers: Sequence[str]) -> list[list[int]]:
        return [[*ids, self.end] for ids in self._ids(answers)]

    def text(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip()

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        spaced = [f" {' '.join(text.split())}" for text in texts]
        return self.tokenizer(spaced, add_special_tokens=False)["input_ids"] if spaced else []


class DropoutEncoder:
    """Prompts with merges left out at random; the tokenizer library cannot be seeded, so it is done here."""

    def __init__(self, encoder: Encoder, dropout: float, seed: int) -> None:
        self._encoder, self._dropout, self._seed = encoder, dropout, seed
        backend = encoder.tokenizer.backend_tokenizer
        self._split = backend.pre_tokenizer.pre_tokenize_str
        model = json.loads(backend.to_str())["model"]
        self._vocabulary: dict[str, int] = model["vocab"]
        self._ranks = {tuple(merge): rank for rank, merge in enumerate(model["merges"])}
        self._variants: dict[str, list[list[int]]] = {}

    def prompt(self, question: str, random: Random) -> list[int]:
        """The prompt's ids; the same for the same state of ``random``."""
        ids = [self._encoder.user]
        for piece, _ in self._split(f" {question}"):
            variants = self._variants.get(piece) or self._cut(piece)
            ids += variants[int(random.random() * len(variants))]
        return [*ids, self._encoder.assistant]

    def _cut(self, piece: str) -> list[list[int]]:
        random = Random(f"{self._seed}:{piece}")  # noqa: S311 - not for secrets
        count = VARIANTS if self._dropout else 1
        variants = [[self._vocabulary[token] for token in self._merge(piece, random)] for _ in range(count)]
        self._variants[piece] = variants
        return variants

    def _merge(self, piece: str, random: Random) -> list[str]:
        """Byte-pair merging in rank order, each possible merge being overlooked with the dropout's probability."""
        tokens = list(piece)
        while True:
            possible = [
                (rank, place)
                for place, pair in enumerate(pairwise(tokens))
                if (rank := self._ranks.get(pair)) is not None and random.random() >= self._dropout
            ]
            if not possible:
                return tokens
            _, place = min(possible)
            tokens[place : place + 2] = [tokens[place] + tokens[place + 1]]
