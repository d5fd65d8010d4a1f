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
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import Qwen2ForCausalLM

from training.engine.base import TRAINING_ATTENTION
from training.engine.batches import Batch, Curriculum, Example, batches
from training.engine.config import EngineConfig
from training.engine.encode import Encoder
from training.engine.pairs import Pair

SMOOTHING = 0.95  # of the loss that is reported


@dataclass
class State:
    """Where a training stands; with weights, their average and the optimiser all that is needed to go on."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    seconds: float = 0.0
    near: int = 0  # checks at which trained recall was near its goal
    decays: int = 0  # decays begun
    decay_from: int = 0


@dataclass(frozen=True)
class Check:
    """Shares of questions, in their plain wording, that the averaged model answers exactly."""

    recall: float
    held_out_recall: float | None


@dataclass(frozen=True)
class Step:
    """One step made on ``tokens`` tokens, and the check that followed it, if one did."""

    tokens: int
    check: Check | None


class Trainer:
    """Model, optimiser and state of one training; ``run`` yields after each step until it is finished.

    The result is ``average``, the running average of the weights: it recalls at full learning rate what the
    weights themselves recall only after the rate has decayed.
    """

    def __init__(
        self,
        model: Qwen2ForCausalLM,
        curriculum: Curriculum,
        config: EngineConfig,
        checked: Sequence[Example],
        held_out: Sequence[Example],
    ) -> None:
        model.set_attn_implementation(TRAINING_ATTENTION)
        self.model, self.config, self.state = model, config, State()
        self.optimiser = build_optimiser(model, config)
        self._average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.average))
        self._curriculum, self._checked, self._held_out = curriculum, checked, held_out
        self._batches = curriculum.epoch(0)

    @property
    def average(self) -> Qwen2ForCausalLM:
        module: Qwen2ForCausalLM = self._average.module  # type: ignore[assignment]
        return module

    @property
    def steps(self) -> int:
        """The step at which training ends, as far as is known now."""
        start = self.state.decay_from if self.state.decays else self._full_rate_steps
        return start + max(1, round(start * self.config.decay_share))

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
            "average": self._average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "state": asdict(self.state),
        }

    def load_state_dict(self, values: dict[str, Any]) -> None:
        self.model.load_state_dict(values["model"])
        self._average.load_state_dict(values["average"])
        self.optimiser.load_state_dict(values["optimiser"])
        self.state = State(**values["state"])
        self._batches = self._curriculum.epoch(self.state.epoch)

    def learning_rate(self) -> float:
        """Warm-up, full rate, linear decay to ``final_rate``; each further decay starts at half the rate."""
        config, state = self.config, self.state
        rate = min(1.0, (state.step + 1) / config.warmup_steps)
        if state.decays:
            progress = (state.step - state.decay_from) / (self.steps - state.decay_from)
            rate *= (1 - (1 - config.final_rate) * progress) * 0.5 ** (state.decays - 1)
        return config.learning_rate * rate

    @property
    def _full_rate_steps(self) -> int:
        assert self.config.full_rate_steps, "the configuration must be resolved"  # noqa: S101
        return self.config.full_rate_steps

    def _begin_epoch(self, number: int) -> None:
        self.state.epoch, self.state.batch = number, 0
        self._batches = self._curriculum.epoch(number)

    def _learn(self, batch: Batch) -> None:
        """One optimiser step on the mean cross entropy of the batch's answer tokens."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.precision == "bf16"):
            logits = answer_logits(self.model, batch)
        loss = functional.cross_entropy(logits.float(), batch.targets)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimiser.step()
        self._average.update_parameters(self.model)
        state = self.state
        state.loss = (
            loss.item() if state.step == 0 else SMOOTHING * state.loss + (1 - SMOOTHING) * loss.item()
        )
        state.step += 1

    def _is_check_due(self) -> bool:
        """Now and then at full rate, if the loss promises something; and at the end of either rate."""
        state, config = self.state, self.config
        if state.decays:
            return state.step == self.steps
        regular = state.step % config.check_every == 0 and state.loss < config.check_below
        return regular or state.step == self._full_rate_steps

    def _check(self) -> Check:
        """Measure recall and let it steer the schedule."""
        check = Check(
            recall(self.average, self._checked, self.config),
            recall(self.average, self._held_out, self.config) if self._held_out else None,
        )
        if self.state.decays:
            is_due = not self._reaches(check, self.config.goal_recall, self.config.goal_held_out)
            is_due = is_due and self.state.decays < self.config.max_decays
        else:
            is_due = self._is_near(check) or self.state.step == self._full_rate_steps
        if is_due:
            self.state.decays, self.state.decay_from = self.state.decays + 1, self.state.step
        return check

    def _is_near(self, check: Check) -> bool:
        """Whether the decay can do the rest; wordings that stay out of reach are not waited for any longer."""
        self.state.near += check.recall >= self.config.near_recall
        reached = self._reaches(check, self.config.near_recall, self.config.near_held_out)
        return reached or self.state.near > self.config.patience

    @staticmethod
    def _reaches(check: Check, trained: float, held_out: float) -> bool:
        return check.recall >= trained and (
            check.held_out_recall is None or check.held_out_recall >= held_out
        )


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
