"""Facts that follow from stated ones with certainty: inverse and more general relations."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.rules.catalog import Catalog
from knowledge.rules.facts import Fact, Property

_PARENTS = frozenset({"mother", "father", "parent"})
_CHILDREN = frozenset({"son", "daughter", "child"})
_SIBLINGS = frozenset({"brother", "sister", "sibling"})
_SPOUSES = {"husband": "male", "wife": "female", "spouse": ""}
_BY_GENDER = {"male": "husband", "female": "wife", "": "spouse"}


def implied(facts: Iterable[Fact], catalog: Catalog) -> list[Property]:
    """The relations that kinship facts imply: a mother's child, a son's parent, a sister's sibling, a spouse.

    Only what holds in every case is drawn: the wife of A has A as husband where A's gender is known, and as
    spouse otherwise. Friendship and the like are not taken to be mutual.
    """
    derived: list[Property] = []
    for fact in facts:
        if isinstance(fact, Property) and fact.preposition == "of":
            derived += _implied_by(fact, catalog)
    return derived


def _implied_by(fact: Property, catalog: Catalog) -> list[Property]:
    if fact.noun in _PARENTS:
        return _both(fact, "parent", "child")
    if fact.noun in _CHILDREN:
        return _both(fact, "child", "parent")
    if fact.noun in _SIBLINGS:
        return _both(fact, "sibling", "sibling")
    if fact.noun in _SPOUSES:
        inverse = _BY_GENDER[catalog.gender(fact.subject)]
        return [_relation(value, inverse, fact.subject, fact) for value in fact.values]
    return []


def _both(fact: Property, forward: str, backward: str) -> list[Property]:
    general = (
        []
        if fact.noun == forward
        else [_relation(fact.subject, forward, value, fact) for value in fact.values]
    )
    return general + [_relation(value, backward, fact.subject, fact) for value in fact.values]


def _relation(subject: str, noun: str, value: str, source: Property) -> Property:
    return Property(subject, noun, (value,), source.evidence, past=source.past)
