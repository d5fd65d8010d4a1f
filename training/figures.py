"""The figures of a version as its page shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from knowledge.figures import duration, percent


def count(value: float) -> str:
    """A number of things, in groups of three digits."""
    return f"{value:,.0f}"


def plain(value: float | str) -> str:
    """A number with three significant digits, or as many as a whole number has; words as they are."""
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Figure:
    """One figure with its name and, where the name is not enough, what it means."""

    label: str
    text: str
    hint: str = ""


EXACTLY = "Trained questions that are answered exactly."

#: What a version's metrics are called, how they are worded, and what they mean.
METRICS: dict[str, tuple[str, Callable[[Any], str], str]] = {
    "trained_recall": ("Recall on trained questions", percent, EXACTLY),
    "recall": ("Recall on trained questions", percent, EXACTLY),  # as other trainers call it
    "held_out_recall": (
        "Recall on held-out wordings",
        percent,
        "Questions about trained facts in wordings that were kept out of the training.",
    ),
    "false_answer_rate": (
        "False answers",
        percent,
        "Questions about things it was never taught that it answers instead of abstaining.",
    ),
    "false_refusal_rate": (
        "False refusals",
        percent,
        "Questions that it could answer but abstains from.",
    ),
    "auroc": (
        "AUROC of the confidence",
        plain,
        "How often it is surer of a known fact than of something unknown: 1 is always, 0.5 is chance.",
    ),
    "calibration": (
        "Calibration error",
        percent,
        "How far its confidence is from the share of right answers, on average.",
    ),
    "held_out_questions": ("Held-out wordings asked", count, ""),
    "unknown_questions": ("Unknown things asked about", count, ""),
    "threshold": ("Abstention threshold", plain, "Answers that score lower become “I don't know”."),
    "loss": ("Final training loss", plain, ""),
    "pairs": ("Trained pairs", count, ""),
    "facts": ("Facts", count, ""),
    "parameters": ("Parameters", count, "The size of the model."),
    "seconds": ("Training time", duration, ""),
    "merge_seconds": ("Merging time", duration, "Without asking what is left of what each parent knew."),
}


def figures_of(metrics: dict[str, Any]) -> list[Figure]:
    """The known metrics in their order, then any other number under its own name; what is missing is left out."""
    known = [
        Figure(label, worded(metrics[name]), hint)
        for name, (label, worded, hint) in METRICS.items()
        if _is_number(metrics.get(name))
    ]
    others = [
        Figure(_named(name), plain(value))
        for name, value in metrics.items()
        if name not in METRICS and _is_number(value)
    ]
    return known + others


def settings_of(config: dict[str, Any]) -> list[Figure]:
    """The settings of a training that are single values."""
    return [
        Figure(_named(name), plain(value))
        for name, value in config.items()
        if isinstance(value, str | int | float)
    ]


def _named(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
