"""How well a version tells what it knows from what it does not, as its page shows it: a table and a small plot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from knowledge.figures import percent

WIDTH, HEIGHT, GAP = 480, 110, 6  # of the plot, and between the bars of two bins, in units of the drawing

#: What the questions of each kind are called, the known ones first.
KINDS = {
    "held_out": "Known facts in wordings never trained on",
    "unknown_entities": "Unknown entities",
    "unknown_attributes": "Unknown attributes of known entities",
}
KNOWN = "held_out"


@dataclass(frozen=True)
class Row:
    """A kind of question: how many were asked, the share answered, and the AUROC against the known facts."""

    label: str
    asked: int | None
    answered: float | None
    is_known: bool
    auroc: float | None

    @property
    def refused(self) -> float | None:
        return None if self.answered is None else 1 - self.answered


@dataclass(frozen=True)
class Bar:
    """A bar of the plot: the share of one group's answers whose confidence lies in one bin."""

    x: float
    y: float
    width: float
    height: float
    group: str
    told: str


@dataclass(frozen=True)
class Abstaining:
    """The rows of the table and, where confidences were kept, the bars and where the threshold lies."""

    rows: list[Row]
    bars: list[Bar]
    threshold: float | None
    threshold_x: float
    summary: str
    width: int = WIDTH
    height: int = HEIGHT


def abstaining_of(metrics: Mapping[str, Any]) -> Abstaining | None:
    """What a version's metrics tell of its abstention; None where it was not measured."""
    if metrics.get("false_answer_rate") is None and metrics.get("false_refusal_rate") is None:
        return None
    rows = [row for row in (_row(kind, metrics) for kind in KINDS) if row.answered is not None]
    threshold = metrics.get("threshold")
    return Abstaining(
        rows=rows,
        bars=_bars(metrics.get("confidences") or {}),
        threshold=threshold,
        threshold_x=WIDTH * (threshold or 0.0),
        summary=_summary(metrics.get("confidences") or {}, threshold),
    )


def _row(kind: str, metrics: Mapping[str, Any]) -> Row:
    if kind == KNOWN:
        refused = metrics.get("false_refusal_rate")
        answered = None if refused is None else 1 - refused
        return Row(KINDS[kind], metrics.get("held_out_questions"), answered, True, None)

    def of(name: str) -> Any:
        return (metrics.get(f"{name}_by_kind") or {}).get(kind)

    return Row(KINDS[kind], of("unknown_questions"), of("false_answer_rate"), False, of("auroc"))


def _groups(confidences: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """The counts of known and of unknown questions by bin; empty where either was not asked."""
    known = confidences.get(KNOWN) or []
    unknown = [counts for kind, counts in confidences.items() if kind != KNOWN]
    groups = {"known": known, "unknown": [sum(counts) for counts in zip(*unknown, strict=True)]}
    return groups if all(sum(counts) for counts in groups.values()) else {}


def _bars(confidences: Mapping[str, list[int]]) -> list[Bar]:
    groups = _groups(confidences)
    shares = {name: [count / sum(counts) for count in counts] for name, counts in groups.items()}
    highest = max((share for counts in shares.values() for share in counts), default=1.0)
    bars = []
    for place, (name, counts) in enumerate(shares.items()):
        step = WIDTH / len(counts)
        width = (step - GAP) / len(shares)
        for number, share in enumerate(counts):
            height = HEIGHT * share / highest
            left = number * step + GAP / 2 + place * width
            told = f"{name}: {percent(share)} from {number / len(counts):.1f} to {(number + 1) / len(counts):.1f}"
            bars.append(Bar(round(left, 1), round(HEIGHT - height, 1), width, round(height, 1), name, told))
    return bars


def _summary(confidences: Mapping[str, list[int]], threshold: float | None) -> str:
    """The plot in words, for whoever does not see it."""
    groups = _groups(confidences)
    if not groups:
        return ""
    upper = {name: sum(counts[len(counts) // 2 :]) / sum(counts) for name, counts in groups.items()}
    known, unknown = percent(upper["known"]), percent(upper["unknown"])
    said = f"A confidence of 0.5 or more: {known} of the known questions, {unknown} of the unknown ones"
    return f"{said}; the threshold is {threshold:.2f}" if threshold is not None else said
