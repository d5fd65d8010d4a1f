"""Seconds and tokens a question by contestant and size of the corpus, as an SVG for light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

WIDTH, HEIGHT, MARGIN = 360, 300, 56
COLOURS = ("#3b82f6", "#f59e0b", "#ef4444", "#10b981", "#8b5cf6", "#888")
GREY = "#888"
PANELS = (
    ("seconds", "seconds a question (logarithmic)", "{:.3g}"),
    ("read_tokens", "tokens read a question (logarithmic)", "{:.0f}"),
)


def plot(rows: Sequence[dict[str, Any]]) -> str:
    """Two panels with logarithmic height, one line a contestant."""
    names = list(dict.fromkeys(row["contestant"] for row in rows))
    panels = "".join(
        f'<g transform="translate({number * WIDTH} 0)">{"".join(panel(rows, names, *each))}</g>'
        for number, each in enumerate(PANELS)
    )
    key = "".join(
        text(20 + number % 3 * 230, HEIGHT + 24 + number // 3 * 22, f"● {name}", COLOURS[number], "start")
        for number, name in enumerate(names)
    )
    title = "<title>Seconds and tokens read a question, by contestant and number of documents</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT + 60}" role="img"'
    return f'{head} font-family="sans-serif" font-size="13">{title}{panels}{key}</svg>\n'


def panel(
    rows: Sequence[dict[str, Any]], names: Sequence[str], figure: str, label: str, form: str
) -> Iterator[str]:
    floor = HEIGHT - MARGIN
    sizes = sorted({row["documents"] for row in rows})
    across, up = (
        axis(sizes, MARGIN + 10, WIDTH - 30),
        axis([row[figure] for row in rows], floor - 10, 50, True),
    )
    yield text(MARGIN, 24, label, GREY, "start")
    yield text(WIDTH / 2, HEIGHT - 12, "documents", GREY)
    yield f'<line x1="{MARGIN}" y1="{floor}" x2="{WIDTH - 20}" y2="{floor}" stroke="{GREY}"/>'
    for size in sizes:
        yield text(across(size), floor + 20, f"{size:,}", GREY)
    values = [row[figure] for row in rows]
    for value in dict.fromkeys((min(values), max(values))):
        yield text(MARGIN - 4, up(value) + 4, form.format(value), GREY, "end")
    for name, colour in zip(names, COLOURS, strict=False):
        own = [row for row in rows if row["contestant"] == name]
        places = [(across(row["documents"]), up(row[figure])) for row in own]
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield from (f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="{colour}"/>' for x, y in places)


def axis(
    values: Sequence[float], start: float, end: float, is_logarithmic: bool = False
) -> Callable[[float], float]:
    """Where a value lies between two places; all of them in the middle where they are one."""

    def of(value: float) -> float:
        return math.log10(max(value, 1e-6)) if is_logarithmic else value

    low, high = of(min(values)), of(max(values))
    if low == high:
        return lambda value: (start + end) / 2
    return lambda value: start + (of(value) - low) / (high - low) * (end - start)


def text(x: float, y: float, words: str, colour: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}" text-anchor="{anchor}">{words}</text>'


if __name__ == "__main__":
    raise SystemExit("python benchmarks/evaluation.py DIR --plot FILE")
