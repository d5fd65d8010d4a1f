"""What a merge kept of what its parents knew, and what it and a retraining cost: for pages and terminals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from knowledge.figures import percent

#: Key of a figure: its name on pages, and whether more of it is better.
FIGURES = {
    "trained_recall": ("Recall on trained questions", True),
    "held_out_recall": ("Recall on held-out wordings", True),
    "false_answer_rate": ("False answers", False),
}


@dataclass(frozen=True)
class Kept:
    """One figure on one parent's questions: the parent itself and the merged version, as shares in [0, 1]."""

    label: str
    own: float
    merged: float
    more_is_better: bool

    @property
    def change(self) -> str:
        """The difference in points, such as “−12.0 points”."""
        points = round(100 * (self.merged - self.own), 1)
        if not points:
            return "same"
        return f"{'+' if points > 0 else '−'}{abs(points):.1f} points"

    @property
    def is_worse(self) -> bool:
        return (self.merged < self.own) if self.more_is_better else (self.merged > self.own)


@dataclass(frozen=True)
class ParentReport:
    """What is left of one parent. ``name`` is what it was called when it was merged."""

    name: str
    figures: list[Kept]
    training_seconds: float | None


@dataclass(frozen=True)
class MergeReport:
    """Seconds of the merge, of asking afterwards, and of training all parents, which a retraining is judged by."""

    parents: list[ParentReport]
    seconds: float
    evaluation_seconds: float
    training_seconds: float | None
    adapter_kept: float | None

    def lines(self) -> Iterator[str]:
        """The report for a terminal."""
        for parent in self.parents:
            told = (
                f"{kept.label.lower()} {percent(kept.merged)} ({kept.change} to its {percent(kept.own)})"
                for kept in parent.figures
            )
            yield f"  {parent.name}: {'; '.join(told)}"
        trained = (
            f", training the parents took {self.training_seconds:.0f} s" if self.training_seconds else ""
        )
        yield f"  merging took {self.seconds:.1f} s{trained}"


def report_of(result: dict[str, Any]) -> MergeReport | None:
    """The report of a merge that is done; None of any other."""
    if not result.get("exams"):
        return None
    return MergeReport(
        [
            ParentReport(exam["name"], list(_kept(exam["own"], exam["merged"])), exam.get("training_seconds"))
            for exam in result["exams"]
        ],
        result["seconds"],
        result["evaluation_seconds"],
        result.get("training_seconds"),
        result.get("adapter_kept"),
    )


def _kept(own: dict[str, Any], merged: dict[str, Any]) -> Iterator[Kept]:
    """Figures that both have: a parent without held-out wordings was not asked any."""
    for key, (label, more_is_better) in FIGURES.items():
        if own.get(key) is not None and merged.get(key) is not None:
            yield Kept(label, own[key], merged[key], more_is_better)
