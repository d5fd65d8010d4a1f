"""Figures by day as the columns of a small chart, drawn by a template."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chat.usage_report import OUTCOMES, Figures, Part

WIDTH, HEIGHT = 600, 140  # of the plot itself, in units of the drawing
GAP = 0.2  # of a column's width
OUTCOME_NAMES = {
    "answered": "answered",
    "abstained": "memory did not know",
    "stopped": "stopped",
    "failed": "failed",
}


@dataclass(frozen=True)
class Box:
    """A part of a column; ``kind`` says what it counts, ``told`` what it stands for."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    told: str


@dataclass(frozen=True)
class Columns:
    """A chart of one column a day, from 0 to ``most``; ``keys`` are the kinds that occur, with their names."""

    title: str
    boxes: list[Box]
    most: str
    first: str
    last: str
    summary: str
    keys: list[tuple[str, str]]
    width: int = WIDTH
    height: int = HEIGHT


def charts_of(days: Sequence[Part]) -> list[Columns]:
    """Questions by outcome, and what the EXECUTIVEs took where they took something. None without questions."""
    if not any(day.figures.questions for day in days):
        return []
    charts = [_outcomes(days)]
    if any(day.figures.cost for day in days):
        charts.append(_single("US dollars a day", days, lambda figures: float(figures.cost), "${:,.2f}"))
    if any(day.figures.tokens for day in days):
        charts.append(_single("Tokens a day", days, lambda figures: figures.tokens, "{:,.0f}"))
    return charts


def _outcomes(days: Sequence[Part]) -> Columns:
    most = round_above(max(day.figures.questions for day in days))
    boxes = []
    for place, day in enumerate(days):
        below = 0
        for kind in OUTCOMES:
            number = getattr(day.figures, kind)
            told = f"{day.name}: {number} {OUTCOME_NAMES[kind]}"
            boxes += _box(place, len(days), below / most, number / most, kind, told)
            below += number
    present = {box.kind for box in boxes}
    keys = [(kind, OUTCOME_NAMES[kind]) for kind in OUTCOMES if kind in present]
    total = sum(day.figures.questions for day in days)
    return _columns("Questions a day", boxes, days, f"{most:,.0f}", keys, f"{total:,} in all, {_peak(days)}")


def _single(title: str, days: Sequence[Part], value: Callable[[Figures], float], form: str) -> Columns:
    values = [value(day.figures) for day in days]
    most = round_above(max(values))
    boxes = []
    for place, (day, number) in enumerate(zip(days, values, strict=True)):
        boxes += _box(place, len(days), 0, number / most, "plain", f"{day.name}: {form.format(number)}")
    return _columns(title, boxes, days, form.format(most), [], f"{form.format(sum(values))} in all")


def _box(place: int, columns: int, below: float, share: float, kind: str, told: str) -> list[Box]:
    """The part of a column from ``below`` upwards, both as shares of the height; nothing for nothing."""
    if share <= 0:
        return []
    width = WIDTH / columns
    x, y = width * (place + GAP / 2), HEIGHT * (1 - below - share)
    return [Box(round(x, 2), round(y, 2), round(width * (1 - GAP), 2), round(HEIGHT * share, 2), kind, told)]


def _columns(
    title: str,
    boxes: list[Box],
    days: Sequence[Part],
    most: str,
    keys: list[tuple[str, str]],
    summary: str,
) -> Columns:
    return Columns(title, boxes, most, days[0].name, days[-1].name, summary, keys)


def _peak(days: Sequence[Part]) -> str:
    day = max(days, key=lambda day: day.figures.questions)
    return f"most on {day.name} ({day.figures.questions:,})"


def round_above(value: float) -> float:
    """The next number of the form 1, 2 or 5 times a power of ten: what an axis ends with."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)
