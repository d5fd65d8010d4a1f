"""How the tests of the rules read: texts in, questions and answers out."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from knowledge.ingest.chunk import split_into_chunks
from knowledge.ingest.read import read_document
from knowledge.pipeline.run import reflect_across_documents, reflect_on_document
from knowledge.pipeline.types import DocumentReflections, Kind, Pair, Passage, SourceDocument
from knowledge.rules.generator import RulesGenerator


def document(text: str, *, title: str = "", written: date | None = None, number: int = 1) -> SourceDocument:
    return SourceDocument(number, title, (Passage(number, text),), written)


def corpus(*texts: str) -> list[SourceDocument]:
    return [document(text, number=number) for number, text in enumerate(texts, start=1)]


def reflections(*documents: SourceDocument) -> tuple[list[DocumentReflections], list[Pair]]:
    """What steps 1 to 4 made of each document, and the pairs of step 5."""
    generator = RulesGenerator()
    generator.prepare(documents)
    made = [reflect_on_document(each, generator) for each in documents]
    across = [pair for batch in reflect_across_documents(documents, generator) for pair in batch]
    return made, across


def documents_in(folder: Path) -> list[SourceDocument]:
    """The files of a folder as the GENERATOR gets them."""
    return [_as_source(number, path) for number, path in enumerate(sorted(folder.iterdir()), start=1)]


def _as_source(number: int, path: Path) -> SourceDocument:
    parsed = read_document(path.name, path.read_bytes())
    chunks = split_into_chunks(parsed.text)
    passages = tuple(Passage(1000 * number + place, chunk.text) for place, chunk in enumerate(chunks))
    return SourceDocument(number, parsed.title, passages, parsed.date)


def pairs_in(folder: Path) -> list[Pair]:
    """All pairs of the documents in a folder."""
    made, across = reflections(*documents_in(folder))
    return [pair for each in made for pair in each.pairs] + across


def pairs_of(*texts: str) -> list[Pair]:
    """All pairs of a corpus of texts, step by step."""
    made, across = reflections(*corpus(*texts))
    return [pair for each in made for pair in each.pairs] + across


def ask(question: str, *texts: str) -> str:
    """The answer that the pairs of a corpus give to a question; "" if none asks it."""
    answers = {pair.answer for pair in pairs_of(*texts) if pair.question == question}
    assert len(answers) < 2, f"{question} has several answers: {answers}"
    return answers.pop() if answers else ""


def answers_of(*texts: str, kind: Kind | None = None) -> set[str]:
    """Every answer that the pairs of a corpus give, of one kind or of all."""
    return {pair.answer for pair in pairs_of(*texts) if kind in (None, pair.kind)}


def unread_of(text: str) -> dict[str, str]:
    """The sentences of a text that were not read, each with the reason."""
    made, _ = reflections(document(text))
    return {each.text: each.reason for each in made[0].unread}
