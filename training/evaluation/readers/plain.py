"""Our own files: one JSON object a line, or a table as CSV. What is written is read back as it was."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from knowledge.exchange.jsonlines import json_line
from knowledge.exchange.records import FileRefused
from knowledge.exchange.table import BYTE_ORDER_MARK, LONGEST_CELL, as_it_was, harmless, head_of
from knowledge.exchange.texts import text_lines
from training.evaluation.questions import BadQuestion, checked_question
from training.evaluation.readers.parts import BadFile, Row, Source, records, told
from training.evaluation.types import Question

SEPARATOR = "|"
COLUMNS = ("question", "answers", "is_set", "answerable", "documents")
PLAIN_TAGS = ("hops", "kind")  # columns that are tags without saying so
TAG = "tag:"
YES_AND_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


# --- JSON lines --------------------------------------------------------------------------------------------
def read_jsonl(source: Source) -> Iterator[Row]:
    return records(source, _record)


def _record(line: int, values: Mapping[str, Any]) -> Row:
    return Row(
        line,
        checked_question(
            values.get("question"),
            values.get("answers", values.get("answer")),
            is_set=values.get("is_set", False),
            answerable=values.get("answerable", True),
            documents=values.get("documents"),
            tags=values.get("tags"),
        ),
    )


def write_jsonl(questions: Iterable[Question]) -> Iterator[bytes]:
    return (json_line(as_values(question)) for question in questions)


def as_values(question: Question) -> dict[str, Any]:
    """The question in plain values that JSON can hold."""
    return {
        "question": question.text,
        "answers": list(question.answers),
        "is_set": question.is_set,
        "answerable": question.answerable,
        "documents": list(question.documents),
        "tags": dict(question.tags),
    }


# --- CSV ---------------------------------------------------------------------------------------------------
def read_csv(source: Source) -> Iterator[Row]:
    """A row for each line of the table. Raises BadFile where its first line names no question and no answers."""
    return (told(_cells)(line, row) for line, row in table(source, ("question", "answers")))


def table(source: Source, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str] | None]]:
    """The lines of a CSV file with their numbers, cells by column; None where cells are missing or too many.

    Raises BadFile where the first line does not name the columns that are needed.
    """
    lines = text_lines(source.stream)
    try:
        separator, names = head_of(next(lines, ""), needed)
    except FileRefused as error:
        raise BadFile(str(error)) from error
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(lines, delimiter=separator)
    while True:
        number = reader.line_num + 2  # the header is line 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadFile(f"Line {number} is no CSV: {error}. Save the file as “CSV UTF-8”.") from error
        if any(cells):
            is_whole = len(cells) == len(names)
            yield number, dict(zip(names, map(as_it_was, cells), strict=True)) if is_whole else None


def _cells(line: int, cells: Mapping[str, str] | None) -> Row:
    if cells is None:
        raise BadQuestion(
            "This line has more cells or fewer than the first one. Put texts with commas or line ends in "
            "quotation marks."
        )
    tags = {name.removeprefix(TAG): cell for name, cell in cells.items() if _is_tag(name)}
    return Row(
        line,
        checked_question(
            cells["question"],
            _listed(cells["answers"]),
            is_set=_flag(cells, "is_set", usual=False),
            answerable=_flag(cells, "answerable", usual=True),
            documents=_listed(cells.get("documents", "")),
            tags=tags,
        ),
    )


def _is_tag(name: str) -> bool:
    return name in PLAIN_TAGS or (name.startswith(TAG) and name != TAG)


def _listed(cell: str) -> list[Any]:
    """The texts of a cell, which stand between bars or are a JSON list."""
    if cell.lstrip().startswith("["):
        try:
            value = json.loads(cell)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, list):
            return value
    return [part for part in cell.split(SEPARATOR) if part.strip()]


def _flag(cells: Mapping[str, str], name: str, *, usual: bool) -> bool | str:
    cell = cells.get(name, "").strip().lower()
    return YES_AND_NO.get(cell, cell) if cell else usual


class _Rows:
    """What a CSV writer writes to: it hands each row back."""

    def write(self, row: str) -> str:
        return row


def write_csv(questions: Sequence[Question]) -> Iterator[bytes]:
    """The table. A column for each tag that any of the questions has."""
    tags = list(dict.fromkeys(name for question in questions for name in question.tags))
    heads = [name if name in PLAIN_TAGS else f"{TAG}{name}" for name in tags]
    writer: Any = csv.writer(_Rows(), quoting=csv.QUOTE_ALL)
    yield f"{BYTE_ORDER_MARK}{writer.writerow([*COLUMNS, *heads])}".encode()
    for question in questions:
        cells = [*_fixed_cells(question), *(question.tags.get(name, "") for name in tags)]
        yield writer.writerow(harmless(cell) for cell in cells).encode()


def _fixed_cells(question: Question) -> list[str]:
    return [
        question.text,
        _joined(question.answers),
        "yes" if question.is_set else "no",
        "yes" if question.answerable else "no",
        _joined(question.documents),
    ]


def _joined(texts: Sequence[str]) -> str:
    if any(SEPARATOR in text or text.startswith("[") for text in texts):
        return json.dumps(list(texts), ensure_ascii=False)
    return f" {SEPARATOR} ".join(texts)
