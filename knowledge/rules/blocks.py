"""The structure of a passage: headings, list items, "key: value" lines, table rows, paragraphs of prose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from knowledge.rules.tokens import word_tags

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_BULLET = re.compile(r"^\s*(?:[-*+•–]|\d{1,3}[.)])\s+")
_KEY_VALUE = re.compile(
    r"^(?:\*\*|__)?(?P<key>[A-Z][\w '’/-]{1,40}?)(?:\*\*|__)?\s*:(?:\*\*|__)?\s+(?P<value>\S.*)$"
)
_RULE = re.compile(r"^\s*\|?[\s:|-]*-{2,}[\s:|-]*\|?\s*$")
_UNDERLINE = re.compile(r"^(=+|-{3,})\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")


class BlockKind(StrEnum):
    HEADING = "heading"
    PROSE = "prose"
    KEY_VALUE = "key_value"
    ROW = "row"
    HEADER_ROW = "header_row"


@dataclass(frozen=True)
class Block:
    """A stretch [start, end) of the passage; ``level`` counts for headings, ``cells`` for keys and rows."""

    kind: BlockKind
    text: str
    start: int
    end: int
    level: int = 0
    cells: tuple[str, ...] = ()


def blocks(text: str) -> Iterator[Block]:
    """Cut a passage into blocks. Lines of prose that follow each other form one paragraph."""
    lines = list(_lines(text))
    paragraph: list[tuple[int, str]] = []
    fenced = False
    header: tuple[str, ...] = ()
    for number, (start, line) in enumerate(lines):
        following = lines[number + 1][1] if number + 1 < len(lines) else ""
        if _FENCE.match(line):
            fenced = not fenced
        single = None if fenced or _FENCE.match(line) else _single(line, start, following, header)
        header = (
            single.cells if single and single.kind == BlockKind.HEADER_ROW else header if "|" in line else ()
        )
        begins = not line.strip() or fenced or single is not None or _BULLET.match(line) or _RULE.match(line)
        if begins and paragraph:
            yield _prose(text, paragraph)
            paragraph = []
        if single is not None:
            yield single
        elif (
            line.strip()
            and not fenced
            and not _RULE.match(line)
            and not _UNDERLINE.match(line)
            and not _FENCE.match(line)
        ):
            paragraph.append((start, line))
            if following.strip() and _ends_alone(line, following):
                yield _prose(text, paragraph)
                paragraph = []
    if paragraph:
        yield _prose(text, paragraph)


def _ends_alone(line: str, following: str) -> bool:
    """A short line without a full stop before a capital is a line of its own, not wrapped prose."""
    return len(line) < 60 and not line.rstrip().endswith((".", ",", ";", ":")) and following[:1].isupper()


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, line.rstrip("\r\n")
        start += len(line)


def _prose(text: str, lines: list[tuple[int, str]]) -> Block:
    start, first = lines[0]
    bullet = _BULLET.match(first)
    begin = start + (bullet.end() if bullet else 0)
    end = lines[-1][0] + len(lines[-1][1])
    return Block(BlockKind.PROSE, text[begin:end], begin, end)


def _single(line: str, start: int, following: str, header: tuple[str, ...]) -> Block | None:
    """The block that a line is by itself, if it is one."""
    end = start + len(line)
    if heading := _HEADING.match(line):
        return Block(BlockKind.HEADING, heading[2].strip("*_ "), start, end, len(heading[1]))
    if line.strip() and _UNDERLINE.match(following) and not _UNDERLINE.match(line) and "|" not in line:
        return Block(BlockKind.HEADING, line.strip(), start, end, 1 if following[0] == "=" else 2)
    if "|" in line and not _RULE.match(line):
        cells = tuple(cell.strip(" *_`") for cell in line.strip().strip("|").split("|"))
        is_header = bool(_RULE.match(following)) or not header
        return Block(BlockKind.HEADER_ROW if is_header else BlockKind.ROW, line.strip(), start, end, 0, cells)
    bullet = _BULLET.match(line)
    body = line[bullet.end() :] if bullet else line
    if (pair := _KEY_VALUE.match(body)) and _is_label(pair["key"]):
        begin = start + (bullet.end() if bullet else 0)
        return Block(
            BlockKind.KEY_VALUE, body, begin, end, 0, (pair["key"].strip(), pair["value"].strip(" *_"))
        )
    return None


def _is_label(key: str) -> bool:
    """ "Opening hours" labels a value; "Kestrel supports three languages" is the start of a sentence."""
    words = key.split()
    inner = [word_tags(word) for word in words[1:-1]]
    return len(words) <= 5 and not any(tags & {"VBZ", "AUX", "MD"} or tags == {"VBD"} for tags in inner)
