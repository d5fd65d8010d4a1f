"""The training loop: it can be stopped after any step and goes on from its state exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.engine.average import Average
from training.engine.batches import Batch, Curriculum, Example, Group, groups
from training.engine.config import EngineConfig
from training.engine.crew import Crew
from training.engine.encode import Encoder
from training.engine.pairs import Pair
from training.engine.schedule import Check, State, make_schedule

SMOOTHING = 0.95  # of the loss that is reported


@dataclass(frozen=True)
class Step:
    """One step made on ``tokens`` tokens, padding apart, and the check that followed it, if one did."""

    tokens: int
    check: Check | None
    is_best: bool = False


@dataclass(frozen=True)
class Checked:
    """What a check asks: a sample of the trained pairs, held-out wordings, and trained pairs in other forms; each
    may be empty."""

    trained: Sequence[Example]
    held_out: Sequence[Example]
    reworded: Sequence[Example]


class AnswerScores:
    """Scores of the vocabulary at the places of answer tokens only, for any causal LM.

    The hidden states of all other places are taken away in front of the model's output layer, so that what a
    model does behind it (scaling, soft caps) stays as it is.
    """

    def __init__(self, model: nn.Module) -> None:
        self._places: Tensor | None = None
        output: nn.Module = model.get_output_embeddings()  # type: ignore[operator]
        output.register_forward_pre_hook(self._select)

    def _select(self, module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if self._places is None:
            return None
        return (arguments[0].flatten(0, 1)[self._places], *arguments[1:])

    def of(self, model: nn.Module, batch: Batch) -> Tensor:
        """Scores (answer tokens, vocabulary) of a batch."""
        self._places = batch.places
        try:
            scores: Tensor = model(input_ids=batch.inputs, use_cache=False).logits
        finally:
            self._places = None
        return scores


class Trainer:
    """Model, optimiser and state of one training; ``run`` yields after each step until it is finished.

    What is trained for is the average of the weights, where the configuration asks for one.
    """

    def __init__(
        self, model: nn.Module, curriculum: Curriculum, config: EngineConfig, checked: Checked, crew: Crew
    ) -> None:
        self.config, self.state, self.crew = config, State(), crew
        self._curriculum, self._pad = curriculum, curriculum.pad
        self._scores = AnswerScores(model)
        if config.gradient_checkpointing:
            save_memory(model)
        self.model = crew.spread(model)
        self.optimiser = build_optimiser(self.model, config)
        self.trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.names = [name for name, parameter in self.model.named_parameters() if parameter.requires_grad]
        self.average = Average(self.trained, config.average)
        self._groups = curriculum.epoch(0)
        self._schedule = make_schedule(config, -(-len(self._groups) // config.accumulate))
        parts = (checked.trained, checked.held_out, checked.reworded)
        self._checks = [groups(part, config, random=None) for part in parts]

    @property
    def steps(self) -> int:
        """The step at which training ends, as far as is known now."""
        return self._schedule.steps(self.state)

    def run(self) -> Iterator[Step]:
        state = self.state
        self.model.train()
        while state.step < self.steps:
            if state.group >= len(self._groups):
                self._begin_epoch(state.epoch + 1)
            taken = self._groups[state.group : state.group + self.config.accumulate]
            tokens = self._learn(taken)
            state.group += len(taken)
            check = self._check() if self._schedule.is_check_due(state) else None
            yield Step(tokens, check, is_best=bool(check) and state.best_step == state.step)

    def learning_rate(self) -> float:
        return self.config.learning_rate * self._schedule.rate(self.state)

    def _begin_epoch(self, number: int) -> None:
        self.state.epoch, self.state.group = number, 0
        self._groups = self._curriculum.epoch(number)

    def _learn(self, taken: Sequence[Group]) -> int:
        """One optimiser step on the mean cross entropy of the answer tokens; returns the tokens gone through."""
        for part in self.optimiser.param_groups:
            part["lr"] = self.learning_rate()
        targets = sum(group.answer_tokens for group in taken)
        self.optimiser.zero_grad()
        sums = torch.zeros(2, device=self.crew.device)
        for place, group in enumerate(taken):
            with self.crew.gradients_kept(self.model, exchanged=place == len(taken) - 1):
                loss, tokens = self._loss(group)
                (loss * (self.crew.world / targets)).backward()
            sums += torch.tensor([loss.item(), tokens], device=self.crew.device)
        nn.utils.clip_grad_norm_(self.trained, self.config.clip_norm)
        self.optimiser.step()
        self.average.update()
        loss_sum, tokens_sum = self.crew.total(sums).tolist()
        self._note_loss(loss_sum / targets)
        self.state.step += 1
        return round(tokens_sum)

    def _loss(self, group: Group) -> tuple[Tensor, int]:
        """The summed cross entropy of this process's rows of a group, and how many tokens they have."""
        mine = group.share(self.crew.rank, self.crew.world)
        is_idle = not mine.examples  # all processes must call the model alike, be it for nothing
        batch = (
            (group.share(0, len(group.examples)) if is_idle else mine).batch(self._pad).to(self.crew.device)
        )
        with self._autocast():
            scores = self._scores.of(self.model, batch)
        loss = functional.cross_entropy(scores.float(), batch.targets, reduction="sum")
        return (loss * 0, 0) if is_idle else (loss, batch.real)

    def _note_loss(self, loss: float) -> None:
        state = self.state
        state.loss = loss if state.step == 0 else SMOOTHING * state.loss + (1 - SMOOTHING) * loss

    def _check(self) -> Check:
        """Measure recall and let it steer the schedule."""
        with self.average.applied(), evaluating(self.model):
            trained, held_out, reworded = (self._recall(part) for part in self._checks)
        check = Check(trained or 0.0, held_out, reworded)
        if check.score >= self.state.best:
            self.state.best, self.state.best_step = check.score, self.state.step
        self._schedule.learn_from(check, self.state)
        return check

    @torch.no_grad()
    def _recall(self, parts: Sequence[Group]) -> float | None:
        """Share of the examples whose answer greedy decoding would give token by token; None if there are none.

        One forward pass over the right answer decides it: greedy decoding follows that answer as long as each of
        its tokens is the most probable one.
        """
        if not parts:
            return None
        wrong, crew = 0, self.crew
        for start in range(0, len(parts), crew.world):
            place = start + crew.rank
            batch = parts[min(place, len(parts) - 1)].batch(self._pad).to(crew.device)
            with self._autocast():
                missed = self._scores.of(self.model, batch).argmax(-1) != batch.targets
            wrong += len(set(batch.rows[missed].tolist())) if place < len(parts) else 0
        total = crew.total(torch.tensor(float(wrong))).item()
        return 1 - total / sum(len(part.examples) for part in parts)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.crew.device.type, torch.bfloat16, enabled=self.config.precision == "bf16")

    # -- what a checkpoint keeps --------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """Everything to go on from, as tensors and plain values. Every process must call it."""
        return {
            "model": dict(zip(self.names, (parameter.detach() for parameter in self.trained), strict=True)),
            "average": self.average.shadow,
            "optimiser": self.optimiser.state_dict(),
            "random": self.crew.gathered(random_state()),
            "state": asdict(self.state),
        }

    def load_state_dict(self, values: dict[str, Any]) -> None:
        self.put_weights(values["model"])
        self.average.load(values["average"])
        self.optimiser.load_state_dict(values["optimiser"])
        self.go_on_at(State(**values["state"]), values["random"])

    def go_on_at(self, state: State, random: Sequence[dict[str, Tensor]]) -> None:
        """Take up the data order and, one state a process, the random draws."""
        self.state = state
        self._groups = self._curriculum.epoch(state.epoch)
        if len(random) == self.crew.world:
            set_random_state(random[self.crew.rank])

    @torch.no_grad()
    def put_weights(self, weights: dict[str, Tensor]) -> None:
        """Set the trained weights by name."""
        for name, parameter in zip(self.names, self.trained, strict=True):
            parameter.copy_(weights[name])

    def best_weights(self) -> dict[str, Tensor]:
        """The trained weights as they were checked: the average, or the weights themselves."""
        values = self.average.shadow or [parameter.detach() for parameter in self.trained]
        return {name: value.contiguous() for name, value in zip(self.names, values, strict=True)}


