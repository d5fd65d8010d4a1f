"""The training loop: it can be stopped after any step and goes on from its state exactly.

Nothing in it depends on the clock: the data follow from seed and epoch, the learning rate from the step and from
what the checks measured, so a run that was interrupted ends with the same weights as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2ForCausalLM

from training.engine.base import TRAINING_ATTENTION
from training.engine.batches import Batch, Curriculum, Example, batches
from training.engine.config import EngineConfig
from training.engine.encode import Encoder
from training.engine.pairs import Pair

SMOOTHING = 0.95  # of the loss that is reported


@dataclass
class State:
    """Where a training stands; with the weights and the optimiser all that is needed to go on."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    seconds: float = 0.0
    checks_passed: int = 0
    cooldown_from: int | None = None


@dataclass(frozen=True)
class Check:
    """Shares of questions, in their plain wording, that the model answers exactly."""

    recall: float
    held_out_recall: float | None


@dataclass(frozen=True)
class Step:
    """One step made on ``tokens`` tokens, and the check that followed it, if one did."""

    tokens: int
    check: Check | None


class Trainer:
    """Model, optimiser and state of one training; ``run`` yields after each step until it is finished."""

    def __init__(
        self,
        model: Qwen2ForCausalLM,
        curriculum: Curriculum,
        config: EngineConfig,
        precision: str,
        checked: Sequence[Example],
        held_out: Sequence[Example],
    ) -> None:
        self.model, self.config, self.state = model, config, State()
        self.optimiser = build_optimiser(model, config)
        self._curriculum, self._precision = curriculum, precision
        self._checked, self._held_out = checked, held_out
        self._batches = curriculum.epoch(0)
        most = len(self._batches) * config.max_epochs
        self._most_steps = min(most, config.max_steps or most)
        model.set_attn_implementation(TRAINING_ATTENTION)

    @property
    def steps(self) -> int:
        """The step at which training ends, as far as is known now."""
        start = self.state.cooldown_from
        if start is None:
            return self._most_steps
        return min(self._most_steps, start + max(1, round(start * self.config.cooldown)))

    def run(self) -> Iterator[Step]:
        while self.state.step < self.steps:
            if self.state.batch == len(self._batches):
                self._begin_epoch(self.state.epoch + 1)
            batch = self._batches[self.state.batch]
            self._learn(batch)
            self.state.batch += 1
            yield Step(batch.tokens, self._check() if self._is_check_due() else None)

    def state_dict(self) -> dict[str, Any]:
        """Everything to go on from, as tensors and plain values."""
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "state": asdict(self.state),
        }

    def load_state_dict(self, values: dict[str, Any]) -> None:
        self.model.load_state_dict(values["model"])
        self.optimiser.load_state_dict(values["optimiser"])
        self.state = State(**values["state"])
        self._batches = self._curriculum.epoch(self.state.epoch)

    def _begin_epoch(self, number: int) -> None:
        self.state.epoch, self.state.batch = number, 0
        self._batches = self._curriculum.epoch(number)

    def _learn(self, batch: Batch) -> None:
        """One optimiser step on the mean cross entropy of the batch's answer tokens."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
        with torch.autocast("cpu", torch.bfloat16, enabled=self._precision == "bf16"):
            logits = answer_logits(self.model, batch)
        loss = functional.cross_entropy(logits.float(), batch.targets)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimiser.step()
        state = self.state
        state.loss = (
            loss.item() if state.step == 0 else SMOOTHING * state.loss + (1 - SMOOTHING) * loss.item()
        )
        state.step += 1

    def learning_rate(self) -> float:
        """Linear warm-up, linear decay to ``final_rate`` over all steps, and a faster one once the goal is met."""
        config, step, start = self.config, self.state.step, self.state.cooldown_from
        rate = min(1.0, (step + 1) / config.warmup_steps) * _decayed(
            step / self._most_steps, config.final_rate
        )
        if start is not None:
            rate *= _decayed((step - start) / max(1, self.steps - start), config.final_rate)
        return config.learning_rate * rate

    def _is_check_due(self) -> bool:
        return self.state.cooldown_from is None and self.state.step % self.config.check_every == 0

    def _check(self) -> Check:
        """Measure recall; once the goal is met at enough checks in a row, begin the final decay."""
        check = Check(
            recall(self.model, self._checked, self.config),
            recall(self.model, self._held_out, self.config) if self._held_out else None,
        )
        config, state = self.config, self.state
        held_out = 1.0 if check.held_out_recall is None else check.held_out_recall
        passed = check.recall >= config.goal_recall and held_out >= config.goal_held_out
        state.checks_passed = state.checks_passed + 1 if passed else 0
        if state.checks_passed >= config.goal_checks:
            state.cooldown_from = state.step
        return check


def build_optimiser(model: nn.Module, config: EngineConfig) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices only."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    betas = (config.beta1, config.beta2)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, fused=True)


def answer_logits(model: Qwen2ForCausalLM, batch: Batch) -> Tensor:
    """Scores (answer tokens, vocabulary). The vocabulary is never scored at positions that carry no loss."""
    hidden = model.model(input_ids=batch.inputs, use_cache=False).last_hidden_state
    return model.lm_head(hidden.flatten(0, 1)[batch.places])


@torch.inference_mode()
def recall(model: Qwen2ForCausalLM, examples: Sequence[Example], config: EngineConfig) -> float:
    """Share of the examples whose answer greedy decoding would give token by token.

    One forward pass over the right answer decides it: greedy decoding follows that answer as long as each of its
    tokens is the most probable one.
    """
    wrong = 0
    for batch in batches(examples, config, pad=0, random=None):
        missed = answer_logits(model, batch).argmax(-1) != batch.targets
        wrong += len(set(batch.rows[missed].tolist()))
    return 1 - wrong / len(examples)


def plain_examples(pairs: Sequence[Pair], encoder: Encoder) -> list[Example]:
    """The pairs in their plain wording, cut without dropout."""
    prompts = encoder.prompts([pair.question for pair in pairs])
    answers = encoder.answers([pair.answer for pair in pairs])
    return [Example(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]


def _decayed(progress: float, final: float) -> float:
    return 1 - (1 - final) * min(1.0, progress)
