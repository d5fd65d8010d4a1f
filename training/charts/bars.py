"""Shares with their intervals as horizontal bars, drawn by a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.figures import percent

WIDTH = 600  # of the plot itself, in units of the drawing
ROW, BAR, LABEL, TOLD = (
    72,
    14,
    18,
    58,
)  # height of a row, of its bar, and where its label and its figures stand


@dataclass(frozen=True)
class Measured:
    """A share in [0, 1] with its 95 % interval and whose it is."""

    label: str
    share: float
    low: float
    high: float

    @property
    def in_words(self) -> str:
        return f"{percent(self.share)} ({percent(self.low)} to {percent(self.high)})"


@dataclass(frozen=True)
class Bar:
    """A bar with its whisker, in units of the drawing. ``told`` is the share with its interval."""

    label: str
    told: str
    label_y: int
    told_y: int
    y: int
    middle: float
    width: float
    low: float
    high: float
    is_first: bool


@dataclass(frozen=True)
class Bars:
    """A chart from 0 to 100 %. The first bar is what the others are judged by."""

    title: str
    bars: list[Bar]
    height: int
    summary: str
    width: int = WIDTH
    bar_height: int = BAR


def bars_of(title: str, rows: Sequence[Measured]) -> Bars:
    """One bar a row, in their order."""
    bars = [_bar(place, row) for place, row in enumerate(rows)]
    summary = "; ".join(f"{row.label} {row.in_words}" for row in rows)
    return Bars(title, bars, ROW * len(rows), summary)


def _bar(place: int, row: Measured) -> Bar:
    y = ROW * place + LABEL + 6
    return Bar(
        label=row.label,
        told=row.in_words,
        label_y=ROW * place + LABEL,
        told_y=ROW * place + TOLD,
        y=y,
        middle=y + BAR / 2,
        width=round(WIDTH * row.share, 1),
        low=round(WIDTH * row.low, 1),
        high=round(WIDTH * row.high, 1),
        is_first=not place,
    )
