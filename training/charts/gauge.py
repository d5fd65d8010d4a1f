"""The capacity gauge: how full each size of the model from scratch would be, as bars that a template draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.figures import percent
from training.engine.capacity import Forecast, holds
from training.engine.config import SIZES

WIDTH = 400  # of a bar in units of the drawing
MOST = 1.25  # the share at which a bar ends; 1 is full
ROW = 30


@dataclass(frozen=True)
class Bar:
    """A size: how many facts it is meant for, and how much of it the corpus fills."""

    size: str
    holds: int
    share: float
    is_chosen: bool
    top: int

    @property
    def width(self) -> float:
        return round(WIDTH * min(self.share, MOST) / MOST, 1)

    @property
    def is_over(self) -> bool:
        return self.share > 1

    @property
    def text(self) -> str:
        return percent(self.share)


@dataclass(frozen=True)
class Gauge:
    """Bars of all sizes, and the place of the line that means full."""

    bars: tuple[Bar, ...]
    summary: str
    width: int = WIDTH
    full: float = WIDTH / MOST

    @property
    def height(self) -> int:
        return ROW * len(self.bars)


def gauge_of(forecast: Forecast) -> Gauge:
    bars = tuple(_bars(forecast))
    told = ", ".join(f"{bar.size} {bar.text} full" for bar in bars)
    return Gauge(bars, f"{forecast.facts:,} facts: {told}; the {forecast.size} model is planned")


def _bars(forecast: Forecast) -> Iterator[Bar]:
    for place, size in enumerate(SIZES):
        most = holds(size)
        yield Bar(size, most, forecast.facts / most, size == forecast.size, ROW * place)
