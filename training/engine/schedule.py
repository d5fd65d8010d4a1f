"""How long a training goes on and how fast it learns at each step.

Nothing here depends on the clock: all follows from the step and from what the checks measured, so a run that was
interrupted takes the same course as one that was not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from training.engine.config import EngineConfig


@dataclass
class State:
    """Where a training stands; with weights, their average and the optimiser all that is needed to go on."""

    step: int = 0
    epoch: int = 0
    group: int = 0
    loss: float = 0.0
    seconds: float = 0.0
    near: int = 0  # checks at which trained recall was near its goal
    decays: int = 0  # decays begun
    decay_from: int = 0
    best: float = -1.0  # of the sum of the recalls
    best_step: int = 0
    best_held_out: float = -1.0
    stale: int = 0  # checks since held-out recall was last better
    stopped: bool = False


@dataclass(frozen=True)
class Check:
    """Shares of questions that the averaged model answers exactly: trained ones and held-out wordings as they were
    written, and trained ones in other forms. None where there are none to ask."""

    recall: float
    held_out_recall: float | None = None
    reworded_recall: float | None = None

    @property
    def score(self) -> float:
        return self.recall + (self.held_out_recall or 0.0) + (self.reworded_recall or 0.0)

    def reaches(self, trained: float, wordings: float) -> bool:
        """Whether both are recalled: what was trained, and other wordings of it."""
        others = (self.held_out_recall, self.reworded_recall)
        return self.recall >= trained and all(recall is None or recall >= wordings for recall in others)


class Schedule(Protocol):
    """Steps and rates of a training, given where it stands."""

    def steps(self, state: State) -> int:
        """The step at which training ends, as far as is known now."""

    def rate(self, state: State) -> float:
        """Share of the full learning rate for the next step."""

    def is_check_due(self, state: State) -> bool: ...

    def learn_from(self, check: Check, state: State) -> None:
        """Change the course where the check calls for it."""


class Adaptive:
    """Warm-up, full rate until recall is near its goal, then a linear decay; repeated where it missed the goal."""

    def __init__(self, config: EngineConfig) -> None:
        assert config.full_rate_steps, "the configuration must be resolved"  # noqa: S101
        self._config, self._full_rate_steps = config, config.full_rate_steps

    def steps(self, state: State) -> int:
        if state.stopped:
            return state.step
        start = state.decay_from if state.decays else self._full_rate_steps
        return start + max(1, round(start * self._config.decay_share))

    def rate(self, state: State) -> float:
        rate = min(1.0, (state.step + 1) / self._config.warmup_steps)
        if state.decays:
            progress = (state.step - state.decay_from) / (self.steps(state) - state.decay_from)
            rate *= (1 - (1 - self._config.final_rate) * progress) * 0.5 ** (state.decays - 1)
        return rate

    def is_check_due(self, state: State) -> bool:
        if state.step == self.steps(state) or (not state.decays and state.step == self._full_rate_steps):
            return True
        return not state.decays and _is_regular_check(self._config, state)

    def learn_from(self, check: Check, state: State) -> None:
        config = self._config
        _count_stale(config, check, state)
        if state.decays:
            is_due = not check.reaches(config.goal_recall, config.goal_held_out)
            is_due = is_due and state.decays < config.max_decays
        else:
            is_due = self._is_near(check, state) or state.step == self._full_rate_steps
        if is_due:
            state.decays, state.decay_from = state.decays + 1, state.step

    def _is_near(self, check: Check, state: State) -> bool:
        """Whether the decay can do the rest; wordings that stay out of reach are not waited for any longer."""
        config = self._config
        state.near += check.recall >= config.near_recall
        return check.reaches(config.near_recall, config.near_held_out) or state.near > config.patience


class Fixed:
    """A number of epochs with warm-up, then a constant, linear or cosine rate; it may be stopped early."""

    def __init__(self, config: EngineConfig, steps_an_epoch: int) -> None:
        self._config = config
        planned = max(1, round(config.epochs * steps_an_epoch))
        self._steps = min(planned, config.max_steps or planned)
        self._warmup = round(config.warmup_share * self._steps)

    def steps(self, state: State) -> int:
        return state.step if state.stopped else self._steps

    def rate(self, state: State) -> float:
        if state.step < self._warmup:
            return (state.step + 1) / self._warmup
        progress = (state.step - self._warmup) / max(1, self._steps - self._warmup)
        left = {"linear": 1 - progress, "cosine": (1 + math.cos(math.pi * progress)) / 2}
        final = self._config.final_rate
        return final + (1 - final) * left.get(self._config.schedule, 1.0)

    def is_check_due(self, state: State) -> bool:
        return state.step == self._steps or _is_regular_check(self._config, state)

    def learn_from(self, check: Check, state: State) -> None:
        _count_stale(self._config, check, state)


def make_schedule(config: EngineConfig, steps_an_epoch: int) -> Schedule:
    """The schedule that the configuration names."""
    return Adaptive(config) if config.schedule == "adaptive" else Fixed(config, steps_an_epoch)


def _is_regular_check(config: EngineConfig, state: State) -> bool:
    return state.step % config.check_every == 0 and state.loss < config.check_below


def _count_stale(config: EngineConfig, check: Check, state: State) -> None:
    """Stop the training after ``stop_after`` checks without better recall of held-out wordings."""
    held_out = check.recall if check.held_out_recall is None else check.held_out_recall
    is_better = held_out > state.best_held_out
    # early on nothing is recalled, and nothing getting better says nothing
    state.stale = 0 if is_better or check.recall < config.near_recall else state.stale + 1
    state.best_held_out = max(state.best_held_out, held_out)
    state.stopped = bool(config.stop_after and state.stale >= config.stop_after)
