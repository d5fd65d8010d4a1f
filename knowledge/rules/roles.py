"""What a role means: the leader of X leads X, its founder founded it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from knowledge.rules.facts import Action, Fact, Property, Verb
from knowledge.rules.morphology import is_plural, verb_readings
from knowledge.rules.property_wordings import PARAPHRASES

_WHO = re.compile(r"Who (?P<verb>\w+) \{x\}\?")


def acted(facts: Iterable[Fact]) -> Iterator[Action]:
    """ "The leader of X is Y" as "Y leads X", so that Y can be asked for what Y leads."""
    for fact in facts:
        verb = verb_of_role(fact.noun, fact.past) if isinstance(fact, Property) else None
        if verb is None or not isinstance(fact, Property) or fact.preposition != "of":
            continue
        for value in fact.values:
            if value[:1].isupper():
                yield Action(value, verb, fact.evidence, fact.subject, several=is_plural(fact.subject))


@cache
def verb_of_role(noun: str, past: bool) -> Verb | None:
    """What somebody in the role does ("leads") or has done ("founded"); None for other nouns."""
    asked = next((match for text in PARAPHRASES.get(noun, ()) if (match := _WHO.fullmatch(text))), None)
    if asked is None:
        return None
    readings = {tag: lemma for lemma, tag in reversed(verb_readings(asked["verb"]))}
    if "VBD" in readings:
        lemma = readings["VBD"]
        return Verb(lemma, asked["verb"], "did", lemma, past=True)
    if past or "VBZ" not in readings:  # "Who leads X?" does not ask for those who led it once
        return None
    return Verb(readings["VBZ"], asked["verb"], "does", readings["VBZ"])


@cache
def role_of(lemma: str) -> str:
    """Who does it: "leader" for "lead", "author" for "write"; "" where no such noun is in use."""
    roles = (noun for noun in PARAPHRASES if " " not in noun and noun != lemma)
    return next((noun for noun in roles if (verb := verb_of_role(noun, False)) and verb.lemma == lemma), "")
