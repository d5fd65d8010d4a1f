"""MuSiQue (arXiv 2108.00573): questions of two to four hops, each with its paragraphs.

Two layouts are read. The published one has the paragraphs in each question. The other has them once, in
``documents.jsonl`` beside the questions, whose ``supporting_documents`` name them by ``id``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.evaluation.questions import BadQuestion, checked_question
from training.evaluation.readers.parts import BadFile, Row, Shelf, Source, listed, records
from training.evaluation.types import Passage

DOCUMENTS = "documents.jsonl"
HOPS = re.compile(r"(\d)hop")


def read_musique(source: Source) -> Iterator[Row]:
    """A row for each question, with the passages that it brings; first of all those that lie beside the file.

    All paragraphs become one corpus, so a question that its own paragraphs leave open is left out where the same
    question has an answer in the file.
    """
    beside = source.beside(DOCUMENTS)
    by_id = _documents(beside) if beside else {}
    shelf = Shelf()
    rows = list(records(source, lambda line, values: _row(line, values, shelf, by_id)))
    answered = {row.question.text for row in rows if row.question and row.question.answerable}
    if by_id:
        yield Row(0, passages=tuple(by_id.values()))
    for row in rows:
        is_answered_elsewhere = row.question and not row.question.answerable and row.question.text in answered
        yield replace(row, question=None) if is_answered_elsewhere else row


def _row(line: int, values: Mapping[str, Any], shelf: Shelf, by_id: Mapping[str, Passage]) -> Row:
    paragraphs = listed(values, "paragraphs")
    passages = [_paragraph(paragraph, shelf) for paragraph in paragraphs]
    gold = [
        passage
        for passage, paragraph in zip(passages, paragraphs, strict=True)
        if paragraph.get("is_supporting")
    ]
    named = [by_id.get(str(one)) for one in listed(values, "supporting_documents")]
    answerable = values.get("answerable", True)
    question = checked_question(
        values.get("question"),
        _answers(values) if answerable else (),
        answerable=answerable,
        documents=[passage.title for passage in (*gold, *named) if passage],
        tags={"hops": _hops(values)},
    )
    return Row(line, question, tuple(passages))


def _answers(values: Mapping[str, Any]) -> list[Any]:
    return listed(values, "answers") or [values.get("answer"), *listed(values, "answer_aliases")]


def _hops(values: Mapping[str, Any]) -> str:
    found = HOPS.match(str(values.get("id", "")))
    steps = listed(values, "question_decomposition") or listed(values, "decomposition")
    return str(values.get("hops") or (found.group(1) if found else len(steps) or ""))


def _paragraph(paragraph: Any, shelf: Shelf) -> Passage:
    if not isinstance(paragraph, Mapping) or not isinstance(paragraph.get("paragraph_text"), str):
        raise BadQuestion("A paragraph has no “paragraph_text”. Is this a file of MuSiQue?")
    return shelf.put(str(paragraph.get("title", "")), paragraph["paragraph_text"])


def _documents(path: Path) -> dict[str, Passage]:
    """The documents beside the questions by their id. Raises BadFile."""
    shelf, found = Shelf(), {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            values = json.loads(line)
            found[str(values["id"])] = shelf.put(str(values["title"]), str(values["text"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BadFile(f"Line {number} of {path.name} is no document with id, title and text.") from error
    return found
