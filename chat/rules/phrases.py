"""What a question is made of, as far as decomposing it needs: noun phrases, clauses and the question's frame.

A *template* is a text with noun phrases left open, so that a phrase can be replaced by what it turned out to
stand for: ``("Where does", <the lead of Project Atlas>, "live")``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from knowledge.rules.english import (
    is_person_noun,
    is_plural,
    parse_date,
    past,
    third_person,
    verb_lemma,
)

Gap = Literal["subject", "object", "whose", "place"]
_FOR_ONE = {"do": "does", "are": "is", "were": "was", "have": "has"}
#: Head nouns that say nothing but "somebody" or "something".
EMPTY_NOUNS = frozenset(
    {"person", "people", "individual", "thing", "one", "someone", "somebody", "something"}
)


@dataclass(frozen=True)
class NounPhrase:
    """A name, a literal or a description.

    ``nouns`` are its head nouns with their modifiers, several when coordinated ("the mother and the father
    of X"); ``genitive`` is X in "the R of X" and "X's R"; ``clauses`` are its relative clauses and participles;
    ``members`` are the phrases of an enumeration; ``tail`` is a place or the like after a relation ("the
    supplier of X in Aberdeen").
    """

    parts: tuple[str | NounPhrase, ...]
    nouns: tuple[str, ...] = ()
    determiner: str = ""
    genitive: NounPhrase | None = None
    clauses: tuple[Clause, ...] = ()
    members: tuple[NounPhrase, ...] = ()
    tail: tuple[str | NounPhrase, ...] = ()
    is_name: bool = False

    @property
    def text(self) -> str:
        return render(self.parts)

    @property
    def noun(self) -> str:
        return self.nouns[0] if self.nouns else ""

    @property
    def is_description(self) -> bool:
        """Does it stand for something that MEMORY has to be asked for?"""
        return bool(self.genitive or self.clauses or self.members)

    @property
    def is_kind(self) -> bool:
        """A thing told by its kind alone, and closely enough to look for: "the weather buoy".

        "the buoy" may be any, "the buoy in Oslo" and "the weather buoy" are seldom more than one.
        """
        is_common = self.determiner == "the" and not self.is_name and self.noun.islower()
        is_close = " " in self.noun or any(
            isinstance(part, NounPhrase) and part.is_name for part in self.tail
        )
        return is_common and is_close and not self.is_description


Template = tuple[str | NounPhrase, ...]


@dataclass(frozen=True)
class Predicate:
    """A verb with what follows it. ``auxiliary`` is a form of be, have, do or a modal; ``verb`` may be empty."""

    auxiliary: str = ""
    verb: str = ""
    rest: Template = ()

    @property
    def parts(self) -> Template:
        return tuple(part for part in (self.auxiliary, self.verb, *self.rest) if part)

    @property
    def is_past(self) -> bool:
        return self.verb.lower() == past(verb_lemma(self.verb)) and not self.is_present

    @property
    def is_present(self) -> bool:
        return self.verb.lower() == third_person(verb_lemma(self.verb))

    def inverted(self, subject: str | NounPhrase) -> Template:
        """Auxiliary, subject, verb: "did Mara Lind join Nordwind"."""
        if self.auxiliary:
            auxiliary = for_one(self.auxiliary, subject)
            return (auxiliary, subject, *(part for part in (self.verb, *self.rest) if part))
        auxiliary = "does" if self.is_present else "did" if self.is_past else for_one("do", subject)
        return (auxiliary, subject, verb_lemma(self.verb), *self.rest)


def for_one(auxiliary: str, subject: str | NounPhrase) -> str:
    """The auxiliary as it is with one value in the place of a description: "do the leads" is "does Mara Lind"."""
    is_replaced = isinstance(subject, NounPhrase) and subject.is_description and not subject.members
    return _FOR_ONE.get(auxiliary.lower(), auxiliary) if is_replaced else auxiliary


@dataclass(frozen=True)
class Clause:
    """One constraint on a head noun: what is left out of it (``gap``) is the thing described.

    * subject: "who [leads Atlas]"; also participles and adjectives: "[led] by Mara Lind" (``is_reduced``)
    * object: "that [Mara Lind] [leads]"
    * whose: "whose [occupation] [is nurse]"
    * place: "where [Jonas Pike] [works]", with ``preposition`` in "in which ..."
    """

    gap: Gap
    predicate: Predicate
    subject: NounPhrase | None = None
    possessed: str = ""
    preposition: str = ""
    is_reduced: bool = False

    @property
    def parts(self) -> Template:
        """The clause as a template, without the word that opens it."""
        before: Template = (self.possessed,) if self.possessed else ()
        return (*before, *((self.subject,) if self.subject else ()), *self.predicate.parts)


@dataclass(frozen=True)
class Question:
    """A question's frame.

    ``wh`` is its question word with preposition and noun as written ("In which city"), ``word`` the question
    word alone in lower case and ``noun`` the noun it asks for. ``kind`` is *identity* for "Who is NP?", with
    the phrase in ``subject`` (``excluded`` holds X in "Who has the same manager as X?"), *possession* for
    "How many friends does NP have?", else *plain*.
    """

    kind: Literal["identity", "possession", "plain"]
    word: str
    template: Template
    noun: str = ""
    wh: str = ""
    subject: NounPhrase | None = None
    excluded: NounPhrase | None = None

    @property
    def descriptions(self) -> tuple[NounPhrase, ...]:
        return tuple(descriptions(self.template))


def descriptions(template: Template) -> Iterator[NounPhrase]:
    """The outermost descriptions in a template."""
    for part in template:
        if isinstance(part, NounPhrase):
            if part.is_description:
                yield part
            else:
                yield from descriptions(part.parts)


def kinds(template: Template) -> Iterator[NounPhrase]:
    """The innermost things told by their kind alone: the boat, in "the owner's talk with the boat in Oslo"."""
    for part in template:
        if isinstance(part, NounPhrase) and not part.is_description:
            inner = list(kinds(part.parts))
            yield from inner or ([part] if part.is_kind and not list(descriptions(part.parts)) else [])


def render(template: Template, filled: Callable[[NounPhrase], str] | None = None) -> str:
    """The template as text; ``filled`` gives the text of each description and kind in it."""
    words = []
    for part in template:
        if isinstance(part, str):
            words.append(part)
        elif filled and (part.is_description or (part.is_kind and filled(part) != part.text)):
            words.append(filled(part))
        else:
            words.append(render(part.parts, filled))
    return " ".join(word for word in words if word).replace(" 's", "'s").replace(" ,", ",")


def with_place(phrase: NounPhrase, preposition: str, place: NounPhrase) -> NounPhrase:
    """ "the supplier in Aberdeen"; "the person in charge of X" is whoever is in charge of X."""
    parts = (*phrase.parts, preposition, place)
    if phrase.noun in EMPTY_NOUNS and phrase.genitive is None:
        clause = Clause("subject", Predicate("is", rest=(preposition, place)), is_reduced=True)
        return NounPhrase(parts, phrase.nouns, phrase.determiner, clauses=(clause,))
    return NounPhrase(parts, phrase.nouns, phrase.determiner, phrase.genitive, tail=(preposition, place))


def is_relation(phrase: NounPhrase, nouns: tuple[str, ...], owner: NounPhrase) -> bool:
    """Does "R of X" point from X to something else?

    "in charge of X" and "what part of X" do not; "the reign of terror", "the Games of 1989" and "the Consulate
    General of Spain" are names of a kind.
    """
    if phrase.determiner in ("a", "an"):
        return False
    if any(map(is_person_noun, nouns)):
        return True
    is_definite = bool(phrase.determiner) or any(map(is_plural, nouns))
    is_bare = not (owner.is_description or owner.determiner or owner.is_name)
    return is_definite and not is_bare and not parse_date(owner.text) and nouns[0][:1].islower()


def with_clauses(phrase: NounPhrase, text: str, clauses: tuple[Clause, ...]) -> NounPhrase:
    return NounPhrase(
        (*phrase.parts, text), phrase.nouns, phrase.determiner, phrase.genitive, clauses=clauses
    )
