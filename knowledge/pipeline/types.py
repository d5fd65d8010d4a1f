"""Values that pass through reflection synthesis. Plain data: no database rows, no language model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """How a reflection came about: the step of the method that made it (MeMo, section on synthesis)."""

    DIRECT = "direct"
    INDIRECT = "indirect"
    CONSOLIDATED = "consolidated"
    ENTITY = "entity"
    CROSS_DOCUMENT = "cross_document"
    UNANSWERABLE = "unanswerable"


#: The answer of an unanswerable pair, and what a MEMORY says when it abstains.
DONT_KNOW = "I don't know."


@dataclass(frozen=True)
class Passage:
    """A chunk of a document as the GENERATOR reads it. ``id`` is the caller's key and comes back in spans."""

    id: int
    text: str


@dataclass(frozen=True)
class SourceDocument:
    """A document to distil. ``date`` is the day it speaks from: relative dates are made absolute against it."""

    id: int
    title: str
    passages: tuple[Passage, ...]
    date: date | None = None


@dataclass(frozen=True)
class Span:
    """Where a pair is supported: character offsets [start, end) within the text of one passage."""

    passage_id: int
    start: int
    end: int


@dataclass(frozen=True)
class Origin:
    """What made a pair: the step, the prompt's version, the model, and the key of the call it came from."""

    step: str = ""
    prompt_version: str = ""
    model: str = ""
    call: str = ""


@dataclass(frozen=True)
class Pair:
    """One question-answer pair (reflection).

    ``fact`` is shared by all wordings of the same fact, so that an evaluation can hold out a wording while
    the fact itself is trained on. ``entity`` is the name the pair is about, if there is one.
    """

    question: str
    answer: str
    kind: Kind
    fact: str
    spans: tuple[Span, ...]
    entity: str = ""
    origin: Origin = Origin()

    @property
    def key(self) -> str:
        """A stable identity: the same question and answer always give the same 64 hexadecimal digits."""
        text = "\n".join((" ".join(self.question.split()), " ".join(self.answer.split())))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class UnreadSentence:
    """A sentence the GENERATOR could not turn into a fact, and why: reported, never guessed at."""

    span: Span
    text: str
    reason: str


@dataclass(frozen=True)
class DocumentReflections:
    """What steps 1 to 4 made of one document. ``sentences`` counts all sentences, read and unread."""

    pairs: tuple[Pair, ...]
    unread: tuple[UnreadSentence, ...] = ()
    sentences: int = 0
    discarded: int = field(default=0)


class Generator(Protocol):
    """A GENERATOR backend: the model, or the rules, behind the five steps of reflection synthesis."""

    name: str

    def prepare(self, documents: Sequence[SourceDocument]) -> None:
        """Called once with the whole corpus, before step 1 of any document and again in every new process.

        A backend that looks at one document at a time does nothing here.
        """
        ...

    def extract(self, document: SourceDocument) -> DocumentReflections:
        """Step 1: direct and indirect facts of every passage, several question wordings a fact."""
        ...

    def consolidate(self, document: SourceDocument, pairs: Sequence[Pair]) -> Iterable[Pair]:
        """Step 2: multi-fact pairs from pairs of one passage that share an entity, period or relation."""
        ...

    def verify(self, document: SourceDocument, pairs: Sequence[Pair]) -> Iterable[Pair]:
        """Step 3: the pairs that are self-contained, rewritten where need be; the others are left out."""
        ...

    def surface(self, document: SourceDocument, pairs: Sequence[Pair]) -> Iterable[Pair]:
        """Step 4: reverse-lookup pairs whose answer is the entity and whose question never names it."""
        ...

    def synthesize(self, documents: Sequence[SourceDocument]) -> Iterator[Sequence[Pair]]:
        """Step 5: pairs that need facts of several documents, one batch for each group of documents."""
        ...
