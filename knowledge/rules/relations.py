"""Noun phrases that name a property of an entity: "the head of research at Kestrel", "a budget of 2 euros"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from knowledge.rules import lexicon
from knowledge.rules.discourse import has_name
from knowledge.rules.english import is_person_noun, singular
from knowledge.rules.phrases import NounPhrase

VAGUE_OWNED = lexicon.words(
    "one part member number lot kind type sort form piece example result series range variety"
)


#: What several things have only together: the border of A and B is none of A alone.
_OF_ALL_TOGETHER = lexicon.words(
    "border boundary merger union combination mixture mix blend marriage meeting junction confluence sum total "
    "average difference comparison alliance partnership wedding"
)


#: "Moore's law" is a name, not a law that Moore has.
_EPONYMS = lexicon.words(
    "law theorem principle disease syndrome constant paradox conjecture equation rule effect day league gate razor"
)


#: "The town of Ellerby" is Ellerby.
_KINDS_OF_PLACE = lexicon.words(
    "town city village state county district province island region municipality kingdom republic borough"
)


#: "North and South Dakota": the first is no name by itself.
_PARTS_OF_NAMES = lexicon.words(
    "north south east west upper lower northern southern eastern western new old central inner outer"
)


#: "The current head of X" is the head of X.
_NOW = lexicon.words("current present incumbent")


@dataclass(frozen=True)
class Relation:
    """A phrase that names a property of an entity: "head of research" + "at" + "Nordlys"."""

    noun: str
    preposition: str
    subject: str
    plural: bool


def names_thing(phrase: NounPhrase) -> bool:
    """ "Moore's law": the owner is part of the name."""
    return phrase.owner is not None and phrase.head in _EPONYMS


def _never(_phrase: NounPhrase) -> bool:
    return False


def relation_of(phrase: NounPhrase, is_described: Callable[[NounPhrase], bool] = _never) -> Relation | None:
    """Read "X's N", "the N of X", "the N of M at X" as a property of X, or None if it is none.

    ``is_described`` tells of a description whether the text has made clear which thing it means.
    """
    if phrase.items or phrase.kind != "common" or phrase.tail:
        return None
    if names_thing(phrase):
        return None
    if phrase.owner is not None:
        of = [f"{word} {inner.text}" for word, inner in phrase.modifiers]
        return Relation(relation_noun(phrase, of), "of", phrase.owner.text, phrase.plural)
    if phrase.determiner not in ("the", "") or phrase.counted:
        return None
    if phrase.core in _KINDS_OF_PLACE:
        return None
    chain = _chain(phrase)
    if len(chain) == 1 and chain[0][0] == "of" and is_person_noun(phrase.core) and _is_field(chain[0][1]):
        return Relation(
            relation_noun(phrase, ()), "of", chain[0][1].text, phrase.plural
        )  # "the head of engineering"
    for position, (word, inner) in enumerate(chain):
        if (_is_entity(inner) or is_described(inner)) and word in ("of", "at", "for", "in", "to"):
            before = [f"{each} {part.text}" for each, part in chain[:position]]
            after = [f"{each} {part.text}" for each, part in chain[position + 1 :]]
            subject = " ".join([inner.text, *after])
            return Relation(relation_noun(phrase, before), word, subject, phrase.plural)
    return None


def relations_of(phrase: NounPhrase, is_described: Callable[[NounPhrase], bool] = _never) -> list[Relation]:
    """The same for "the R of A and B", which is the R of each, unless R is what they are only together."""
    owners = phrase.modifiers[-1][1] if phrase.modifiers else None
    if owners is None or not _has_each(phrase.head, owners):
        relation = relation_of(phrase, is_described)
        return [relation] if relation is not None else []
    word = phrase.modifiers[-1][0]
    items = [replace(item, determiner=item.determiner.removeprefix("both").strip()) for item in owners.items]
    each = [replace(phrase, modifiers=(*phrase.modifiers[:-1], (word, item))) for item in items]
    relations = [relation_of(one, is_described) for one in each]
    return [] if None in relations else [relation for relation in relations if relation is not None]


def _has_each(noun: str, owners: NounPhrase) -> bool:
    if owners.conjunction != "and" or noun in _OF_ALL_TOGETHER:
        return False
    names = [item.core.lower() for item in owners.items if item.kind == "name" and not item.modifiers]
    return len(names) == len(owners.items) > 1 and not _PARTS_OF_NAMES.intersection(names)


def relation_noun(phrase: NounPhrase, extra: Sequence[str]) -> str:
    core = " ".join((singular(phrase.core) if phrase.plural else phrase.core, *extra))
    core = core.partition(" ")[2] if core.split()[0] in _NOW and " " in core else core
    return core[:1].lower() + core[1:] if not core.split()[0].isupper() else core


def _chain(phrase: NounPhrase) -> list[tuple[str, NounPhrase]]:
    """The modifiers of a phrase with theirs in turn: "date of birth of X" gives (of, birth), (of, X)."""
    found = []
    for word, inner in phrase.modifiers:
        if _is_entity(inner) or inner.items:
            found.append((word, inner))
        else:
            found.append((word, replace(inner, modifiers=())))
            found += _chain(inner)
    return found


def _is_field(phrase: NounPhrase) -> bool:
    return phrase.kind == "common" and not (
        phrase.determiner or phrase.plural or phrase.counted or phrase.items
    )


def _is_entity(phrase: NounPhrase) -> bool:
    """Does this phrase name one thing by itself: a name, or a description with a name in it?"""
    if phrase.items:
        return False
    if phrase.kind == "name" or phrase.owner is not None:
        return True
    return phrase.kind == "common" and phrase.determiner == "the" and has_name(phrase.core)


def given_amount(phrase: NounPhrase) -> tuple[str, str] | None:
    """ "a budget of 2 million euros" as (budget, 2 million euros)."""
    if phrase.items or phrase.determiner not in ("a", "an") or len(phrase.modifiers) != 1 or phrase.tail:
        return None
    word, value = phrase.modifiers[0]
    if (
        word != "of"
        or phrase.head not in lexicon.MEASURES
        or not (value.counted or value.kind in ("number", "date"))
    ):
        return None
    return phrase.core, value.text
