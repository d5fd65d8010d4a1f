"""One JSON list of pairs: Alpaca and ShareGPT. Files with one object a line are read as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from knowledge.exchange.jsonlines import json_line, pair_from_conversations
from knowledge.exchange.jsontext import BadJSON, Cursor
from knowledge.exchange.records import BadPair, FileRefused, Line, PairRecord, read_pair, text_pair
from knowledge.exchange.texts import whole_text


def write_alpaca(records: Iterable[PairRecord]) -> Iterator[bytes]:
    return json_list({"instruction": each.question, "input": "", "output": each.answer} for each in records)


def read_alpaca(stream: BinaryIO) -> Iterator[Line]:
    return _read(stream, pair_from_instruction)


def write_sharegpt(records: Iterable[PairRecord]) -> Iterator[bytes]:
    return json_list(
        {
            "conversations": [
                {"from": "human", "value": record.question},
                {"from": "gpt", "value": record.answer},
            ]
        }
        for record in records
    )


def read_sharegpt(stream: BinaryIO) -> Iterator[Line]:
    return _read(stream, pair_from_conversations)


def json_list(values: Iterable[Any]) -> Iterator[bytes]:
    """A list with each element on a line of its own."""
    before = b"[\n"
    for value in values:
        yield before + json_line(value).removesuffix(b"\n")
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def pair_from_instruction(value: Any) -> PairRecord:
    """An instruction with its output; an input follows the instruction as a paragraph. Raises BadPair."""
    if not isinstance(value, Mapping) or "instruction" not in value:
        raise BadPair("The field “instruction” is missing. Choose the format that the file is in.")
    parts = [value["instruction"], value.get("input") or ""]
    if not all(isinstance(part, str) for part in parts):
        raise BadPair("The instruction and its input have to be texts.")
    return text_pair("\n\n".join(part for part in parts if part), value.get("output"))


def _read(stream: BinaryIO, read: Callable[[Any], PairRecord]) -> Iterator[Line]:
    cursor = Cursor(whole_text(stream))
    if cursor.peek() not in ("[", "{"):
        raise FileRefused("The file is no JSON list of pairs. Choose the format that it is in.")
    try:
        for _ in cursor.elements() if cursor.peek() == "[" else _one_after_the_other(cursor):
            yield read_pair(cursor.line, read, cursor.value())
        require_end(cursor)
    except BadJSON as error:
        yield broken(error)


def _one_after_the_other(cursor: Cursor) -> Iterator[None]:
    while cursor.peek():
        yield


def require_end(cursor: Cursor) -> None:
    if cursor.peek():
        raise BadJSON(cursor.line, "there is more after its end")


def broken(error: BadJSON) -> Line:
    """The line at which a file stops being JSON."""
    problem = f"The JSON is broken here: {error}. Mend it; what follows was not read."
    return Line(error.number, problem=problem)
