"""Which stretches of a text are marked; plain values, so that a template escapes and marks them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Stretch(NamedTuple):
    """A piece of a text, and whether it is to be marked."""

    text: str
    marked: bool


def stretches(text: str, spans: Iterable[tuple[int, int]]) -> list[Stretch]:
    """Cut ``text`` at the spans [start, end); overlapping spans are one mark, the pieces together are the text."""
    pieces: list[Stretch] = []
    place = 0
    for start, end in sorted(spans):
        start, end = max(start, place), min(end, len(text))
        if start >= end:
            continue
        if start > place:
            pieces.append(Stretch(text[place:start], False))
        pieces.append(Stretch(text[start:end], True))
        place = end
    if place < len(text):
        pieces.append(Stretch(text[place:], False))
    return pieces
