"""What a MEMORY will take before it is trained: facts that a size holds, seconds, memory and room on the disk."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from training.engine.config import SHAPE, SIZES, EngineConfig, suggested_size


@dataclass(frozen=True)
class Growth:
    """One training from scratch that was measured, on one thread of a processor. Recall lies in [0, 1]."""

    facts: int
    parameters: int
    seconds: float
    trained_recall: float
    held_out_recall: float


# What `python benchmarks/growth.py` measured (docs/measurements.md), ordered by facts; seconds of the processor
# where other work was going on beside it.
GROWTH: tuple[Growth, ...] = (
    Growth(300, 814_000, 46, 1.0, 1.0),
    Growth(1_000, 897_000, 103, 1.0, 1.0),
    Growth(3_000, 2_305_000, 1_444, 1.0, 1.0),
)
MOST_FACTS = 10_000  # what the large size is meant for; trainings of so many were not measured to their end
VECTORS = 3  # biases of queries, keys and values a layer

# Bytes a weight, by what has to be kept for it while it is trained
WEIGHT, GRADIENT, MOMENTS, AVERAGE = 4, 4, 8, 4
HALF, QUARTER = 2.0, 0.6  # a frozen weight in bf16, and in 4 bits with its scales
ADAPTER_SHARE = 0.01  # parameters of adapters of rank 16 on all projections, as a share of the base's
USUAL_RANK = 16
# A checkpoint on the disk
COPIES = 2  # of the state at once: the old one goes when the new one is complete
STATE_WEIGHTS = 4  # the weights, their average, and two moments of the optimiser


@dataclass(frozen=True)
class Forecast:
    """What a training from scratch will take, as far as others like it tell. ``holds`` is in facts."""

    facts: int
    pairs: int
    size: str
    suggested: str
    holds: int
    parameters: int
    seconds: float
    trained_recall: float | None
    held_out_recall: float | None

    @property
    def is_measured(self) -> bool:
        """Whether a training of as many facts was measured; of more, recall is not foretold."""
        return self.trained_recall is not None

    @property
    def share(self) -> float:
        """How full the model will be: 1 is all that its size is meant for."""
        return self.facts / self.holds

    @property
    def is_over(self) -> bool:
        return self.facts > self.holds

    @property
    def warning(self) -> str:
        """What is likely to go wrong, in words; empty where nothing is."""
        if not self.is_over:
            return ""
        told = f"The {self.size} model is meant for up to {self.holds:,} facts and this corpus has {self.facts:,}."
        if self.suggested != self.size:
            return f"{told} Take the {self.suggested} one, or expect facts to be forgotten."
        return f"{told} Expect facts to be forgotten: make the model wider, or take a pretrained base."


def forecast(facts: int, pairs: int, config: EngineConfig) -> Forecast:
    """What training so many facts from scratch will take. ``config`` may leave sizes to be worked out."""
    facts = max(1, facts)
    full = config.resolved(facts)
    suggested = suggested_size(facts)
    parameters = parameters_from_scratch(full)
    # A model of another size than the measured ones takes its time by its weights.
    usual = parameters_from_scratch(config.model_copy(update=_shape(suggested)).resolved(facts))
    return Forecast(
        facts=facts,
        pairs=pairs,
        size=full.size,
        suggested=suggested,
        holds=holds(full.size),
        parameters=parameters,
        seconds=grown("seconds", facts) * parameters / usual,
        trained_recall=grown("trained_recall", facts) if facts <= GROWTH[-1].facts else None,
        held_out_recall=grown("held_out_recall", facts) if facts <= GROWTH[-1].facts else None,
    )


def _shape(size: str) -> dict[str, Any]:
    return {"size": size} | dict.fromkeys(SHAPE, "auto")


def holds(size: str) -> int:
    """The most facts that a size is meant for."""
    most = SIZES[size][0]
    return int(most) if math.isfinite(most) else MOST_FACTS


def grown(figure: str, facts: int) -> float:
    """A figure of ``GROWTH`` at any number of facts: a straight line between two points, both axes logarithmic.

    Beyond the measured points the line of the last two goes on; fewer facts than the first has take no less.
    """
    facts = max(facts, GROWTH[0].facts)
    place = next((i for i, point in enumerate(GROWTH) if facts <= point.facts), len(GROWTH) - 1)
    low, high = GROWTH[max(0, place - 1)], GROWTH[max(1, place)]
    one, other = (math.log(getattr(point, figure)) for point in (low, high))
    along = math.log(facts / low.facts) / math.log(high.facts / low.facts)
    return math.exp(one + along * (other - one))


def parameters_from_scratch(config: EngineConfig) -> int:
    """Weights of the built-in model with a full vocabulary. ``config`` is resolved."""
    hidden, forward = int(config.hidden_size), int(config.feed_forward_size)
    layer = 4 * hidden * hidden + 3 * hidden * forward + (VECTORS + 2) * hidden
    return config.vocabulary_size * hidden + int(config.layers) * layer + hidden


def trained_parameters(parameters: int, config: EngineConfig) -> int:
    """How many weights are trained: all of them, or about as many as the adapters have."""
    if config.method == "full":
        return parameters
    return round(parameters * ADAPTER_SHARE * config.lora_rank / USUAL_RANK)


def memory_bytes(parameters: int, config: EngineConfig, *, on_gpu: bool) -> int:
    """What weights, gradients and the optimiser take in a training. Activations come on top of it."""
    trained = trained_parameters(parameters, config)
    kept = trained * (GRADIENT + MOMENTS + (AVERAGE if config.average else 0))
    if config.method == "full":
        return parameters * (2 if config.weights == "bf16" else WEIGHT) + kept
    is_half = config.weights == "bf16" or (config.weights == "auto" and on_gpu and config.precision != "fp32")
    frozen = QUARTER if config.load_in_4bit else HALF if is_half else WEIGHT
    return round(parameters * frozen) + trained * WEIGHT + kept


def disk_bytes(parameters: int, trained: int) -> int:
    """Room on the disk for the result and for the checkpoints of a training."""
    return WEIGHT * (parameters + trained * (1 + COPIES * STATE_WEIGHTS))
