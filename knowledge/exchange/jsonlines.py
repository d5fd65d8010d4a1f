"""One JSON object a line: all that is known of a pair, or the messages of a fine-tuning service."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from knowledge.exchange.records import (
    BadPair,
    FileRefused,
    Line,
    PairRecord,
    as_mapping,
    read_pair,
    record_from,
    text_pair,
)
from knowledge.exchange.texts import text_lines


def write_all(records: Iterable[PairRecord]) -> Iterator[bytes]:
    return (json_line(as_mapping(record)) for record in records)


def read_all(stream: BinaryIO) -> Iterator[Line]:
    return _read(stream, record_from)


def write_messages(records: Iterable[PairRecord]) -> Iterator[bytes]:
    for record in records:
        asked = {"role": "user", "content": record.question}
        yield json_line({"messages": [asked, {"role": "assistant", "content": record.answer}]})


def read_messages(stream: BinaryIO) -> Iterator[Line]:
    return _read(stream, pair_from_messages)


def json_line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _read(stream: BinaryIO, read: Callable[[Any], PairRecord]) -> Iterator[Line]:
    for number, text in enumerate(text_lines(stream), start=1):
        if not text.strip():
            continue
        if number == 1 and text.lstrip().startswith("["):
            raise FileRefused("The file is one JSON list. Choose one of the formats that are lists.")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "the value is too large")
            yield Line(number, problem=f"This line is not JSON: {reason}. Write one object on one line.")
        else:
            yield read_pair(number, read, value)


def pair_from_messages(value: Any) -> PairRecord:
    """The one question and the one answer of a conversation. Raises BadPair."""
    turns = value.get("messages") if isinstance(value, Mapping) else None
    return _one_exchange(turns, "messages", speaker="role", words="content")


def pair_from_conversations(value: Any) -> PairRecord:
    """The same of a ShareGPT conversation. Raises BadPair."""
    turns = value.get("conversations") if isinstance(value, Mapping) else None
    return _one_exchange(turns, "conversations", speaker="from", words="value")


def _one_exchange(turns: Any, name: str, *, speaker: str, words: str) -> PairRecord:
    if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
        raise BadPair(f"The list “{name}” is missing. Choose the format that the file is in.")
    said = [turn for turn in turns if turn.get(speaker) != "system"]
    if [turn.get(speaker) for turn in said] not in (["user", "assistant"], ["human", "gpt"]):
        raise BadPair("This is not one question and one answer. Split the conversation into pairs.")
    return text_pair(*(turn.get(words) for turn in said))
