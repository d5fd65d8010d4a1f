"""The parts of a clause, and which part a prepositional phrase belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from knowledge.rules import lexicon
from knowledge.rules.phrases import NounPhrase
from knowledge.rules.times import TimeExpression
from knowledge.rules.verbs import VerbGroup

#: Prepositions that bind a phrase to the common noun before it rather than to the verb.
_NOUN_PREPOSITIONS = lexicon.words("of about between against for with regarding concerning among per without")
_PLACE_LIKE = lexicon.words("in at on near inside outside under over behind beside along across from")
_TEMPORAL = lexicon.words("after before during since until despite")


@dataclass(frozen=True)
class Attached:
    """A phrase with its preposition ("in Oslo", "as an engineer") or an expression of time."""

    preposition: str
    phrase: NounPhrase | None = None
    time: TimeExpression | None = None


@dataclass(frozen=True)
class Clause:
    """A clause in parts. ``predicate`` follows a form of "be"; ``adjective`` likewise ("open", "30 metres tall").

    ``raw`` is the predicate's text where it is no phrase ("to reduce costs").
    """

    subject: NounPhrase
    group: VerbGroup
    object: NounPhrase | None = None
    predicate: NounPhrase | None = None
    adjective: str = ""
    raw: str = ""
    attached: tuple[Attached, ...] = ()


@dataclass(frozen=True)
class Apposition:
    """ "Mara Lind, the head of research": two phrases for one thing."""

    subject: NounPhrase
    predicate: NounPhrase
    attached: tuple[Attached, ...] = ()


def names_property(subject: NounPhrase) -> bool:
    """ "The hobby of X", "X's hobby": a subject whose predicate is a value, whatever words it is made of."""
    owned = subject.owner is not None or subject.determiner in lexicon.POSSESSIVES
    return subject.kind == "common" and not subject.items and (owned or bool(subject.modifiers))


def is_bare(clause: Clause) -> bool:
    """True if nothing follows the verb yet but, perhaps, an adjective ("capable of")."""
    return clause.object is None and clause.predicate is None


def with_modifier(phrase: NounPhrase, attached: Attached) -> NounPhrase:
    """The phrase with a prepositional phrase joined to it (to its last item in an enumeration)."""
    if attached.phrase is None:
        return phrase
    if phrase.items:
        *front, last = phrase.items
        return replace(phrase, items=(*front, with_modifier(last, attached)))
    return replace(phrase, modifiers=(*phrase.modifiers, (attached.preposition, attached.phrase)))


def attach(clause: Clause, attached: list[Attached], phrase: Attached) -> tuple[Clause, list[Attached]]:
    """Give a prepositional phrase to the noun before it or to the clause.

    What may belong to the noun goes to the noun: the sentence stays true in either case, while a phrase that
    is torn off its noun and asked about by itself may not.
    """
    last = attached[-1].phrase if attached else None
    if last is not None and _binds_to_circumstance(attached[-1], last, phrase):
        return clause, [*attached[:-1], replace(attached[-1], phrase=with_modifier(last, phrase))]
    if clause.predicate is not None and not attached and phrase.preposition not in _TEMPORAL:
        return replace(clause, predicate=with_modifier(clause.predicate, phrase)), attached
    by_name = phrase.preposition == "by" and phrase.phrase is not None and phrase.phrase.kind == "name"
    made = clause.object is not None and clause.object.kind == "common" and not clause.group.verb.passive
    if clause.object is not None and not attached and made and by_name:
        return replace(clause, object=with_modifier(clause.object, phrase)), attached
    if clause.object is not None and not attached and _binds_to_object(clause.object, phrase.preposition):
        return replace(clause, object=with_modifier(clause.object, phrase)), attached
    return clause, [*attached, phrase]


def _binds_to_circumstance(before: Attached, last: NounPhrase, phrase: Attached) -> bool:
    purpose = before.preposition == "for" or any(word == "for" for word, _ in last.modifiers[-1:])
    if purpose and phrase.preposition == "by" and last.kind == "common":
        return True  # "for release by Helix": not by Helix that it was made
    if last.kind != "common" or last.items or phrase.preposition in _TEMPORAL | {"by", "as"}:
        return False
    # "works as a nurse at St. Olav" says where she works; "on photos of a monument to X" does not say to what.
    return not (
        before.preposition in ("as", "by") and phrase.preposition in ("in", "at", "near", "from", "until")
    )


def _binds_to_object(target: NounPhrase, preposition: str) -> bool:
    last = target.flat()[-1]
    if last.kind not in ("common", "number"):
        return False
    utmost = any(word.endswith("est") or word in ("only", "first", "last") for word in last.core.split()[:-1])
    definite = last.determiner == "the" and (utmost or not last.modifiers) and not last.owner
    return preposition in _NOUN_PREPOSITIONS or (definite and preposition in _PLACE_LIKE)


def with_tail(clause: Clause, attached: list[Attached], words: str) -> tuple[Clause, list[Attached]]:
    """Join trailing words to the noun just before them."""
    if attached and attached[-1].phrase is not None:
        phrase = attached[-1].phrase
        return clause, [*attached[:-1], replace(attached[-1], phrase=tailed(phrase, words))]
    if attached:
        return clause, attached
    if clause.predicate is not None:
        return replace(clause, predicate=tailed(clause.predicate, words)), attached
    if clause.object is not None:
        return replace(clause, object=tailed(clause.object, words)), attached
    return clause, attached


def tailed(phrase: NounPhrase, words: str) -> NounPhrase:
    if phrase.items:
        *front, last = phrase.items
        return replace(phrase, items=(*front, replace(last, tail=words)))
    return replace(phrase, tail=f"{phrase.tail} {words}".strip())


def last_name(clause: Clause) -> NounPhrase | None:
    """The name that ends the clause, to which an aside after it belongs."""
    phrases = [each.phrase for each in clause.attached if each.phrase is not None]
    phrase = phrases[-1] if phrases else clause.object or clause.predicate
    alone = phrase is not None and not phrase.items and not phrase.modifiers
    return phrase if alone and phrase is not None and phrase.kind == "name" else None
