"""PhantomWiki (arXiv 2502.20377): questions about people who do not exist. The answer is always a set.

The documents are the folder ``documents`` beside the questions, one Markdown file each, or ``articles.json``
there. Which of them an answer rests on is not in the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from training.evaluation.questions import checked_question
from training.evaluation.readers.parts import BadFile, Problem, Row, Source, json_values, records
from training.evaluation.types import Passage

FOLDER = "documents"
ARTICLES = "articles.json"


def read_phantomwiki(source: Source) -> Iterator[Row]:
    if folder := source.beside(FOLDER):
        yield Row(0, passages=tuple(_file(path) for path in sorted(folder.glob("*.md"))))
    elif articles := source.beside(ARTICLES):
        yield Row(0, passages=tuple(_articles(articles)))
    yield from records(source, _row)


def _row(line: int, values: Mapping[str, Any]) -> Row:
    question = checked_question(
        values.get("question"),
        values.get("answers", values.get("answer")),
        is_set=True,
        tags={"kind": values.get("kind"), "difficulty": values.get("difficulty")},
    )
    return Row(line, question)


def _file(path: Path) -> Passage:
    """The file under its heading, as documents are named that come into a corpus."""
    text = path.read_text(encoding="utf-8")
    first = text.lstrip().partition("\n")[0]
    title = first.removeprefix("# ").strip() if first.startswith("# ") else path.stem.replace("_", " ")
    return Passage(title, text)


def _articles(path: Path) -> Iterator[Passage]:
    with path.open("rb") as stream:
        for line, value in json_values(stream):
            if isinstance(value, Problem) or not isinstance(value, Mapping) or "article" not in value:
                raise BadFile(f"Line {line} of {path.name} is no article with a title.")
            yield Passage(str(value.get("title", "")), str(value["article"]))