def build_optimiser(model: nn.Module, config: EngineConfig) -> torch.optim.AdamW:
    """Fused AdamW over the weights that are trained, with weight decay on matrices only."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decayed = {True: config.weight_decay, False: 0.0}
    parts = [
        {"params": [one for one in trained if (one.ndim >= 2) is is_matrix], "weight_decay": decay}
        for is_matrix, decay in decayed.items()
    ]
    betas = (config.beta1, config.beta2)
    return torch.optim.AdamW(
        [part for part in parts if part["params"]], config.learning_rate, betas, fused=True
    )


def save_memory(model: nn.Module) -> None:
    """Compute activations anew in the backward pass instead of keeping them (gradient checkpointing)."""
    model.activation_checkpointing_enable({"use_reentrant": False})  # type: ignore[operator]
    if any(not parameter.requires_grad for parameter in model.parameters()):
        model.enable_input_require_grads()  # type: ignore[operator]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Without dropout."""
    model.eval()
    try:
        yield
    finally:
        model.train()


def random_state() -> dict[str, Tensor]:
    """The state of torch's generators, which dropout draws from."""
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def set_random_state(state: dict[str, Tensor]) -> None:
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])


def plain_examples(pairs: Sequence[Pair], encoder: Encoder) -> list[Example]:
    """The pairs in their plain wording, cut without dropout."""
    prompts = encoder.prompts([pair.question for pair in pairs])
    answers = encoder.answers([pair.answer for pair in pairs])
    return [Example(*both) for both in zip(prompts, answers, strict=True)]
