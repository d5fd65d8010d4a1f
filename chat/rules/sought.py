"""What a question asks for, and the part of a sentence that is of that kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from chat.protocol.mentions import names_in
from chat.rules.frames import parse_question
from chat.rules.word_forms import words_of
from knowledge.rules.english import (
    find_dates,
    is_person_noun,
    looks_like_person_name,
    singular,
    split_list,
    strip_article,
)
from knowledge.rules.lexicon import (
    PREPOSITIONS,
    SMALL_NUMBERS,
    TIME_NOUNS,
    TIME_UNITS,
)

_NUMBER = re.compile(r"\d[\d.,]*\d|\d")
_AMOUNT = re.compile(r"[€$£¥]?\d[\d.,]*(?: (?!in\b|on\b|at\b|for\b|and\b|to\b|by\b)[\w€$£¥%]+){0,3}")


@dataclass(frozen=True)
class Sought:
    """What kind of value a question asks for: "who", "when", "where", "how many" or "what"."""

    kind: str
    noun: str


@lru_cache(maxsize=20_000)
def what_is_sought(question: str) -> Sought:
    """The kind of value that a question asks for, from its question word and the noun with it."""
    reading = parse_question(question.rstrip("?. "))
    word, noun = reading.word.partition(" ")[0], reading.noun.lower()
    if word in ("whom", "whose") or (word in ("what", "which") and is_person_noun(noun)):
        return Sought("who", noun)
    if word in ("what", "which") and singular(noun) in TIME_UNITS | {"date"}:
        return Sought("when", noun)
    if reading.word in ("how many", "how much"):
        is_amount = "how much" in question.lower() and not noun
        return Sought("how much" if is_amount else "how many", noun)
    return Sought(word, noun)


def fitting(text: str, sought: Sought, *, plural: bool) -> list[str]:
    """The part of a text that is of the kind sought, as one value or, where it enumerates, several."""
    if sought.kind == "when":
        return [_year_in(text) if sought.noun == "year" else _time_in(text)]
    if sought.kind == "where":
        text = _without_date(text)
        return split_list(without_preposition(text), plural=plural or _is_name_list(text))
    if sought.kind == "how much" and (amount := _AMOUNT.search(text)):
        return [amount[0]]
    if sought.kind == "how many" and (number := number_in(text)):
        return [number]
    text = without_preposition(text) if text.lower().startswith("by ") else text
    if sought.kind == "who":
        text = _without_adjuncts(re.sub(r"^(?:to|for) (?=[A-ZÀ-Þ])", "", text))
    items = split_list(text, plural=True)
    are_people = len(items) > 1 and all(map(looks_like_person_name, items))
    return items if plural or are_people else [text]


def _time_in(text: str) -> str:
    dates = find_dates(text)
    if not dates:
        return without_preposition(text)
    if len(dates) == 2 and re.fullmatch(
        r"\s(?:to|until|till|and|–|-)\s", text[dates[0].end : dates[1].start]
    ):
        return text[dates[0].start : dates[1].end]
    return dates[0].text


def _year_in(text: str) -> str:
    years = [date.year for date in find_dates(text) if date.year]
    return str(years[0]) if years else _time_in(text)


def names_time(text: str) -> bool:
    """Does it hold a word for a time ("spring") or a number?"""
    return any(singular(word.lower()) in TIME_NOUNS or word[0].isdigit() for word in words_of(text))


def _without_date(text: str) -> str:
    """ "in Oslo on 3 May 1970" is "in Oslo"; a text that is nothing but a date stays."""
    for date in find_dates(text):
        shorter = re.sub(rf",?\s*(?:\b(?:on|in|since|from)\s+)?{re.escape(date.text)}", "", text).strip(" ,")
        text = shorter or text
    return text


def is_date_phrase(text: str) -> bool:
    """Is it a date and nothing else: "on 3 May 1970"?"""
    return bool(find_dates(text)) and not words_of(without_preposition(_without_date(text)))


def _without_adjuncts(text: str) -> str:
    """A name and what follows it: "Mara Lind on 3 May" is "Mara Lind"."""
    names = names_in(text)
    if not names or not text.startswith(names[0]):
        return text
    rest = text[len(names[0]) :]
    following = rest.split()[0].lower() if rest.split() else ""
    return names[0] if following in PREPOSITIONS and rest[:1] == " " else text


def without_preposition(text: str) -> str:
    """ "in Oslo" as "Oslo"."""
    first, _, rest = text.partition(" ")
    return rest if rest and first.lower() in PREPOSITIONS else text


def _is_name_list(text: str) -> bool:
    items = split_list(without_preposition(text))
    return " and " in text and all(item[:1].isupper() for item in items)


def number_in(text: str) -> str:
    """The first number that is no part of a date, in digits; empty if there is none."""
    dated = {date.text for date in find_dates(text) if date.month}
    numbers = [number for number in _NUMBER.findall(text) if not any(number in date for date in dated)]
    if numbers:
        return numbers[0]
    written = [word for word in re.findall(r"[a-z]+", text.lower()) if word in SMALL_NUMBERS]
    return str(SMALL_NUMBERS[written[0]]) if written else ""


def trimmed(value: str) -> str:
    """A value without stray marks, and without an article unless it belongs to a name."""
    value = re.sub(r"^(The|A|An) ", lambda article: article[0].lower(), value.strip(" ,;"))
    is_plain_name = value.lower().startswith(("the ", "a ", "an ")) and not names_in(value)
    return strip_article(value) if is_plain_name else value
