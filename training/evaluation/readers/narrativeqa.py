"""NarrativeQA (arXiv 1712.07040): questions about stories, answered by two people from a summary.

Read are ``qaps.csv`` as published, with ``summaries.csv`` and ``documents.csv`` beside it for the passages and
their titles, and its copies that have one object a line with the document in each. The passages are the summaries:
the questions were written from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from training.evaluation.questions import checked_question
from training.evaluation.readers.parts import Row, Shelf, Source, listed, records, told
from training.evaluation.readers.plain import table
from training.evaluation.types import Passage, Question

Cells = Mapping[str, str] | None


def read_narrativeqa(source: Source) -> Iterator[Row]:
    """A row for each question. One that is asked of several stories gets the title of its own behind it."""
    start = source.stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    source.stream.seek(0)
    rows = list(_objects(source) if start.startswith((b"{", b"[")) else _table(source))
    stories: dict[str, set[tuple[str, ...]]] = {}
    for row in rows:
        if row.question:
            stories.setdefault(row.question.text, set()).add(row.question.documents)
    for row in rows:
        is_shared = row.question is not None and len(stories[row.question.text]) > 1
        yield replace(row, question=_with_title(row.question)) if row.question and is_shared else row


def _with_title(question: Question) -> Question:
    """The question of its story; as it is where the story has no title."""
    if not question.documents:
        return question
    return replace(question, text=f"In “{question.documents[0]}”: {question.text}")


# --- Tables ------------------------------------------------------------------------------------------------
def _table(source: Source) -> Iterator[Row]:
    passages = _summaries(source)
    yield Row(0, passages=tuple(passages.values()))
    for line, cells in table(source, ("document_id", "question", "answer1", "answer2")):
        yield told(_row)(line, cells, passages)


def _row(line: int, cells: Cells, passages: Mapping[str, Passage]) -> Row:
    if cells is None:
        return Row(line, problem="This line has more cells or fewer than the first one.")
    story = cells["document_id"]
    question = checked_question(
        cells["question"],
        [answer for answer in (cells["answer1"], cells["answer2"]) if answer.strip()],
        documents=[passages[story].title if story in passages else story],
        tags={"set": cells.get("set")},
    )
    return Row(line, question)


def _summaries(source: Source) -> dict[str, Passage]:
    """The summaries beside the file by the id of their document. Raises BadFile."""
    titles = {
        cells["document_id"]: cells["wiki_title"] for cells in _beside(source, "documents.csv", "wiki_title")
    }
    shelf = Shelf()
    return {
        cells["document_id"]: shelf.put(
            titles.get(cells["document_id"]) or cells["document_id"], cells["summary"]
        )
        for cells in _beside(source, "summaries.csv", "summary")
    }


def _beside(source: Source, name: str, column: str) -> Iterator[Mapping[str, str]]:
    if path := source.beside(name):
        with path.open("rb") as stream:
            yield from (cells for _, cells in table(Source(stream), ("document_id", column)) if cells)


# --- Objects -----------------------------------------------------------------------------------------------
def _objects(source: Source) -> Iterator[Row]:
    shelf = Shelf()
    return records(source, lambda line, values: _record(line, values, shelf))


def _record(line: int, values: Mapping[str, Any], shelf: Shelf) -> Row:
    document = _part(values.get("document"))
    summary = _part(document.get("summary"))
    title, text = str(summary.get("title") or document.get("id") or ""), str(summary.get("text") or "")
    passage = shelf.put(title, text) if text else None
    question = checked_question(
        _text(values.get("question")),
        [_text(answer) for answer in listed(values, "answers")],
        documents=[passage.title] if passage else [title] if title else [],
        tags={"kind": document.get("kind")},
    )
    return Row(line, question, (passage,) if passage else ())


def _part(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> Any:
    """A text that stands alone, or in an object together with its tokens."""
    return value.get("text") if isinstance(value, Mapping) else value
