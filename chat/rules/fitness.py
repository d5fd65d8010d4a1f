"""Can a value answer the question word: a time to "when", an amount to "how many", a place to "where"?"""

from __future__ import annotations

import re

from chat.rules.frames import parse_question
from chat.rules.phrases import NounPhrase, Question
from chat.rules.word_forms import content_words, forms
from chat.rules.wordings import NAMING_NOUNS
from knowledge.rules.english import (
    find_dates,
    head_word,
    is_person_noun,
    is_place_noun,
    looks_like_person_name,
    singular,
    verb_readings,
)
from knowledge.rules.lexicon import (
    MEASURES,
    MONTHS,
    NUMBER_WORDS,
    PLACE_WORDS,
    PREPOSITIONS,
    SUBORDINATORS,
    TIME_NOUNS,
    TIME_UNITS,
    WEEKDAYS,
    WEEKDAYS_PLURAL,
    words,
)

_PLACE_BEFORE = words("in at near on outside inside within beside opposite under above to from around into")
_FEASTS = words("christmas easter midsummer whitsun pentecost ramadan advent hanukkah thanksgiving")
_TIME_WORDS = (
    TIME_NOUNS | WEEKDAYS | WEEKDAYS_PLURAL | frozenset(MONTHS) | _FEASTS
    | words("daily weekly monthly yearly annually once twice always never now ago soon immediately")
)  # fmt: skip
_TIME_CLAUSES = SUBORDINATORS & words("when whenever while until since after before once as") | {"during"}
_AMOUNT_WORDS = (
    NUMBER_WORDS | TIME_UNITS
    | words("several few many much none free nothing all both indefinitely forever once twice")
)  # fmt: skip
_MEASURING = words("many much long old tall high wide deep heavy far")
_WORD = re.compile(r"[^\W_]+(?:[-][^\W_]+)*")


def fits(question: str, sentence: str, value: str) -> bool:
    """Can the value, read out of the sentence, answer the question word?"""
    reading = parse_question(question.rstrip("?. "))
    word, noun = reading.word, singular(reading.noun or asked_noun(reading)).lower()
    if word == "when" or (word in ("what", "which") and noun in TIME_UNITS | {"date"}):
        return _is_time(value)
    if word == "how many":
        is_counted = bool(noun) and _is_said(sentence, noun)
        return is_counted or (_is_amount(value) and not _is_only_date(value))
    if word.startswith("how"):
        return word.split()[-1] not in _MEASURING or _is_amount(value)
    if word == "where" or is_place_noun(noun):
        return _may_be_place(value, sentence)
    if word in ("what", "which") and head_word(noun) in MEASURES and not reading.noun:
        return _is_amount(value)
    return word not in ("who", "whom", "whose") or not (_is_circumstance(value) or _does_something(value))


def asked_noun(reading: Question) -> str:
    """The relation in "Who is the R of X?"; empty for other questions."""
    subject = reading.subject if reading.kind == "identity" else None
    while isinstance(subject, NounPhrase) and subject.genitive and subject.noun.lower() in NAMING_NOUNS:
        subject = subject.genitive
    return subject.noun if subject and subject.genitive and not subject.clauses else ""


def _is_said(sentence: str, noun: str) -> bool:
    return any(forms(noun) & forms(word) for word in content_words(sentence))


def _is_time(value: str) -> bool:
    said = [word.lower() for word in _WORD.findall(value)]
    is_clause = bool(said) and said[0] in _TIME_CLAUSES
    return bool(find_dates(value)) or is_clause or any(char.isdigit() for char in value) or any(
        word in _TIME_WORDS or singular(word) in _TIME_WORDS for word in said
    )  # fmt: skip


def _is_amount(value: str) -> bool:
    said = [word.lower() for word in re.findall(r"[^\W_]+", value)]
    has_word = any(word in _AMOUNT_WORDS or singular(word) in _AMOUNT_WORDS for word in said)
    return has_word or any(char.isdigit() for char in value)


def _is_circumstance(value: str) -> bool:
    """A time, a number or "in Oslo": nothing that anybody is called."""
    is_placed = value.split()[0].lower() in _PLACE_BEFORE if value else False
    return is_placed or all(word[0].isdigit() for word in _besides_dates(value))


def _does_something(value: str) -> bool:
    """ "lives in Oslo": what somebody does is nobody's name."""
    first = value.split()[0] if value else ""
    tags = {tag for _, tag in verb_readings(first)} if first.islower() else set()
    return bool(tags & {"VBZ", "VBD"}) and not is_person_noun(singular(first))


def _is_only_date(value: str) -> bool:
    return bool(find_dates(value)) and not _besides_dates(value)


def _besides_dates(value: str) -> list[str]:
    """The words of a value that are neither part of a date nor prepositions."""
    for date in find_dates(value):
        value = value.replace(date.text, " ")
    return [word for word in _WORD.findall(value) if word.lower() not in PREPOSITIONS]


def _may_be_place(value: str, sentence: str) -> bool:
    """Not a date, and no person's name unless the sentence speaks of a place."""
    if _is_only_date(value):
        return False
    if not looks_like_person_name(value):
        return True
    before = sentence.partition(value)[0].lower().split()
    says_place = any(singular(word) in PLACE_WORDS for word in _WORD.findall(sentence.lower()))
    return says_place or bool({*before[-1:]} & _PLACE_BEFORE)
