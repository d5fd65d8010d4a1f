"""Files of questions: our own, and those of the benchmarks that people measure with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from knowledge.exchange.records import FileRefused
from training.evaluation.readers.hotpotqa import read_hotpotqa
from training.evaluation.readers.musique import read_musique
from training.evaluation.readers.narrativeqa import read_narrativeqa
from training.evaluation.readers.parts import BadFile, Problem, Read, Row, Source
from training.evaluation.readers.phantomwiki import read_phantomwiki
from training.evaluation.readers.plain import read_csv, read_jsonl
from training.evaluation.types import Passage, Question

__all__ = ["READERS", "BadFile", "Loaded", "Problem", "Reader", "guess", "read", "read_stream"]
IN_FOLDERS = ("questions.jsonl", "qaps.csv")  # what is read where a folder is named
HEAD = 8 * 2**20  # bytes that are looked at to tell a format
MOST_PROBLEMS = 1000  # so many bad lines are the wrong file, not slips


@dataclass(frozen=True)
class Reader:
    """A format: what people call it, what its files are, and how they are read."""

    label: str
    description: str
    read: Read


@dataclass(frozen=True)
class Loaded:
    """The questions of a file in their order, each once, and the passages that came with them."""

    questions: tuple[Question, ...]
    passages: tuple[Passage, ...] = ()


READERS: dict[str, Reader] = {
    "csv": Reader(
        "CSV", "A table with the columns question and answers, the answers between bars.", read_csv
    ),
    "jsonl": Reader("JSON lines", "One object a line with question and answers.", read_jsonl),
    "musique": Reader("MuSiQue", "Two to four hops, with paragraphs.", read_musique),
    "hotpotqa": Reader("HotpotQA", "Two hops, with paragraphs.", read_hotpotqa),
    "narrativeqa": Reader("NarrativeQA", "Questions about stories: qaps.csv, or objects.", read_narrativeqa),
    "phantomwiki": Reader("PhantomWiki", "Invented people; each answer is a set.", read_phantomwiki),
}


def read(path: Path, format: str = "") -> Loaded:
    """The questions of a file, or of a folder with ``questions.jsonl`` or ``qaps.csv`` in it.

    Without a format it is told by what stands in the file. Raises BadFile, with each bad line.
    """
    file = _file_in(path) if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            return read_stream(stream, format, folder=file.parent)
    except OSError as error:
        raise BadFile(f"The file {path} cannot be read: {error.strerror or error}.") from error


def read_stream(stream: BinaryIO, format: str = "", *, folder: Path | None = None) -> Loaded:
    """The questions of an open file. What lies beside it is read only in a ``folder``. Raises BadFile."""
    name = format or guess(stream)
    if name not in READERS:
        raise BadFile(f"There is no format “{name}”. Choose one of: {', '.join(READERS)}.")
    stream.seek(0)
    try:
        return _collected(READERS[name].read(Source(stream, folder)))
    except FileRefused as error:
        raise BadFile(str(error)) from error


def guess(stream: BinaryIO) -> str:
    """The format that a file looks to be in."""
    stream.seek(0)
    head = stream.read(HEAD).decode("utf-8", "replace").removeprefix("\ufeff").lstrip()
    if not head:
        raise BadFile("The file is empty. Look whether it is the right one.")
    if not head.startswith(("{", "[")):
        return "narrativeqa" if "answer1" in head.partition("\n")[0] else "csv"
    return _of_object(_first_object(head))


def _file_in(folder: Path) -> Path:
    for name in IN_FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise BadFile(f"The folder {folder} holds neither {' nor '.join(IN_FOLDERS)}. Name the file itself.")


def _first_object(head: str) -> Mapping[str, Any]:
    try:
        value, _ = json.JSONDecoder().raw_decode(head.lstrip("[ \t\r\n"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, Mapping) else {}


def _of_object(values: Mapping[str, Any]) -> str:
    if "paragraphs" in values or "supporting_documents" in values:
        return "musique"
    if "supporting_facts" in values or "context" in values:
        return "hotpotqa"
    if isinstance(values.get("document"), Mapping):
        return "narrativeqa"
    return "phantomwiki" if "template" in values or "prolog" in values else "jsonl"


def _collected(rows: Iterable[Row]) -> Loaded:
    """What the rows hold, the same question and the same passage once. Raises BadFile where any row is bad."""
    found: dict[str, tuple[int, Question]] = {}
    passages: dict[Passage, None] = {}
    problems: list[Problem] = []
    for row in rows:
        passages |= dict.fromkeys(row.passages)
        problem = row.problem or (_clash(found, row.line, row.question) if row.question else "")
        if problem:
            problems.append(Problem(row.line, problem))
        if len(problems) > MOST_PROBLEMS:
            raise BadFile(f"More than {MOST_PROBLEMS:,} lines are bad, the first: {problems[0]}")
    if problems:
        raise BadFile.of(tuple(problems))
    if not found:
        raise BadFile("The file holds no question. Look whether it is the right one.")
    return Loaded(tuple(question for _, question in found.values()), tuple(passages))


def _clash(found: dict[str, tuple[int, Question]], line: int, question: Question) -> str:
    """Note the question, or tell why it cannot be: an earlier line asks the same with other answers."""
    earlier, known = found.setdefault(question.text, (line, question))
    if set(known.answers) == set(question.answers) and known.answerable == question.answerable:
        return ""
    return f"Line {earlier} asks the same question with other answers. Keep one of the two."
