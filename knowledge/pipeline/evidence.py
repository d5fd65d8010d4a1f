"""Finding the sentence that a model quotes in the passage it read."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rapidfuzz import fuzz

from knowledge.pipeline.types import Passage, Span

#: How alike, of 100, a quotation and its place have to be where they differ by more than white space.
ALIKE = 90
SHORTEST = 8
_LOOSE = {"'": "['’‘]", "’": "['’‘]", '"': '["“”]', "“": '["“”]', "”": '["“”]', "-": "[-–—]", "–": "[-–—]"}


def find_spans(quotations: Iterable[str], passages: Iterable[Passage]) -> tuple[Span, ...]:
    """Where the quotations stand; one that stands in no passage is left out."""
    places = [(quotation, list(passages)) for quotation in quotations]
    found = (span for quotation, those in places for passage in those if (span := find(quotation, passage)))
    return tuple(dict.fromkeys(found))


def find(quotation: str, passage: Passage) -> Span | None:
    """The place of a quotation in a passage, whatever its white space and quotation marks, or None."""
    wanted = quotation.strip().strip('"“”')
    if len(wanted) < SHORTEST:
        return None
    start = passage.text.find(wanted)
    if start >= 0:
        return Span(passage.id, start, start + len(wanted))
    loose = r"\s+".join("".join(_LOOSE.get(c, re.escape(c)) for c in word) for word in wanted.split())
    if match := re.search(loose, passage.text, re.IGNORECASE):
        return Span(passage.id, match.start(), match.end())
    return _alike(wanted, passage)


def _alike(wanted: str, passage: Passage) -> Span | None:
    if len(wanted) > len(passage.text):
        return None
    best = fuzz.partial_ratio_alignment(wanted, passage.text, score_cutoff=ALIKE)
    return Span(passage.id, best.dest_start, best.dest_end) if best else None
