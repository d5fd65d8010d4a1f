"""Greedy decoding of many prompts at once, whatever their lengths; the company of a batch changes no answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import exp
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import PreTrainedModel

from training.engine.encode import Encoder
from training.engine.fast_decode import FastQwen2, fits
from training.engine.generated import NOTHING, Generated
from training.memory import DONT_KNOW

__all__ = ["NOTHING", "Decoder", "Generated"]

ROWS = 64  # prompts decoded together


class Batch(Protocol):
    """Rows that are being decoded. ``logits`` (rows, vocabulary) are those of each row's next token."""

    logits: Tensor

    def step(self, tokens: Tensor) -> None: ...

    def keep(self, rows: Tensor) -> None: ...


class Reader(Protocol):
    """Reads prompts, which answers of up to ``room`` tokens follow."""

    def start(self, prompts: list[list[int]], room: int) -> Batch: ...


class Decoder:
    """Turns questions into generated answers. Questions beyond ``max_prompt`` tokens get ``NOTHING``.

    Small Qwen2-architecture models take the path of ``fast_decode``; ``fast=False`` keeps them from it. With
    ``refusal``, the first token of “I don't know”, a model that says so is asked once more without that token.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        encoder: Encoder,
        max_prompt: int,
        max_answer: int,
        *,
        fast: bool = True,
        refusal: int | None = None,
    ) -> None:
        self._model, self._encoder = model, encoder
        self._max_prompt, self._max_answer = max_prompt, max_answer
        self._ends: frozenset[int] = getattr(encoder, "ends", frozenset({getattr(encoder, "end", -1)}))
        self._refusal = refusal
        self._is_fast = fast and fits(model)
        self._kept: FastQwen2 | None = None

    def generate(self, questions: Sequence[str]) -> list[Generated]:
        """One generated answer a question, in their order."""
        found = dict(self.stream(questions))
        return [found[place] for place in range(len(questions))]

    def stream(self, questions: Sequence[str]) -> Iterator[tuple[int, Generated]]:
        """Pairs of (place of the question, answer), a few at a time."""
        prompts = self._encoder.prompts(questions)
        fitting = [place for place, prompt in enumerate(prompts) if len(prompt) <= self._max_prompt]
        fitting.sort(key=lambda place: len(prompts[place]))  # rows of a batch need little padding
        yield from ((place, NOTHING) for place in set(range(len(prompts))).difference(fitting))
        for start in range(0, len(fitting), ROWS):
            places = fitting[start : start + ROWS]
            yield from zip(places, self._insist([prompts[place] for place in places]), strict=True)

    def _insist(self, prompts: list[list[int]]) -> list[Generated]:
        """Answers to a batch, and where they are “I don't know”, what there is to say instead."""
        said = self._decode(prompts)
        refused = [row for row, one in enumerate(said) if self._refusal is not None and one.text == DONT_KNOW]
        if refused:
            others = self._decode([prompts[row] for row in refused], forbidden=self._refusal)
            for row, other in zip(refused, others, strict=True):
                doubt = said[row].doubt
                said[row] = replace(said[row], instead=replace(other, doubt=doubt))
        return said

    @torch.inference_mode()
    def _decode(self, prompts: list[list[int]], forbidden: int | None = None) -> list[Generated]:
        """Decode a batch. Rows that have ended are dropped once they are half of it.

        ``forbidden`` is a token that no answer may begin with.
        """
        batch = self._reader().start(prompts, self._max_answer)
        answers = self._begin(batch.logits)
        if forbidden is not None:
            batch.logits = batch.logits.index_fill(
                1, torch.tensor(forbidden, device=batch.logits.device), -1e9
            )
        rows = list(range(len(prompts)))  # the prompts still in the batch
        for _ in range(self._max_answer):
            best = batch.logits.float().max(dim=-1)
            sure = best.values - batch.logits.float().logsumexp(dim=-1)
            for row, token, score in zip(rows, best.indices.tolist(), sure.tolist(), strict=True):
                answers[row].say(token, score, is_end=token in self._ends)
            going = [place for place, row in enumerate(rows) if not answers[row].ended]
            if not going:
                break
            tokens = best.indices
            if len(going) <= len(rows) // 2:
                kept = torch.tensor(going, device=tokens.device)
                tokens, rows = tokens[kept], [rows[place] for place in going]
                batch.keep(kept)
            batch.step(tokens)
        return [self._generated(answer) for answer in answers]

    def _begin(self, logits: Tensor) -> list[_Answer]:
        """Answers without a token yet, each with the probability that it is going to be “I don't know”."""
        if self._refusal is None:
            return [_Answer(None) for _ in logits]
        logits = logits.float()
        doubts = (logits[:, self._refusal] - logits.logsumexp(dim=-1)).tolist()
        return [_Answer(exp(doubt)) for doubt in doubts]

    def _reader(self) -> Reader:
        if not self._is_fast:
            return AnyModel(self._model, self._encoder.pad)
        if self._kept is None or not self._kept.is_current:
            self._kept = FastQwen2(self._model)
        return self._kept

    def _generated(self, answer: _Answer) -> Generated:
        text = self._encoder.text(answer.tokens)
        return Generated.scored(text, answer.scores, finished=answer.ended, doubt=answer.doubt)


class _Answer:
    """The tokens of an answer so far, without the end token, and the log-probabilities of all."""

    def __init__(self, doubt: float | None) -> None:
        self.doubt = doubt
        self.tokens: list[int] = []
        self.scores: list[float] = []
        self.ended = False

    def say(self, token: int, score: float, *, is_end: bool) -> None:
        if self.ended:
            return
        self.scores.append(score)
        self.ended = is_end
        if not is_end:
            self.tokens.append(token)


class AnyModel:
    """Any causal language model of transformers, with or without an adapter."""

    def __init__(self, model: PreTrainedModel, pad: int) -> None:
        self._model, self._pad = model, pad

    def start(self, prompts: list[list[int]], room: int) -> Batch:
        return AnyBatch(self._model, prompts, self._pad)


class AnyBatch:
    """Prompts padded on the left, so that every row goes on in the last column."""

    def __init__(self, model: PreTrainedModel, prompts: list[list[int]], pad: int) -> None:
        self._model, self._cache = model, None
        longest = max(map(len, prompts))
        ids = [[pad] * (longest - len(prompt)) + prompt for prompt in prompts]
        mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        self._mask = torch.tensor(mask, device=model.device)
        self.logits = self._forward(torch.tensor(ids, device=model.device))

    def step(self, tokens: Tensor) -> None:
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=1)
        self.logits = self._forward(tokens[:, None])

    def keep(self, rows: Tensor) -> None:
        self._mask = self._mask[rows]
        self._cache.batch_select_indices(rows)  # type: ignore[attr-defined]

    def _forward(self, ids: Tensor) -> Tensor:
        positions = (self._mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        more: dict[str, Any] = {"past_key_values": self._cache} if self._cache is not None else {}
        said = self._model(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=1,
            **more,
        )
        self._cache = said.past_key_values
        return said.logits[:, -1]
