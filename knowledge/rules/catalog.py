"""What the corpus says its names are: people, projects, cities. Questions are worded by it."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.rules.english import (
    head_word,
    is_person_noun,
    is_plural,
    looks_like_person_name,
    singular,
)
from knowledge.rules.facts import Action, Classification, Fact, Property, norm
from knowledge.rules.lexicon import (
    AGENT_NOUNS,
    ANAPHORIC_NOUNS,
    FEMALE_NOUNS,
    KINSHIP,
    MALE_NOUNS,
    PLACE_WORDS,
    PREFIXED_KINDS,
    words,
)

PERSONAL_PROPERTIES = KINSHIP | {
    "occupation", "profession", "job", "job title", "hobby", "gender", "sex", "date of birth", "birth date",
    "birthday", "birthplace", "place of birth", "nationality", "date of death", "hometown", "home town",
    "employer", "nickname", "maiden name", "religion", "mother tongue",
}  # fmt: skip
#: What only things and organisations have.
IMPERSONAL_PROPERTIES = words(
    """
    budget deadline capital population founder owner director president chair chairman chairwoman mayor
    headquarters location address price cost customer supplier service product members member capacity designer
    leader lead architect sponsor publisher producer composer
    """
)
_PERSONAL_VERBS = words("marry divorce live reside work study graduate retire emigrate train")
_NAMED_KINDS = ANAPHORIC_NOUNS | PLACE_WORDS
_AMBIGUOUS_KIND_WORDS = words("park hill post may home state unit site line house bay")


class Catalog:
    """Kinds of the names of a corpus, learned from its facts and, failing that, from the names themselves."""

    def __init__(self, facts: Iterable[Fact], things: frozenset[str] = frozenset()) -> None:
        self._nouns: dict[str, str] = {}
        self._people: set[str] = set()
        self._things: set[str] = set(things)
        self._genders: dict[str, str] = {}
        for fact in facts:
            self._learn(fact)

    def _learn(self, fact: Fact) -> None:
        if isinstance(fact, Classification):
            self._learn_class(fact)
        elif isinstance(fact, Property):
            self._learn_property(fact)
        elif _is_done_by_one_person(fact):
            self._people.add(norm(fact.subject))

    def _learn_class(self, fact: Classification) -> None:
        noun = singular(fact.noun)
        if noun in AGENT_NOUNS and not looks_like_person_name(fact.subject):
            self._nouns.setdefault(norm(fact.subject), noun)
        elif is_person_noun(noun):
            self._people.add(norm(fact.subject))
            self._learn_gender(fact.subject, noun)
        else:
            self._nouns.setdefault(norm(fact.subject), noun)

    def _learn_property(self, fact: Property) -> None:
        if fact.noun in IMPERSONAL_PROPERTIES or head_word(fact.noun) in IMPERSONAL_PROPERTIES:
            self._things.add(norm(fact.subject))
        if fact.noun in PERSONAL_PROPERTIES:
            self._people.add(norm(fact.subject))
        if fact.noun in KINSHIP:
            self._people.update(norm(value) for value in fact.values)
            for value in fact.values:
                self._learn_gender(value, fact.noun)
        if fact.noun in ("gender", "sex") and fact.values[0] in ("male", "female"):
            self._genders[norm(fact.subject)] = fact.values[0]

    def _learn_gender(self, name: str, noun: str) -> None:
        if noun in MALE_NOUNS or noun in FEMALE_NOUNS:
            self._genders.setdefault(norm(name), "male" if noun in MALE_NOUNS else "female")

    def gender(self, name: str) -> str:
        """ "male", "female" or "" where the corpus does not say."""
        return self._genders.get(norm(name), "")

    def is_person(self, name: str) -> bool:
        """True if the corpus, or else the name itself, says that this is one person."""
        key = norm(name)
        if key in self._people:
            return key not in self._things
        return key not in self._nouns and key not in self._things and looks_like_person_name(name)

    def noun(self, name: str) -> str:
        """The kind of thing a name stands for: "person", "project", "city"; "" where nothing says."""
        key = norm(name)
        if self.is_person(name):
            return "person"
        first = name.split()[0].lower() if " " in name else ""
        if first in PREFIXED_KINDS:
            return first
        return self._nouns.get(key) or _noun_in_name(name)


def _is_done_by_one_person(fact: Action) -> bool:
    if fact.plural or not fact.subject[:1].isupper():
        return False
    if fact.verb.lemma == "bear":
        return fact.verb.passive
    return fact.verb.lemma == "marry" or (
        fact.verb.lemma in _PERSONAL_VERBS and looks_like_person_name(fact.subject)
    )


def _noun_in_name(name: str) -> str:
    """ "project" for "Project Kestrel", "museum" for "Turin Museum" and "Museum of Turin"."""
    words_of_name = name.split()
    if len(words_of_name) < 2 or is_plural(words_of_name[-1]):
        return ""
    candidates = [words_of_name[-1]]
    if words_of_name[0].lower() in PREFIXED_KINDS:
        candidates.insert(0, words_of_name[0])
    if "of" in words_of_name:
        candidates = [words_of_name[words_of_name.index("of") - 1]]
    lower = [word.lower() for word in candidates]
    return next((word for word in lower if word in _NAMED_KINDS and word not in _AMBIGUOUS_KIND_WORDS), "")
