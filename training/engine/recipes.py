"""Presets of the configuration: the values in which each differs from training from scratch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from training.engine.errors import BadConfig


@dataclass(frozen=True)
class Recipe:
    """A named set of values. ``needs_base``: only for a pretrained base."""

    name: str
    title: str
    about: str
    needs_base: bool
    values: dict[str, Any]


# What every training of a pretrained base has in common (MeMo, arXiv 2605.15156, section on training MEMORY).
_PRETRAINED: dict[str, Any] = {
    "bpe_dropout": 0.0,
    "average": 0.0,
    "beta2": 0.999,
    "weight_decay": 0.01,
    "clip_norm": 1.0,
    "schedule": "constant",
    "epochs": 3,
    "warmup_share": 0.05,
    "batch_size": 64,
    "batch_tokens": 8_192,
    "accumulate": 4,
    "gradient_checkpointing": True,
    "check_every": 25,
    "check_below": 1.0,
    "checkpoint_seconds": 300,
}
_PAPER = _PRETRAINED | {
    "augmentation": 0.0,
    "unknown_entities": 0.0,
    "missing_relations": 0.0,
    "held_out_share": 0.0,
}
_LORA: dict[str, Any] = {"method": "lora", "learning_rate": 2e-4}
_OURS: dict[str, Any] = {"augmentation": 0.3, "epochs": 8, "schedule": "linear", "stop_after": 4}

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "from-scratch",
            "From scratch",
            "A small model of its own for this corpus. Trains on a laptop and stops when recall is at its goal.",
            False,
            {},
        ),
        Recipe(
            "paper-full",
            "Full fine-tune, as in the paper",
            "Three epochs over the pairs as they are: constant rate 2e-5 after 5 % warm-up, 256 pairs a step.",
            True,
            _PAPER | {"learning_rate": 2e-5},
        ),
        Recipe(
            "paper-lora",
            "LoRA, as in the paper",
            "Three epochs over the pairs as they are: rank 16, alpha 32, constant rate 2e-4 after 5 % warm-up.",
            True,
            _PAPER | _LORA,
        ),
        Recipe(
            "full",
            "Full fine-tune, with abstention",
            "Questions reworded, “I don't know” mixed in, and stopped early on held-out recall.",
            True,
            _PRETRAINED | _OURS | {"learning_rate": 2e-5},
        ),
        Recipe(
            "lora",
            "LoRA, with abstention",
            "Questions reworded, “I don't know” mixed in, and stopped early on held-out recall.",
            True,
            _PRETRAINED | _OURS | _LORA,
        ),
    )
}


def recipe_values(name: str) -> dict[str, Any]:
    """The values of a preset. Raises BadConfig naming the presets there are."""
    if name not in RECIPES:
        raise BadConfig(f"There is no recipe “{name}”. Choose one of {', '.join(RECIPES)}.")
    return dict(RECIPES[name].values)
