"""The built-in GENERATOR: reads plain declarative English by rules, without a language model.

The corpus is read once and its facts are united, so that no pair tells a part of what the corpus knows. Each
draft (an answer with its questions) then belongs to the step that may make it: steps 1 to 4 for a document
that states all of it, step 5 where it takes several documents.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from itertools import chain, islice

from knowledge.pipeline.self_contained import objection
from knowledge.pipeline.types import (
    DocumentReflections,
    Kind,
    Origin,
    Pair,
    SourceDocument,
    Span,
    UnreadSentence,
)
from knowledge.rules.action_drafts import action_drafts
from knowledge.rules.facts import Draft, Reading
from knowledge.rules.index import CorpusIndex
from knowledge.rules.property_drafts import property_drafts
from knowledge.rules.reader import read_document
from knowledge.rules.rewording import REWORDING, reworded

#: Pairs of step 5 that go out together.
BATCH = 200
OF_THE_STEPS = Origin()


class CorpusDrafts:
    """The drafts of a corpus, by the document that supports them or, failing one, across documents."""

    def __init__(self, documents: Sequence[SourceDocument]) -> None:
        self.readings: dict[int, Reading] = {document.id: read_document(document) for document in documents}
        self.index = CorpusIndex(list(self.readings.values()))
        self.by_document: dict[int, list[Draft]] = {document.id: [] for document in documents}
        self.across: list[Draft] = []
        for draft in _with_own_questions(chain(property_drafts(self.index), action_drafts(self.index))):
            self._place(draft)

    def _place(self, draft: Draft) -> None:
        """Give the draft to the first document that supports all of it, so that it is made once."""
        homes = (identity for identity in sorted(draft.documents()) if draft.is_supported_by(identity))
        home = next(homes, None)
        (self.across if home is None else self.by_document[home]).append(draft)

    def with_homes(self) -> Iterator[tuple[int | None, Draft]]:
        """Every draft with the document that it belongs to, None across documents."""
        for home, drafts in self.by_document.items():
            yield from ((home, draft) for draft in drafts)
        yield from ((None, draft) for draft in self.across)


def _with_own_questions(drafts: Iterable[Draft]) -> Iterator[Draft]:
    """Leave each question to the first draft that asks it: a memory must not learn two answers to one."""
    answers: dict[str, str] = {}
    for draft in drafts:
        own = tuple(
            question
            for question in draft.questions
            if answers.setdefault(question.casefold(), draft.answer) == draft.answer
        )
        if own:
            yield replace(draft, questions=own)


class RulesGenerator:
    """A GENERATOR that needs no model. Give it the whole corpus once, with ``prepare``, before the first step.

    A document that it was not prepared for is read by itself, as a corpus of one.
    """

    name = "rules"

    def __init__(self, documents: Sequence[SourceDocument] = ()) -> None:
        self._documents = tuple(documents)

    def prepare(self, documents: Sequence[SourceDocument]) -> None:
        """See the whole corpus: facts are united over it before any pair is made."""
        self._documents = tuple(documents)
        self.__dict__.pop("_drafts", None)

    @cached_property
    def _drafts(self) -> CorpusDrafts:
        return CorpusDrafts(self._documents)

    def _corpus(self, document: SourceDocument) -> CorpusDrafts:
        if document not in self._documents:
            self.prepare([document])
        return self._drafts

    def extract(self, document: SourceDocument) -> DocumentReflections:
        """Step 1: stated and implied facts, each in several wordings, and what could not be read."""
        corpus = self._corpus(document)
        reading = corpus.readings[document.id]
        return DocumentReflections(
            pairs=tuple(self._pairs(document, Kind.DIRECT, Kind.INDIRECT)),
            unread=tuple(UnreadSentence(*unread) for unread in reading.unread),
            sentences=reading.sentences,
        )

    def consolidate(self, document: SourceDocument, pairs: Sequence[Pair]) -> Iterable[Pair]:
        """Step 2: several facts about one entity in one question."""
        return self._pairs(document, Kind.CONSOLIDATED)

    def verify(self, document: SourceDocument, pairs: Sequence[Pair]) -> Iterable[Pair]:
        """Step 3: names were put in place of pronouns on reading; what still needs its context is left out."""
        return (pair for pair in pairs if not objection(pair.question, pair.answer))

    def surface(self, document: SourceDocument, pairs: Sequence[Pair]) -> Iterable[Pair]:
        """Step 4: look-ups whose answer is the entity, by one, two and three facts."""
        return self._pairs(document, Kind.ENTITY)

    def synthesize(self, documents: Sequence[SourceDocument]) -> Iterator[Sequence[Pair]]:
        """Step 5: answers that no single document gives."""
        if any(document not in self._documents for document in documents):
            self.prepare(documents)
        wanted = {document.id for document in documents}
        pairs = [
            pair
            for draft in self._drafts.across
            if draft.documents() & wanted
            for pair in _pairs_of(draft, draft.spans(), Kind.CROSS_DOCUMENT)
            if not objection(pair.question, pair.answer)
        ]
        for start in range(0, len(pairs), BATCH):
            yield pairs[start : start + BATCH]

    def more_wordings(self, passages: Collection[int], known: Collection[str], most: int) -> Iterator[Pair]:
        """New wordings, at most so many a fact, of the facts that the passages support; prepare the corpus first.

        ``known`` are the questions that there are already, in lower case.
        """
        for home, draft in self._drafts.with_homes():
            if not any(place.span.passage_id in passages for places in draft.support for place in places):
                continue
            new = (
                question
                for question in reworded(draft.questions)
                if question.casefold() not in known and not objection(question, draft.answer)
            )
            worded = replace(draft, questions=tuple(islice(new, most)))
            kind = Kind.CROSS_DOCUMENT if home is None else draft.kind
            yield from _pairs_of(worded, draft.spans(home), kind, Origin(step=REWORDING))

    def _pairs(self, document: SourceDocument, *kinds: Kind) -> Iterator[Pair]:
        for draft in self._corpus(document).by_document[document.id]:
            if draft.kind in kinds:
                yield from _pairs_of(draft, draft.spans(document.id), draft.kind)


def _pairs_of(
    draft: Draft, spans: tuple[Span, ...], kind: Kind, origin: Origin = OF_THE_STEPS
) -> Iterator[Pair]:
    fact = sha256(draft.fact.encode()).hexdigest()[:32]
    for question in draft.questions:
        yield Pair(question, draft.answer, kind, fact, spans, draft.entity, origin)
