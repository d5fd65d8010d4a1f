"""Reads the values out of MEMORY's answer, a full sentence, given the sub-query that it answers.

Three ways, in this order: the two sides of a form of "be" when one of them repeats the question; else the
sentence less the words of the question; and in both cases the part that fits the question word.
"""

from __future__ import annotations

import re
from functools import lru_cache

from chat.protocol.mentions import names_in
from chat.rules.fitness import fits
from chat.rules.leftover import left_over, names_another_relation
from chat.rules.relevance import senses, speaks_of_what_was_asked
from chat.rules.sought import Sought, fitting, trimmed, what_is_sought
from chat.rules.word_forms import forms, words_of
from knowledge.rules.english import (
    strip_article,
)
from knowledge.rules.lexicon import (
    ARTICLES,
    BE_FORMS,
    DO_FORMS,
    PREPOSITIONS,
)

_BE = re.compile(r"\s(is|are|was|were)\s")
_WH = re.compile(
    r"^(?:(?P<preposition>\w+) )?(?P<word>who|whom|whose|what|which|where|when|why|how many|how much|how \w+)\b",
    re.IGNORECASE,
)
#: "What is the name of the skipper of X?" asks for the skipper.
_NAMING = re.compile(r"(?<=^What )(?P<be>is|are|was|were) the (?:full )?names? of ")
_QUESTION_WORDS = frozenset({"who", "what", "which", "when", "where", "how"})
_FUNCTION_WORDS = BE_FORMS | DO_FORMS | ARTICLES | _QUESTION_WORDS | {"of"}


@lru_cache(maxsize=20_000)
def values_of(question: str, answer: str) -> tuple[str, ...]:
    """The values in an answer, in its order and without repetition; empty where it holds none.

    Lists are split only where the sentence tells that it is one: "are", or several names. A count is given
    as written, so that "How many ..." yields one number when the answer states it, else the things listed.
    A sentence that speaks of something else than the question holds none. What is asked without a question
    word is answered by the sentence as a whole.
    """
    sentence = " ".join(answer.split()).rstrip(".!").strip()
    question = _NAMING.sub("", question)
    sought = what_is_sought(question)
    if not sought.kind:
        return (sentence,) if sentence else ()
    if not speaks_of_what_was_asked(question, sentence):
        return ()
    found = _described(question, sentence, sought) or _holder(question, sentence, sought)
    if found is None:
        found = _across_be(question, sentence, sought)
    if found is None:
        found = left_over(question, sentence, sought)
    values = dict.fromkeys(value for value in map(trimmed, found) if value)
    return tuple(
        value for value in values if fits(question, sentence, value) and not _is_echo(question, value)
    )


def _is_echo(question: str, value: str) -> bool:
    """ "The manager of X is X" tells nothing: a value that only repeats the question is none."""
    bare = strip_article(value)
    if not value.islower():
        return f" {bare} " in f" {question.rstrip('?')} " and " or " not in question
    said = [forms(word) for word in words_of(bare)]
    asked = [senses(word) for word in words_of(question)]
    return bool(said) and all(any(word & other for other in asked) for word in said)


# Either side of "be"


def _described(question: str, sentence: str, sought: Sought) -> list[str] | None:
    """ "The barge whose skipper is X is Y", whatever kind of thing the question asked for: Y."""
    told = re.match(r"The [\w -]+? (?:whose|that|who) ", sentence)
    if not told:
        return None
    asked = question.casefold()
    for be in _BE.finditer(sentence, told.end()):
        again = next((b for b in _BE.finditer(sentence, be.end())), None)
        if again is None:
            break
        shared, holder = sentence[be.end() : again.start()], sentence[again.end() :]
        if shared.casefold() in asked:
            return fitting(holder, sought, plural=again[1] in ("are", "were"))
        if strip_article(holder).casefold() in asked:  # asked who teaches Y: the one whom Y has as teacher
            return fitting(shared, sought, plural=be[1] in ("are", "were"))
    return None


def _holder(question: str, sentence: str, sought: Sought) -> list[str] | None:
    """Asked "What weighs 9 kilograms?" and told "The weight of X is 9 kilograms": X has that weight."""
    told = re.fullmatch(r"The [\w -]+? of (?P<owner>.+?) (?:is|was|are|were) (?P<value>.+)", sentence)
    if not told or sought.kind in ("when", "where", "how"):
        return None
    is_asked_by_value = told["value"].casefold() in question.casefold()
    if not is_asked_by_value or told["owner"].casefold() in question.casefold():
        return None
    return [told["owner"]]


def _across_be(question: str, sentence: str, sought: Sought) -> list[str] | None:
    """The other side, where one side of "is" repeats every word that the question asks with."""
    wanted = _content(question, sought)
    for be in _BE.finditer(sentence):
        left, right = sentence[: be.start()], sentence[be.end() :]
        if _covers(left, wanted):
            return fitting(right, sought, plural=be[1] in ("are", "were"))
        if _covers(right, wanted):
            return fitting(left, sought, plural=be[1] in ("are", "were"))
    return _of_the_property(question, sentence, sought)


def _of_the_property(question: str, sentence: str, sought: Sought) -> list[str] | None:
    """Asked "Who founded X?" and told "The founder of X is ...": what follows is the value."""
    names = names_in(question)
    told = re.match(r"The [\w -]+? of (?P<owner>.+?) (?P<be>is|are|was|were) (?P<value>.+)$", sentence)
    if not names or not told or names_another_relation(question, sentence):
        return None
    if any(name not in told["owner"] or name in told["value"] for name in names):
        return None
    return fitting(told["value"], sought, plural=told["be"] in ("are", "were"))


def _content(question: str, sought: Sought) -> list[frozenset[str]]:
    opening = _WH.match(question)
    rest = question[opening.end() :] if opening else question
    words = [word for word in words_of(rest) if word.lower() not in _FUNCTION_WORDS | PREPOSITIONS]
    if words and words[0].lower() == sought.noun:
        words = words[1:]
    return [forms(word) for word in words]


def _covers(text: str, wanted: list[frozenset[str]]) -> bool:
    available = [forms(word) for word in words_of(text)]
    return bool(wanted) and all(any(word & other for other in available) for word in wanted)
