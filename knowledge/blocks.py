"""A document's clean text as headings, lists and paragraphs for reading on a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Block:
    """Lines of one kind: heading, list or paragraph. The marks of headings and list items are gone."""

    kind: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def blocks_of(text: str) -> Iterator[Block]:
    """The blocks of a text in which headings begin with ``#``, list items with ``- ``, and blank lines divide."""
    for kind, lines in groupby(text.splitlines(), key=_kind):
        if kind == "heading":
            yield from (Block(kind, (line.lstrip("# "),)) for line in lines)
        elif kind:
            yield Block(kind, tuple(line.strip().removeprefix("- ") for line in lines))


def _kind(line: str) -> str:
    line = line.strip()
    if line.startswith("#"):
        return "heading"
    if line.startswith("- "):
        return "list"
    return "paragraph" if line else ""
