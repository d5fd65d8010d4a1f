"""Greedy decoding in batches that hold prompts of one length only, so that no answer depends on its neighbours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp

import torch
from torch import Tensor
from transformers import DynamicCache, Qwen2ForCausalLM

from training.engine.encode import Encoder

ROWS = 64  # prompts decoded together


@dataclass(frozen=True)
class Generated:
    """What the model said. ``confidence`` is the geometric mean of its tokens' probabilities; an answer that
    did not come to its end is not ``finished``."""

    text: str
    confidence: float
    finished: bool


NOTHING = Generated("", 0.0, False)


class Decoder:
    """Turns questions into generated answers. Questions beyond ``max_prompt`` tokens get ``NOTHING``."""

    def __init__(self, model: Qwen2ForCausalLM, encoder: Encoder, max_prompt: int, max_answer: int) -> None:
        self._model, self._encoder = model, encoder
        self._max_prompt, self._max_answer = max_prompt, max_answer

    def generate(self, questions: Sequence[str]) -> list[Generated]:
        """One generated answer a question, in their order."""
        found = dict(self.stream(questions))
        return [found[place] for place in range(len(questions))]

    def stream(self, questions: Sequence[str]) -> Iterator[tuple[int, Generated]]:
        """Pairs of (place of the question, answer), a few at a time."""
        lengths: dict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        for place, prompt in enumerate(self._encoder.prompts(questions)):
            lengths[len(prompt)].append((place, prompt))
        for length, prompts in sorted(lengths.items()):
            for start in range(0, len(prompts), ROWS):
                part = prompts[start : start + ROWS]
                ids = [prompt for _, prompt in part]
                answers = self._decode(ids) if length <= self._max_prompt else [NOTHING] * len(part)
                yield from zip((place for place, _ in part), answers, strict=True)

    @torch.inference_mode()
    def _decode(self, prompts: list[list[int]]) -> list[Generated]:
        """Decode prompts of equal length. Rows that have ended are dropped once they are half of the batch."""
        said: list[list[int]] = [[] for _ in prompts]
        scores = [0.0] * len(prompts)
        rows = list(range(len(prompts)))  # the prompts still being decoded
        ended = [False] * len(prompts)
        inputs, cache = torch.tensor(prompts), DynamicCache(config=self._model.config)
        for _ in range(self._max_answer):
            tokens, log_probabilities = self._next(inputs, cache)
            for row, token, score in zip(rows, tokens.tolist(), log_probabilities.tolist(), strict=True):
                if not ended[row]:
                    said[row].append(token)
                    scores[row] += score
                    ended[row] = token == self._encoder.end
            going = [place for place, row in enumerate(rows) if not ended[row]]
            if not going:
                break
            inputs = tokens[:, None]
            if len(going) <= len(rows) // 2:
                keep = torch.tensor(going)
                inputs, rows = inputs[keep], [rows[place] for place in going]
                cache.batch_select_indices(keep)
        return [self._generated(*row) for row in zip(said, scores, ended, strict=True)]

    def _next(self, inputs: Tensor, cache: DynamicCache) -> tuple[Tensor, Tensor]:
        """The most probable next token of each row and its log-probability."""
        logits = self._model(
            input_ids=inputs, past_key_values=cache, use_cache=True, logits_to_keep=1
        ).logits[:, -1]
        best = torch.log_softmax(logits.float(), dim=-1).max(dim=-1)
        return best.indices, best.values

    def _generated(self, said: list[int], score: float, ended: bool) -> Generated:
        return Generated(self._encoder.text(said), exp(score / len(said)), ended)
