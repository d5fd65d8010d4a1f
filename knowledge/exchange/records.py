"""A pair as a file holds it, and what has to be right about it before anything is done with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from knowledge.pipeline.types import Kind
from memosite.errors import MemoError

STATUSES = ("pending", "approved", "rejected")
MOST_CHARACTERS = {"question": 1_000_000, "answer": 1_000_000, "fact": 64, "entity": 200}
LARGEST_ID = 2**63 - 1


class FileRefused(MemoError):
    """A file of pairs that cannot be read at all; the message says why and what to do."""

    code = "file_refused"
    status = 422


class BadPair(ValueError):
    """What is wrong with one pair of a file, as a sentence."""


@dataclass(frozen=True)
class SourceRecord:
    """The text [start, end) of a passage that supports a pair. ``passage`` is its position in the document."""

    document: str
    title: str = ""
    version: int = 1
    passage: int = 0
    start: int = 0
    end: int = 0
    text: str = ""


@dataclass(frozen=True)
class PairRecord:
    """A pair with all that is known of it. Apart from the two texts an empty value means that nothing is said."""

    question: str
    answer: str
    id: int | None = None
    key: str = ""
    kind: str = ""
    fact: str = ""
    entity: str = ""
    status: str = ""
    step: str = ""
    prompt_version: str = ""
    model: str = ""
    generator: str = ""
    retired: bool = False
    reviewed_by: str = ""
    reviewed_at: datetime | None = None
    flags: tuple[str, ...] = ()
    sources: tuple[SourceRecord, ...] = ()


@dataclass(frozen=True)
class Line:
    """What stands at one line of a file: a pair, or the reason why there is none."""

    number: int
    record: PairRecord | None = None
    problem: str = ""


FIELDS = tuple(field.name for field in fields(PairRecord))


def as_mapping(record: PairRecord) -> dict[str, Any]:
    """The record in plain values that JSON can hold, the empty ones included."""
    values = {name: getattr(record, name) for name in FIELDS}
    values["reviewed_at"] = record.reviewed_at.isoformat() if record.reviewed_at else None
    values["flags"] = list(record.flags)
    values["sources"] = [dict(vars(source)) for source in record.sources]
    return values


def read_pair(number: int, read: Callable[[Any], PairRecord], value: Any) -> Line:
    """The line that ``read`` makes of a value."""
    try:
        return Line(number, read(value))
    except BadPair as error:
        return Line(number, problem=str(error))


def record_from(values: Any) -> PairRecord:
    """The pair in a mapping of field names; names that no pair has are passed over. Raises BadPair."""
    if not isinstance(values, Mapping):
        raise BadPair("There is no pair here: a pair is an object with a question and an answer.")
    said = {name: values[name] for name in FIELDS if not _is_nothing(values.get(name))}
    for name in ("question", "answer"):
        if name not in said:
            raise BadPair(f"The {name} is missing. Write one, or take the line out.")
    return PairRecord(**{name: CHECKS.get(name, _text)(name, value) for name, value in said.items()})


def text_pair(question: Any, answer: Any, **others: Any) -> PairRecord:
    """The pair of a format that holds little more than two texts. Raises BadPair."""
    return record_from({"question": question, "answer": answer, **others})


def _is_nothing(value: Any) -> bool:
    is_gap = isinstance(value, float) and math.isnan(value)  # what a table program makes of an empty cell
    return value is None or is_gap or (isinstance(value, str) and not value.strip())


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadPair(f"The {name} is no text. Put it in quotation marks.")
    if "\0" in value:
        raise BadPair(f"The {name} holds a null byte. Take it out.")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise BadPair(f"The {name} is not UTF-8. Save the file as UTF-8.")
    most = MOST_CHARACTERS.get(name, MOST_CHARACTERS["answer"])
    if len(value) > most:
        raise BadPair(f"The {name} is longer than {most:,} characters. Shorten it.")
    return value


def _whole_number(name: str, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # what a table program makes of a column with gaps
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_ID:
        raise BadPair(f"The {name} is no whole number. Leave it as it was exported, or take it out.")
    return value


def _yes_or_no(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadPair(f"The field “{name}” is neither true nor false.")
    return value


def _moment(name: str, value: Any) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        raise BadPair(f"“{name}” is no time like 2026-01-31T09:30:00+00:00.") from None


def _one_of(known: tuple[str, ...]) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if value not in known:
            raise BadPair(f"There is no {name} “{_short(value)}”. Choose from {', '.join(known)}.")
        return str(value)

    return check


def _short(value: Any) -> str:
    return str(value).encode(errors="replace").decode()[:60]


def _words(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise BadPair(f"“{name}” is no list.")
    return tuple(_text(name, word) for word in value)


def _sources(name: str, value: Any) -> tuple[SourceRecord, ...]:
    if not isinstance(value, list | tuple):
        raise BadPair(f"“{name}” is no list.")
    return tuple(_source(each) for each in value)


def _source(value: Any) -> SourceRecord:
    if not isinstance(value, Mapping) or "document" not in value:
        raise BadPair("A source names its document, its passage, and where in it the text stands.")
    names = [field.name for field in fields(SourceRecord) if value.get(field.name) is not None]
    checks: dict[str, Callable[[str, Any], Any]] = {"document": _text, "title": _text, "text": _text}
    return SourceRecord(**{name: checks.get(name, _whole_number)(name, value[name]) for name in names})


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "id": _whole_number,
    "kind": _one_of(tuple(kind.value for kind in Kind)),
    "status": _one_of(STATUSES),
    "retired": _yes_or_no,
    "reviewed_at": _moment,
    "flags": _words,
    "sources": _sources,
}
