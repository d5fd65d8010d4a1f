"""What all readers of files share: where they read from, what they yield, and how bad lines are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO

from knowledge.exchange.jsontext import BadJSON, Cursor
from knowledge.exchange.texts import text_lines, whole_text
from memosite.errors import MemoError
from training.evaluation.questions import BadQuestion
from training.evaluation.types import Passage, Question

ERRORS_TOLD = 3  # in the message; ``problems`` holds them all


@dataclass(frozen=True)
class Problem:
    """What is wrong at a line of a file, and what to do."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class BadFile(MemoError):
    """A file of questions that cannot be used. ``problems`` names each bad line; it is empty where none can be."""

    code = "bad_file"
    status = 422

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems

    @classmethod
    def of(cls, problems: tuple[Problem, ...]) -> BadFile:
        """The error whose message tells the first of the problems."""
        count = len(problems)
        told = " ".join(f"{str(problem)[0].upper()}{str(problem)[1:]}" for problem in problems[:ERRORS_TOLD])
        rest = f" And {count - ERRORS_TOLD:,} more." if count > ERRORS_TOLD else ""
        return cls(f"{count:,} line{'s are' if count > 1 else ' is'} bad. {told}{rest}", problems)

    def members(self) -> dict[str, Any]:
        return {"errors": [{"line": one.line, "message": one.message} for one in self.problems]}


@dataclass(frozen=True)
class Source:
    """An open file, and the folder it lies in where there is one: some formats keep documents beside it."""

    stream: BinaryIO
    folder: Path | None = None

    def beside(self, name: str) -> Path | None:
        """A file or folder of that name beside the file."""
        path = self.folder / name if self.folder else None
        return path if path and path.exists() else None


@dataclass(frozen=True)
class Row:
    """What stands at a line: a question, passages, or the reason why there is neither."""

    line: int
    question: Question | None = None
    passages: tuple[Passage, ...] = ()
    problem: str = ""


Read = Callable[[Source], Iterator[Row]]


class Shelf:
    """Passages under titles of their own: other text under a title that is taken gets a number behind it."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def put(self, title: str, text: str) -> Passage:
        name, number = title, 1
        while self._taken.setdefault(name, text) != text:
            number += 1
            name = f"{title} ({number})"
        return Passage(name, text)


def records(source: Source, read: Callable[[int, Mapping[str, Any]], Row]) -> Iterator[Row]:
    """The rows that ``read`` makes of the objects in a file: one list of them, or one on each line."""
    for line, value in json_values(source.stream):
        if isinstance(value, Problem):
            yield Row(value.line, problem=value.message)
        elif not isinstance(value, Mapping):
            yield Row(line, problem="There is no question here: a question is an object with named values.")
        else:
            yield told(read)(line, value)


def told(read: Callable[..., Row]) -> Callable[..., Row]:
    """The same reading, where a bad question becomes a row that tells what is wrong."""

    @wraps(read)
    def safely(line: int, *others: Any) -> Row:
        try:
            return read(line, *others)
        except BadQuestion as error:
            return Row(line, problem=str(error))

    return safely


def listed(values: Mapping[str, Any], name: str) -> list[Any]:
    """The list of that name; an empty one where there is none. Raises BadQuestion where it is something else."""
    value = values.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadQuestion(f"“{name}” is no list. Is this the format that the file is in?")
    return value


def json_values(stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    """The values of a JSON list, or of the lines of a file, each with its line; a Problem where there is none.

    Raises FileRefused where the file is no text.
    """
    start = stream.read(256).lstrip(b"\xef\xbb\xbf \t\r\n")
    stream.seek(0)
    return _listed(whole_text(stream)) if start.startswith(b"[") else _lined(stream)


def _listed(text: str) -> Iterator[tuple[int, Any]]:
    cursor = Cursor(text)
    try:
        for _ in cursor.elements():
            line = cursor.line
            yield line, cursor.value()
        if cursor.peek():
            raise BadJSON(cursor.line, "there is more after its end")
    except BadJSON as error:
        words = f"The JSON is broken here: {error}. Mend it; what follows was not read."
        yield error.number, Problem(error.number, words)


def _lined(stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    for number, text in enumerate(text_lines(stream), start=1):
        if not text.strip():
            continue
        try:
            yield number, json.loads(text)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "the value is too large")
            words = f"This line is not JSON: {reason}. Write one object on one line."
            yield number, Problem(number, words)
