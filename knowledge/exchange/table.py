"""CSV for table programs. A text that a table program would take for a formula gets an apostrophe in front.

The apostrophe goes to every text that begins with such a character, and to every text that begins with apostrophes
and then such a character; reading takes one away. So what was written always comes back as it was.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from knowledge.exchange.records import FIELDS, BadPair, FileRefused, Line, PairRecord, as_mapping, record_from
from knowledge.exchange.texts import text_lines

LIKE_A_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
BYTE_ORDER_MARK = "\ufeff"  # table programs take a file without it for something other than UTF-8
LONGEST_CELL = 2**31 - 1
YES_AND_NO = {"true": True, "false": False}


class _Rows:
    """What a CSV writer writes to: it hands each row back."""

    def write(self, row: str) -> str:
        return row


# --- Writing -----------------------------------------------------------------------------------------------
def write_table(records: Iterable[PairRecord]) -> Iterator[bytes]:
    writer: Any = csv.writer(_Rows(), quoting=csv.QUOTE_ALL)
    yield f"{BYTE_ORDER_MARK}{writer.writerow(FIELDS)}".encode()
    for record in records:
        yield writer.writerow(harmless(cell) for cell in _cells(record)).encode()


def harmless(text: str) -> str:
    """The text as a table program shows it and never runs it."""
    return f"'{text}" if LIKE_A_FORMULA.match(text) else text


def as_it_was(cell: str) -> str:
    """The text that ``harmless`` was given."""
    return cell[1:] if cell.startswith("'") and LIKE_A_FORMULA.match(cell) else cell


def _cells(record: PairRecord) -> Iterator[str]:
    for value in as_mapping(record).values():
        if isinstance(value, list | bool):
            yield json.dumps(value, ensure_ascii=False) if value or value is False else ""
        else:
            yield "" if value is None else str(value)


# --- Reading -----------------------------------------------------------------------------------------------
def read_table(stream: BinaryIO) -> Iterator[Line]:
    lines = text_lines(stream)
    separator, names = head_of(next(lines, ""), ("question", "answer"))
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        number = reader.line_num + 2  # the header is line 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number, problem=f"This line is no CSV: {error}. Look at its quotation marks.")
        else:
            if any(cells):
                yield _line(number, names, cells)


def head_of(header: str, needed: Sequence[str]) -> tuple[str, list[str]]:
    """What separates the cells of a table with this first line, and the names of its columns in small letters.

    Raises FileRefused unless it names each column that is needed once.
    """
    if "\r" in header.rstrip("\r\n"):
        raise FileRefused("The lines end in an old way. Save the file as “CSV UTF-8” and bring it in again.")
    separator = max(",;\t", key=header.count)
    try:
        names = [name.strip().lower() for name in next(csv.reader([header], delimiter=separator), [])]
    except csv.Error as error:
        raise FileRefused("The first line is no CSV. Choose the format that the file is in.") from error
    for name in needed:
        if names.count(name) != 1:
            raise FileRefused(f"The first line has to name one column “{name}”. Add it, and save as CSV.")
    return separator, names


def _line(number: int, names: list[str], cells: list[str]) -> Line:
    if len(cells) != len(names):
        counts = f"This line has {len(cells)} cells, the first line {len(names)}"
        return Line(number, problem=f"{counts}. Put texts with commas or line ends in quotation marks.")
    try:
        values = {name: _value(name, as_it_was(cell)) for name, cell in zip(names, cells, strict=True)}
        return Line(number, record_from(values))
    except BadPair as error:
        return Line(number, problem=str(error))


def _value(name: str, cell: str) -> Any:
    if name == "id":
        whole = cell.strip().removesuffix(".0")
        return int(whole) if re.fullmatch("[0-9]{1,19}", whole) else cell
    if name == "retired":
        return YES_AND_NO.get(cell.strip().lower(), cell)
    if name in ("flags", "sources") and cell.strip():
        try:
            return json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise BadPair(f"“{name}” is no JSON list. Leave it as it was exported, or empty it.") from error
    return cell
