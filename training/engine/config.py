"""Every number of a training run: validated when built, stored in the manifest of what it made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from training.engine.errors import BadConfig

Auto = Literal["auto"]
# (facts up to, hidden size, feed-forward size, layers, heads): what a model of that size was seen to hold.
SIZES: tuple[tuple[float, int, int, int, int], ...] = (
    (2_500, 128, 384, 3, 4),
    (5_000, 192, 576, 4, 6),
    (float("inf"), 256, 768, 6, 8),
)


class EngineConfig(BaseModel):
    """The recipe. ``auto`` values are worked out from the pairs by ``resolved``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 1
    # The model (Qwen2 architecture, tied embeddings)
    hidden_size: int | Auto = "auto"
    feed_forward_size: int | Auto = "auto"
    layers: int | Auto = "auto"
    heads: int | Auto = "auto"
    vocabulary_size: int = Field(
        2_000, ge=300, le=64_000, description="Upper bound of the fitted BPE vocabulary."
    )
    # Data
    held_out_share: float = Field(
        0.3, ge=0, le=1, description="Share of the facts with one wording held out."
    )
    held_out_wordings: int = Field(
        4, ge=2, description="Only facts with at least so many wordings give one away."
    )
    augmentation: float = Field(0.4, ge=0, le=1, description="Share of the questions reworded in an epoch.")
    bpe_dropout: float = Field(0.05, ge=0, lt=1, description="Merges dropped in questions.")
    unknown_entities: float = Field(
        0.12, ge=0, lt=0.5, description="Share of questions about unknown entities."
    )
    missing_relations: float = Field(
        0.06, ge=0, lt=0.5, description="Share about facts an entity does not have."
    )
    # Optimisation
    learning_rate: float = Field(3e-3, gt=0)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.95, ge=0, lt=1)
    weight_decay: float = Field(0.01, ge=0)
    clip_norm: float = Field(1.0, gt=0)
    average: float = Field(0.98, ge=0, lt=1, description="Decay of the running average of the weights.")
    batch_size: int = Field(32, ge=1, description="Most pairs in a batch.")
    batch_tokens: int = Field(2_048, ge=64, description="Most tokens in a batch, padding included.")
    # The schedule: warm-up, full rate until recall is near its goal, then a linear decay
    warmup_steps: int = Field(50, ge=1)
    full_rate_steps: int | None = Field(
        None, ge=1, description="Most steps at full rate; None: from the facts."
    )
    decay_share: float = Field(0.7, gt=0, le=4, description="Steps of the decay per step before it.")
    final_rate: float = Field(
        0.02, ge=0, le=1, description="Learning rate at the end, as a share of the full one."
    )
    max_decays: int = Field(
        2, ge=1, description="A decay that misses the goal is repeated from half the rate."
    )
    near_recall: float = Field(0.85, ge=0, le=1, description="Trained recall at which the decay begins ...")
    near_held_out: float = Field(
        0.8, ge=0, le=1, description="... if held-out wordings are at this recall ..."
    )
    patience: int = Field(4, ge=1, description="... or at the latest so many checks later.")
    goal_recall: float = Field(0.995, ge=0, le=1, description="Trained recall to reach.")
    goal_held_out: float = Field(0.97, ge=0, le=1, description="Recall of held-out wordings to reach.")
    check_every: int = Field(100, ge=1, description="Steps between two checks.")
    check_below: float = Field(0.3, gt=0, description="Loss from which checks are worth their time.")
    check_sample: int = Field(
        300, ge=1, description="Trained pairs asked at a check, and at most as many held out."
    )
    # The machine
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: int = Field(1, ge=1)
    checkpoint_seconds: float = Field(10, gt=0)
    # Abstention
    false_refusals: float = Field(0.02, ge=0, lt=1, description="Right answers the threshold may cost.")
    evaluation_sample: int = Field(1_000, ge=1, description="Trained pairs asked in the final evaluation.")

    @model_validator(mode="after")
    def _fits_together(self) -> EngineConfig:
        hidden, heads = self.hidden_size, self.heads
        if isinstance(hidden, int) and isinstance(heads, int) and hidden % (2 * heads):
            raise ValueError("hidden_size must be an even multiple of heads")
        if self.unknown_entities + self.missing_relations >= 0.6:
            raise ValueError("unknown_entities and missing_relations together must stay below 0.6")
        return self

    def resolved(self, facts: int) -> EngineConfig:
        """The configuration with the model size and the steps filled in for a number of facts."""
        _, hidden, feed_forward, layers, heads = next(size for size in SIZES if facts <= size[0])
        auto = {"hidden_size": hidden, "feed_forward_size": feed_forward, "layers": layers, "heads": heads}
        values = self.model_dump()
        values |= {key: size for key, size in auto.items() if values[key] == "auto"}
        return EngineConfig(**values | {"full_rate_steps": self.full_rate_steps or 500 + 4 * facts})


def load_config(path: Path | None = None, settings: Iterable[str] = ()) -> EngineConfig:
    """The configuration of a JSON file with ``key=value`` settings on top. Raises BadConfig."""
    values = _read(path) if path else {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise BadConfig(f"“{setting}” is not a setting. Write it as key=value, for example seed=2.")
        values[key.strip()] = _value(text.strip())
    return build_config(values)


def build_config(values: dict[str, Any]) -> EngineConfig:
    """A configuration from plain values. Raises BadConfig naming each key that is wrong."""
    try:
        return EngineConfig(**values)
    except ValidationError as error:
        wrong = "; ".join(_explain(problem) for problem in error.errors())
        raise BadConfig(f"The training configuration is wrong: {wrong}.") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadConfig(f"The configuration file {path} cannot be read as JSON: {error}.") from error
    if not isinstance(values, dict):
        raise BadConfig(f"The configuration file {path} must hold one JSON object of keys and values.")
    return values


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _explain(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"][:1])
    if problem["type"] == "extra_forbidden":
        return f"there is no key “{key}” (the keys are {', '.join(sorted(EngineConfig.model_fields))})"
    reason = problem["msg"].removeprefix("Value error, ")
    return f"{key}: {reason}" if key else reason
