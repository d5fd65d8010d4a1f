"""A fact on its way through the steps: one answer, the wordings of its question, and where it is supported."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.pipeline.types import Kind, Origin, Pair, Passage, SourceDocument, Span


@dataclass(frozen=True)
class Source:
    """A passage with the title and date of its document, as prompts show it."""

    document_id: int
    title: str
    date: str
    passage: Passage

    @classmethod
    def of(cls, document: SourceDocument, passage: Passage) -> Source:
        return cls(document.id, document.title, document.date.isoformat() if document.date else "", passage)

    def as_prompt(self, label: str = "") -> str:
        """The passage as the end of a prompt, after its document's title and date."""
        date = f"Date of the document: {self.date}\n" if self.date else ""
        heading = f"[{label}] " if label else ""
        return f"{heading}Title: {self.title}\n{date}Passage:\n{self.passage.text}"


@dataclass(frozen=True)
class Candidate:
    """A fact with its wordings. ``questions`` is never empty; ``entities`` are the names in it."""

    questions: tuple[str, ...]
    answer: str
    kind: Kind
    spans: tuple[Span, ...]
    origin: Origin
    entity: str = ""
    entities: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        return self.questions[0]

    def pairs(self) -> list[Pair]:
        """One pair for each wording; they share the fact."""
        fact = hashlib.sha256(f"{self.question}\n{self.answer}".encode()).hexdigest()[:32]
        return [
            Pair(question, self.answer, self.kind, fact, self.spans, self.entity, self.origin)
            for question in self.questions
        ]


def wordings(question: str, others: Iterable[str], *, at_most: int) -> tuple[str, ...]:
    """The question and its other wordings, each once, without blank ones."""
    tidy = (" ".join(each.split()) for each in (question, *others))
    return tuple(dict.fromkeys(each for each in tidy if each))[: 1 + at_most]


def united(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Each span once, in the order in which they come."""
    return tuple(dict.fromkeys(spans))
