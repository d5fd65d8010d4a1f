"""Other ways of putting one relation: agent nouns and their verbs, synonyms, and plainer names.

MEMORY recalls a fact in the words of its document, which are seldom the words of the question: "the winner of
X" may have been written as "won X", and "X's boss" as "X reports to".
"""

from __future__ import annotations

import re
from functools import lru_cache

from knowledge.rules.english import (
    head_word,
    is_person_noun,
    is_place_noun,
    past,
    singular,
    third_person,
    verb_lemma,
    verb_readings,
)
from knowledge.rules.english import parts_of_speech as readings_of
from knowledge.rules.lexicon import (
    AGENT_NOUNS,
    BE_FORMS,
    DO_FORMS,
    HAVE_FORMS,
    KINSHIP,
    MONTHS,
    ORGANISATION_WORDS,
    SEASONS,
    WEEKDAYS,
)

_VOWELS = "aeiou"
_AUXILIARIES = BE_FORMS | DO_FORMS | HAVE_FORMS
_WHO_MANAGES = ("Who is the manager of {x}", "Who manages {x}", "Who does {x} report to")
_JOB = ("What does {x} work as", "What is the job of {x}", "What is the occupation of {x}")
_SEAT = ("Where is {x} based", "Where is {x} located", "Where does {x} work")
_MEMBERS = ("Who belongs to {x}", "Who is in {x}", "Who works in {x}")
#: Relation noun -> questions that ask for the same, the likeliest first.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "boss": _WHO_MANAGES,
    "manager": _WHO_MANAGES,
    "line manager": _WHO_MANAGES,
    "superior": _WHO_MANAGES,
    "supervisor": _WHO_MANAGES,
    "job": _JOB,
    "job title": _JOB,
    "occupation": _JOB,
    "profession": _JOB,
    "position": _JOB,
    "office": _SEAT,
    "seat": _SEAT,
    "base": _SEAT,
    "member": _MEMBERS,
}
#: Verb -> the measure that it states: "weighs 9 kilograms" is a weight of 9 kilograms.
MEASURED = {"weigh": "weight", "cost": "price", "last": "duration"}
_KIND_AFTER_NAME = re.compile(r"\b[Tt]he (?P<name>[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*) (?P<kind>[a-z]+)\b")
_TIMES = frozenset(MONTHS) | WEEKDAYS | SEASONS
_QUARTER = re.compile(r"[QH]\d")
#: Endings of people whom the list of occupations may lack: "chauffeur", "teammate".
_PERSON_ENDING = re.compile(r"(?:eur|mate|wife|maid|lady|ster|nanny)$")


def verb_questions(noun: str, owner: str) -> list[str]:
    """ "founder of X" as "Who founds X" and "Who founded X", "winner of X" as "Who won X"."""
    verb = verb_of(noun)
    return [f"Who {third_person(verb)} {owner}", f"Who {past(verb)} {owner}"] if verb else []


def agent_questions(verb: str, thing: str) -> list[str]:
    """ "supplies X" as "Who is the supplier of X"."""
    return [f"Who is the {noun} of {thing}" for noun in agents_of(verb)]


@lru_cache(maxsize=10_000)
def verb_of(noun: str) -> str:
    """What an agent does: "winner" gives "win", "coordinator" "coordinate"; empty for other nouns.

    A noun that is a verb itself gives way to the verb in it, for a founder does not founder; but to skipper a
    boat is not to skip it, though "runner" is "run".
    """
    if noun in KINSHIP or not is_person_noun(noun):
        return ""
    return next((stem for stem in _stems(noun) if "VB" in _tags(stem)), "")


def _stems(noun: str) -> list[str]:
    """The verbs that may be in an agent noun, the likeliest first."""
    stem = noun[:-2]
    if not noun.endswith(("er", "or")) or len(stem) < 2:
        return [noun]
    undoubled = [stem[:-1]] if stem[-1] == stem[-2] else []
    supplied = [f"{stem[:-1]}y"] if stem.endswith("i") else []
    return [stem, f"{stem}e", *supplied, noun, *undoubled]


def _tags(word: str) -> set[str]:
    return {tag for _, tag in verb_readings(word)}


@lru_cache(maxsize=10_000)
def agents_of(verb: str) -> tuple[str, ...]:
    """Who does it: "wins" gives "winner", "leads" gives "leader" and "lead"; only words of the dictionary."""
    if verb.lower() in _AUXILIARIES or not verb_readings(verb):
        return ()
    lemma = verb_lemma(verb)
    stem = lemma[:-1] if lemma.endswith("e") else lemma
    if lemma.endswith("y") and lemma[-2:-1] not in _VOWELS:
        stem = f"{lemma[:-1]}i"
    nouns = (f"{stem}er", f"{stem}or", f"{stem}{stem[-1]}er", lemma)
    return tuple(noun for noun in nouns if "NOUN" in readings_of(noun) and is_person_noun(noun))


def is_surely_thing(noun: str) -> bool:
    """True for a noun of the dictionary that names neither people nor groups of them: "battery", "place of birth".

    A noun that is not known may be anybody's trade.
    """
    head = singular(head_word(noun)).lower()
    if is_person_noun(noun):
        return False
    if is_place_noun(noun) or noun in SYNONYMS:
        return True
    may_act = head in ORGANISATION_WORDS | AGENT_NOUNS or _PERSON_ENDING.search(head)
    return "NOUN" in readings_of(head) and not may_act


def same_questions(noun: str, owner: str) -> list[str]:
    """The questions that ask for the same relation of the owner in other words."""
    return [template.format(x=owner) for template in SYNONYMS.get(noun, ())]


def reported_to(question: str) -> list[str]:
    """Who manages X, and whom X reports to, are one thing asked in two ways."""
    asked = re.fullmatch(r"Who does (.+) report to|To whom does (.+) report|Who manages (.+)", question)
    return same_questions("manager", next(filter(None, asked.groups()))) if asked else []


def in_charge(predicate: str) -> list[str]:
    """ "is in charge of X" and "is responsible for X" as "manages X" and "leads X"."""
    charge = re.fullmatch(r"(?:is|are|was|were) (?:in charge of|responsible for) (.+)", predicate)
    if not charge:
        return []
    manager, manages, _ = same_questions("manager", charge[1])
    return [manages, manager, f"Who leads {charge[1]}"]


def with_bare_names(question: str) -> str:
    """The question with names alone: "the Sea Rescue course" is "Sea Rescue"; empty where that changes nothing.

    Teams and places need their kind: "the Oslo office" is not Oslo. So does what is named after its time: "the
    March outage" is not March.
    """

    def bare(match: re.Match[str]) -> str:
        kind = match["kind"]
        is_kind = set(readings_of(kind)) >= {"NOUN"} and not is_person_noun(kind)
        is_time = all(word.lower() in _TIMES or _QUARTER.fullmatch(word) for word in match["name"].split())
        is_needed = is_place_noun(kind) or kind in ORGANISATION_WORDS | _AUXILIARIES or is_time
        return match["name"] if is_kind and not is_needed else match[0]

    plainer = _KIND_AFTER_NAME.sub(bare, question)
    return plainer if plainer != question else ""
