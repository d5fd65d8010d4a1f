"""Cutting a document's text into passages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.ingest.types import ChunkSpan

PARAGRAPH = re.compile(r"\S(?:.*?\S)??(?=\s*\n[ \t]*\n|\s*\Z)", re.S)
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")
Range = tuple[int, int]


def split_into_chunks(text: str, target_characters: int = 1200) -> list[ChunkSpan]:
    """Passages of about ``target_characters`` that hold every non-blank character exactly once, in order.

    A passage starts at a section's heading where it can, a heading stays with the paragraph below it, and a
    sentence is cut only if it alone is longer than the target. ``text[start:end] == chunk.text``, always.
    """
    chunks: list[Range] = []
    for start, end in _pieces(text, target_characters):
        if chunks and _belongs(text, chunks[-1], (start, end), target_characters):
            chunks[-1] = (chunks[-1][0], end)
        else:
            chunks.append((start, end))
    return [ChunkSpan(start, end, text[start:end]) for start, end in chunks]


def _belongs(text: str, chunk: Range, piece: Range, target: int) -> bool:
    """Whether a piece goes into the chunk before it: it fits, or that chunk ends in a heading."""
    last_line = text[chunk[0] : chunk[1]].rsplit("\n", 1)[-1]
    if last_line.startswith("#"):
        return True
    return piece[1] - chunk[0] <= target and not text.startswith("#", piece[0])


def _pieces(text: str, target: int) -> Iterator[Range]:
    """Paragraphs; a paragraph that is too long comes in sentences, a sentence that is too long in words."""
    for match in PARAGRAPH.finditer(text):
        start, end = match.span()
        if end - start <= target:
            yield start, end
            continue
        for sentence in _split(text, start, end, SENTENCE_END):
            yield from _cut(text, *sentence, target)


def _split(text: str, start: int, end: int, boundary: re.Pattern[str]) -> Iterator[Range]:
    position = start
    for match in boundary.finditer(text, start, end):
        closing = match.start() + len(match.group().rstrip())
        if closing > position:
            yield position, closing
        position = match.end()
    if position < end:
        yield position, end


def _cut(text: str, start: int, end: int, target: int) -> Iterator[Range]:
    """Cut a sentence longer than the target at the last blank before it, or in the middle of a word."""
    while end - start > target:
        blank = max(text.rfind(" ", start, start + target), text.rfind("\n", start, start + target))
        cut = blank if blank > start else start + target
        yield start, start + len(text[start:cut].rstrip())
        start = cut + len(text[cut:end]) - len(text[cut:end].lstrip())
    if start < end:
        yield start, end
