"""Does MEMORY's sentence speak of what was asked, or only of whom?

A small MEMORY that does not know may answer with another fact about the same entity: asked for the price of a
product, it tells what the product does. Such a sentence repeats the name and nothing else of the question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from chat.protocol.mentions import names_in
from chat.rules.alternatives import MEASURED, SYNONYMS, agents_of, verb_of, with_bare_names
from chat.rules.word_forms import content_words, forms
from knowledge.rules.english import find_dates
from knowledge.rules.lexicon import BE_FORMS, words
from knowledge.rules.property_wordings import PARAPHRASES

#: Words of questions that name no relation: whoever answers need not repeat them.
_GENERIC = words(
    """
    person people entity thing one kind type sort name call located situated based stand place part can could tell
    know find much many long large big often exactly currently now also still same other take people else only
    """
)
#: Words that ask for one thing, each row another: where one is asked for, a sentence may use another.
_ALIKE = tuple(
    frozenset(row.split())
    for row in (
        "live reside home inhabit dwell",
        "work employ job occupation profession serve",
        "start begin commence launch open found",
        "end finish close complete conclude",
        "buy acquire purchase take",
        "make produce manufacture build construct create",
        "lead head run manage direct chair charge responsible leader manager director",
        "report manage manager boss supervisor superior",
        "marry wife husband spouse",
        "study graduate educate attend",
        "own belong owner possess",
        "study learn read",
        "name call title",
        "member belong join consist comprise include",
        "price cost pay charge",
        "deadline due finish end",
        "hobby like enjoy pursue spare",
        "year date day month time when",
        "city town village country live place",
    )
)
#: Words of idioms ("do for a living", "how many people live in X") that mean something else by themselves.
_IDIOMATIC = words("living live spare time people inhabitant inhabitants have must")
_MOST_MISSED = 1 / 3


def speaks_of_what_was_asked(question: str, sentence: str) -> bool:
    """True if the sentence uses the relation words of the question, or words that mean the same."""
    if _speaks_of_it_only(question, sentence):
        return False
    asked = _relation_words(with_bare_names(question) or question)
    if not asked:
        return True
    said = content_words(_without_names(sentence, question))
    told = frozenset().union(*(forms(word) for word in said), _implied_by_values(sentence))
    missed = sum(not (senses(word) & told or _is_derived(word, said)) for word in asked)
    return missed == 0 if len(asked) <= 2 else missed <= _MOST_MISSED * len(asked)


def _speaks_of_it_only(question: str, sentence: str) -> bool:
    """Asked what the choir of X is and told "Y founded the choir of X": that says what somebody did with it."""
    asked = re.fullmatch(r"(?:who|what) (?:is|are|was|were) the (.+? of .+?)\??", question, re.IGNORECASE)
    if not asked:
        return False
    before, found, after = sentence.casefold().partition(asked[1].casefold())
    beside = {*before.removesuffix("the ").split()[-1:], *after.split()[:1]}
    return bool(found) and not beside & BE_FORMS


def _is_derived(asked: str, said: Sequence[str]) -> bool:
    """ "maintenance" for "maintains": the same beginning, long enough."""
    return any(len(word) > 5 and word[:5].lower() == asked[:5].lower() for word in said)


def _relation_words(question: str) -> list[str]:
    """The words that say what is wanted: without names, dates, question words and the kind asked for."""
    text = _without_names(question, question)
    for date in find_dates(text):
        text = text.replace(date.text, " ")
    text = re.sub(
        r"^((?:\w+ )?(?:which|what)) [\w -]*?\b(is|are|was|were|does|do|did|has|have|had)\b",
        r"\1 \2",
        text,
        flags=re.I,
    )
    text = re.sub(r"^((?:\w+ )?which) [\w-]+ ", r"\1 ", text, flags=re.I)
    return [word for word in content_words(text) if not forms(word) & _GENERIC and not word[:1].isdigit()]


def _without_names(text: str, question: str) -> str:
    """The text without the names that the question asks about: "Works" in a company's name is no work."""
    for name in sorted(names_in(question), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text)
    return text


def _implied_by_values(sentence: str) -> frozenset[str]:
    """What a sentence tells without the word for it: with a date when, with "is an engineer" the job."""
    dated = {"date", "year", "day", "time"} if find_dates(sentence) else set()
    employed = {"job", "title", "occupation"} if re.search(r"\b(?:is|was) an? ", sentence) else set()
    return frozenset(dated | employed)


@cache
def senses(word: str) -> frozenset[str]:
    """The forms of a word and of all words that would answer for it."""
    own = forms(word)
    alike = {each for row in (*_ALIKE, *_rows()) if own & row for each in row}
    does = {verb for each in own if (verb := verb_of(each))}
    return own.union(alike, does, *(agents_of(each) for each in own))


@cache
def _rows() -> tuple[frozenset[str], ...]:
    """What the GENERATOR words in two ways: "price" and "cost", "manager" and "report"."""
    rows = [_row(noun, templates) for noun, templates in (*PARAPHRASES.items(), *SYNONYMS.items())]
    return (*rows, *(frozenset(pair) for pair in MEASURED.items()))


def _row(noun: str, templates: tuple[str, ...]) -> frozenset[str]:
    texts = [noun, *(re.sub(r"\{\w+\}", " ", template) for template in templates)]
    found = frozenset().union(*(forms(word) for text in texts for word in content_words(text)))
    return found - _GENERIC - _IDIOMATIC
