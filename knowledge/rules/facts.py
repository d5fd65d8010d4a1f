"""Facts as the rules read them, and drafts: facts put into words, not yet bound to one step."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from knowledge.pipeline.types import Kind, Span
from knowledge.rules.english import strip_article


@dataclass(frozen=True)
class Evidence:
    """The sentence that states a fact: where it stands, and in which document."""

    document_id: int
    span: Span


@dataclass(frozen=True)
class Property:
    """ "The noun of subject is values": ``noun`` in the singular, ``preposition`` "of" or as the text has it.

    ``plural`` says that one value stands for several things ("The walls of X are brick").
    """

    subject: str
    noun: str
    values: tuple[str, ...]
    evidence: Evidence
    preposition: str = "of"
    past: bool = False
    plural: bool = False


@dataclass(frozen=True)
class Classification:
    """ "Subject is a phrase": ``noun`` is the head of the phrase, the kind of thing that the subject is."""

    subject: str
    phrase: str
    noun: str
    evidence: Evidence
    past: bool = False
    plural: bool = False


@dataclass(frozen=True)
class Adjunct:
    """A phrase that completes a clause: time, place, or whatever its preposition says."""

    text: str
    preposition: str
    value: str
    role: str
    plural: bool = False
    named: bool = False


@dataclass(frozen=True)
class Verb:
    """The verb of a clause with what is needed to ask about it.

    ``finite`` is the verb group as stated ("has been used", "led"), ``auxiliary`` the word that a question
    moves to the front ("has", "did", "must"), ``rest`` what stays behind the subject ("been used", "lead").
    """

    lemma: str
    finite: str
    auxiliary: str
    rest: str
    passive: bool = False
    participle: str = ""
    past: bool = False


@dataclass(frozen=True)
class Action:
    """A clause: who does what (``object``), with which completing phrases.

    ``clear`` says that the object can be understood without the subject; ``counted`` is the noun of an object
    that is a number of things; ``several`` that the object stands in the plural. ``rate`` is the part of the
    object that says per what it is counted. An ``indefinite`` subject ("a pump") can only be asked for, and
    only with all circumstances. An ``unnamed`` one ("volunteers") cannot be asked about. ``telling`` says that
    the object alone, without the circumstances, may single the subject out. ``members`` are the things of an
    object that is an enumeration, ``doers`` the names of a subject that is one.
    """

    subject: str
    verb: Verb
    evidence: Evidence
    object: str = ""
    adjuncts: tuple[Adjunct, ...] = ()
    plural: bool = False
    clear: bool = True
    counted: str = ""
    several: bool = False
    rate: str = ""
    indefinite: bool = False
    unnamed: bool = False
    telling: bool = True
    members: tuple[str, ...] = ()
    doers: tuple[str, ...] = ()


Fact = Property | Classification | Action


@dataclass(frozen=True)
class Draft:
    """One answer with every question it answers, and what supports it.

    ``support`` holds one entry for each statement that is needed; each entry lists the places that state it.
    """

    fact: str
    kind: Kind
    questions: tuple[str, ...]
    answer: str
    support: tuple[tuple[Evidence, ...], ...]
    entity: str = ""

    def is_supported_by(self, document_id: int) -> bool:
        """True if this document alone states everything that the answer says."""
        return all(any(place.document_id == document_id for place in places) for places in self.support)

    def documents(self) -> set[int]:
        return {place.document_id for places in self.support for place in places}

    def spans(self, document_id: int | None = None) -> tuple[Span, ...]:
        """The supporting sentences: those of one document, or the first place of each statement."""
        chosen = (
            next((place for place in places if document_id in (None, place.document_id)), None)
            for places in self.support
        )
        return tuple(dict.fromkeys(place.span for place in chosen if place is not None))


@dataclass(frozen=True)
class Reading:
    """What was read of one document. ``things`` are names that read like people but are spoken of as "it"."""

    document_id: int
    facts: tuple[Fact, ...]
    sentences: int
    unread: tuple[tuple[Span, str, str], ...] = field(default=())
    things: frozenset[str] = frozenset()


def norm(text: str) -> str:
    """Two texts name the same thing if this is equal: case, article, white space and final stop left aside."""
    return re.sub(r"\s+", " ", strip_article(text)).strip(" .").casefold()


def distinct(texts: Iterable[str]) -> list[str]:
    """The texts without those that name the same thing again, in order."""
    return list({norm(text): text for text in reversed(list(texts))}.values())[::-1]
