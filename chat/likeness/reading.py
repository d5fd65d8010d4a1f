"""A question and its answer taken apart: what it asks about, what it asks, and what the answer adds.

Two exchanges say the same if these parts agree. Words are compared without inflection, names and numbers as they
are; "the leader of" counts as "leads". What a bag of words loses is kept beside it: who does it to whom, past or
present, negation, and prepositions that change the sense ("works for", "works with").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from chat.likeness.direction import GENERIC, Asked
from chat.protocol.mentions import names_in, numbers_in
from knowledge.pipeline.wording import FUNCTION_WORDS, NEGATIONS, NUMBER_WORDS, is_number, normal, words
from knowledge.rules.english import singular, verb_lemma, verb_readings
from knowledge.rules.lexicon import BE_FORMS, HAVE_FORMS, PREPOSITIONS, TITLES
from knowledge.rules.roles import verb_of_role

#: They come and go between wordings of one question: "in which town", "the leader of".
LOOSE = frozenset({"of", "in", "at", "on", "by", "as", "to"})
PAST = frozenset({"was", "were", "did", "had", "former", "formerly", "previous", "previously", "once"})
#: They stand for whatever is looked for, and say nothing of it.
ANYTHING = frozenset({"person", "people", "someone", "somebody", "name", "thing", "one", "full", "exactly"})
#: "How many" asks for an amount as "what number of" does; alone they are about nothing.
AMOUNTS = frozenset({"many", "much", "long", "often", "far", "old"})
RELATIVES = frozenset({"who", "that", "which"})
#: They may stand beside a name or not: "the town of Bergen", "Project Atlas", "Dr Lund".
KINDS = TITLES | {"town", "city", "village", "municipality", "project", "product", "ship", "vessel"}
#: Beside the name that a question asks about, these as well: "the Sales team".
KINDS_ASKED = KINDS | {"team", "department", "division", "office", "company"}
_CATEGORY = re.compile(r"\b(?:which|what|how)\s+(\w+)(?=\s+\w)", re.IGNORECASE)


@dataclass(frozen=True)
class Exchange:
    """A question and an answer to it."""

    question: str
    answer: str

    @property
    def text(self) -> str:
        return f"{self.question} {self.answer}"


@dataclass(frozen=True)
class Reading:
    """An exchange taken apart; every part is words in lower case.

    ``about``: names and numbers that the question gives. ``relation``: what it asks of them, without inflection;
    ``category`` are those words that only say of what kind the answer is ("which town"). ``links``: prepositions
    that bear on the sense. ``added``: what the answer adds. ``direction``: who does it to whom, worked out when
    it is looked at.
    """

    about: frozenset[str]
    relation: frozenset[str]
    category: frozenset[str]
    links: frozenset[str]
    added: frozenset[str]
    negations: frozenset[str]
    is_past: bool
    direction: Asked = field(compare=False, repr=False)

    @property
    def doers(self) -> frozenset[str]:
        """The names in ``about`` that do what is asked, where the others have it done to them."""
        return self.direction.doers


def read(exchange: Exchange, names: frozenset[str]) -> Reading:
    """Take an exchange apart; ``names`` are the words that count as names in both exchanges compared."""
    asked, answered = words(exchange.question), words(exchange.answer)
    about = frozenset(word for word in asked if _is_particular(word, names))
    places = [place for place, word in enumerate(asked) if _bears(word) and word not in about]
    relation = frozenset(base(asked[place]) for place in places)
    added = frozenset(
        word if _is_particular(word, names) else base(word)
        for word in answered
        if _bears(word) or is_number(word)
    )
    whole = (*asked, *answered)
    return Reading(
        about,
        relation - ANYTHING,
        frozenset(base(match.lower()) for match in _CATEGORY.findall(exchange.question)),
        frozenset(word for word in whole if word in PREPOSITIONS) - LOOSE,
        (added - about - relation) or added,
        frozenset(word for word in whole if word in NEGATIONS),
        _is_past(asked, names) or _is_past(answered, names),
        Asked(exchange.question, asked, frozenset(word for word in about if not word[0].isdigit()), places),
    )


def name_words(texts: Iterable[str]) -> frozenset[str]:
    """The words of the capitalised names in the texts, without those of every name ("Project", "Dr")."""
    return frozenset(word for text in texts for unit in units(text) for word in unit)


def units(text: str) -> tuple[frozenset[str], ...]:
    """The names and numbers of a text, each the set of its distinctive words: "Project Atlas" is {atlas}."""
    found = (_distinctive(each) for each in (*names_in(text), *numbers_in(text)))
    return tuple(dict.fromkeys(unit for unit in found if unit))


@lru_cache(maxsize=20_000)
def _distinctive(name: str) -> frozenset[str]:
    said = frozenset(words(name)) - FUNCTION_WORDS - PREPOSITIONS
    return (said - GENERIC) or said


@lru_cache(maxsize=100_000)
def base(word: str) -> str:
    """A word without its inflection; a role is what one does in it: "leader", "led" and "leads" are "lead"."""
    if is_number(word):
        return NUMBER_WORDS.get(word, word)
    lemma = verb_lemma(word)
    lemma = lemma if lemma != word else singular(word)
    verb = verb_of_role(lemma, False)
    return verb.lemma if verb else lemma


def terms(text: str) -> list[str]:
    """The words of a text that bear its meaning, in their order, without inflection."""
    said = (word for word in words(text) if word not in ANYTHING | AMOUNTS)
    return [base(word) for word in said if _bears(word) or is_number(word)]


def is_statement(answer: str, question: Reading, names: frozenset[str]) -> bool:
    """Whether an answer says by itself all that its question gives: "Ada Lund leads Atlas." does, "Ada Lund." not.

    Of a question without names or numbers it repeats every word that bears on the sense.
    """
    said = words(answer)
    others = [word for word in said if not _is_particular(word, names) and word not in FUNCTION_WORDS]
    if not others and not BE_FORMS & frozenset(said):
        return False
    if question.about:
        return question.about <= frozenset(said)
    asked = question.relation - question.category
    return bool(asked) and asked <= frozenset(map(base, said))


def same_words(one: str, other: str) -> bool:
    """Whether two texts are the same word for word, but for case, articles, punctuation and spelled numbers."""
    return normal(one) == normal(other)


def _bears(word: str) -> bool:
    return word not in FUNCTION_WORDS and word not in PREPOSITIONS


def is_number_unit(unit: frozenset[str]) -> bool:
    """Whether a unit (``units``) is a number or holds one, such as a year."""
    return any(word[0].isdigit() for word in unit)


def _is_particular(word: str, names: frozenset[str]) -> bool:
    return word in names or (is_number(word) and word[0].isdigit())


def _is_past(said: tuple[str, ...], names: frozenset[str]) -> bool:
    """Whether something in the text is over: "led", "was", "former"; but not "is led"."""
    if PAST & frozenset(said):
        return True
    is_participle, before = False, ""
    for word in said:
        is_participle = word in BE_FORMS | HAVE_FORMS or (is_participle and before not in RELATIVES)
        if word not in names and not is_participle and _is_past_form(word):
            return True
        before = word
    return False


@lru_cache(maxsize=100_000)
def _is_past_form(word: str) -> bool:
    role = verb_of_role(word, False)
    if role is not None:
        return role.past
    return any(tag == "VBD" and lemma != word for lemma, tag in verb_readings(word))
