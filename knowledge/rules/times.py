"""Expressions of time in a clause: "in May 2019", "from 2015 to 2019", "every second Tuesday", "last year".

An absolute expression keeps its wording. A relative one ("last year", "two weeks ago") is made absolute
against the date of the document where that is certain, and is dropped from the clause where it is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from knowledge.rules.lexicon import MONTHS, SMALL_NUMBERS, WEEKDAYS

_MONTH = (
    "(?:"
    + "|".join(month.capitalize() for month in MONTHS)
    + "|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\\b\\.?)"
)
_DAY = r"[0-3]?\d(?:st|nd|rd|th)?"
_WEEKDAY = "(?:" + "|".join(day.capitalize() for day in sorted(WEEKDAYS)) + ")"
_SEASON = r"(?:spring|summer|autumn|fall|winter)"
_YEAR = r"(?:1\d{3}|20\d{2}|0\d{3})(?:/\d{2,4})?(?![\d,.]*\d|%)"
_DATE = (
    rf"(?:\d{{4}}-\d\d-\d\d|(?:the\s)?{_DAY}\s(?:of\s)?{_MONTH}(?:,?\s\d{{3,4}})?"
    rf"|{_MONTH}\s{_DAY}(?!\d)(?:,?\s\d{{4}})?|{_MONTH}(?:,?\s\d{{4}})?"
    rf"|(?:the\s)?{_SEASON}(?:\sof)?\s{_YEAR}|{_YEAR}|\d?\d[./]\d?\d[./]\d{{4}})"
)
_PART = r"(?:(?:the\s)?(?:early|late|mid)[-\s]|the\s(?:beginning|end|start|middle|close)\sof\s)"
_CENTURY = (
    r"the\s(?:\w+-)?(?:early\s|late\s|mid-)?(?:\d{1,2}(?:st|nd|rd|th)|[a-z]+th|first|second|third)"
    r"\scent(?:ury|uries)(?:\s(?:BC|AD))?"
)
_DECADE = r"the\s(?:early\s|late\s|mid-?\s?)?1?\d?\d\ds"
_FRACTION = rf"the\s(?:first|second|last)\s(?:half|quarter)\sof\s(?:{_DATE})"
_POINT = rf"(?:{_PART}?(?:{_DATE})|{_DECADE}|{_CENTURY}|{_FRACTION})"
_CLOCK = r"(?:\d{1,2}[:.]\d\d(?:\s?[ap]\.?m\b\.?)?|\d{1,2}\s?[ap]\.?m\b\.?|noon|midnight|\d{1,2}\so'clock)"
_NUMBER = r"(?:\d+(?:[.,]\d+)?|" + "|".join(SMALL_NUMBERS) + r"|a|an|several|many|a\sfew|half\sa)"
_UNIT = r"(?:second|minute|hour|day|night|week|month|quarter|year|decade|century|season|(?:working|business)\sday)"
_UNITS = rf"(?:{_UNIT}s|centuries)"
_AT_LEAST = r"(?:(?:more\sthan|over|about|around|nearly|almost|at\sleast|up\sto|approximately)\s)?"
_AMOUNT = rf"(?:{_AT_LEAST}{_NUMBER}\s(?:{_UNITS}|{_UNIT}))"
_OF_EACH = r"\sof\s(?:the|each|every)\s"
_NTH = r"(?:first|second|third|fourth|last)"


class TimeRole(StrEnum):
    """What an expression of time says: it decides the question word."""

    POINT = "point"
    START = "start"
    END = "end"
    RANGE = "range"
    DURATION = "duration"
    FREQUENCY = "frequency"
    RELATIVE = "relative"


@dataclass(frozen=True)
class TimeExpression:
    """A time as written, with its preposition; ``value`` is the part without the preposition."""

    text: str
    role: TimeRole
    preposition: str = ""
    value: str = ""


_ABSOLUTE: tuple[tuple[TimeRole, str], ...] = (
    (
        TimeRole.RANGE,
        rf"(?P<p>from)\s(?P<v>(?:{_POINT}|{_CLOCK})\s(?:to|until|till|through)\s(?:{_POINT}|{_CLOCK}))",
    ),
    (TimeRole.RANGE, rf"(?P<p>between)\s(?P<v>(?:{_POINT}|{_CLOCK})\sand\s(?:{_POINT}|{_CLOCK}))"),
    (TimeRole.RANGE, rf"(?P<p>from)\s(?P<v>{_WEEKDAY}\s(?:to|until|through)\s{_WEEKDAY})"),
    (TimeRole.START, rf"(?P<p>since)\s(?P<v>{_POINT})"),
    (TimeRole.START, rf"(?P<p>from)\s(?P<v>{_POINT})(?:\sonwards?)?"),
    (TimeRole.END, rf"(?P<p>until|till)\s(?P<v>{_POINT}|{_CLOCK})"),
    (TimeRole.POINT, rf"(?P<p>on)\s(?P<v>(?:{_WEEKDAY},?\s)?{_DATE}(?:\sat\s{_CLOCK})?)"),
    (
        TimeRole.FREQUENCY,
        rf"(?P<p>on)\s(?P<v>(?:{_WEEKDAY}s(?:(?:,\s{_WEEKDAY}s)*\s(?:and|or)\s{_WEEKDAY}s)?|weekdays|weekends"
        rf"|(?:the\s)?(?:{_NTH}\s(?:{_WEEKDAY}|working\sday|day)|\d{{1,2}}(?:st|nd|rd|th)){_OF_EACH}(?:month|year|week)))",
    ),
    (TimeRole.POINT, rf"(?P<p>in)\s(?P<v>{_YEAR}(?:,\s{_YEAR})*,?\sand\s{_YEAR})"),
    (TimeRole.POINT, rf"(?P<p>in|during|around|about|by|before|after|circa)\s(?P<v>{_POINT})"),
    (TimeRole.POINT, rf"(?P<p>by|before|after)\s(?P<v>{_CLOCK})"),
    (TimeRole.START, rf"(?P<p>from)\s(?P<v>{_CLOCK})(?:\sonwards?)?"),
    (TimeRole.POINT, rf"(?P<p>at)\s(?P<v>{_CLOCK}|the\s(?:beginning|end|start|turn)\sof\s(?:{_POINT}))"),
    (
        TimeRole.FREQUENCY,
        r"(?P<v>(?:every|each)\s(?:(?:other|second|two|three|four|five|six|ten)\s)?"
        rf"(?:{_WEEKDAY}|{_UNITS}|{_UNIT}|{_SEASON}|morning|evening|afternoon|{_MONTH})"
        rf"(?:{_OF_EACH}(?:month|year|week|quarter))?(?:\sat\s{_CLOCK})?)",
    ),
    (
        TimeRole.FREQUENCY,
        rf"(?P<v>(?:once|twice|(?:{_NUMBER}|several)\stimes)\s(?:a|an|per|every|each)\s{_UNIT})",
    ),
    (TimeRole.DURATION, rf"(?P<p>for|during|in)\s(?P<v>the\s(?:first|last|next)\s{_AMOUNT})"),
    (TimeRole.DURATION, rf"(?P<p>for)\s(?P<v>(?:the\s)?{_AMOUNT})"),
    (TimeRole.FREQUENCY, rf"(?P<v>per\s{_UNIT})"),
    (TimeRole.DURATION, rf"(?P<p>after)\s(?P<v>{_AMOUNT})(?!\sof\b)"),
    (TimeRole.DURATION, rf"(?P<p>within)\s(?P<v>{_AMOUNT})"),
)
_RELATIVE = re.compile(
    rf"(?:on\s|in\s|since\s|until\s|by\s|during\s|over\s)?"
    rf"(?:(?P<which>last|next|this|that|the\s(?:previous|following|same|past|last|next|coming))"
    rf"\s(?:{_NUMBER}\s)?(?P<unit>{_UNITS}|{_UNIT}|{_SEASON}|{_WEEKDAY}|{_MONTH}|morning|evening|time)"
    rf"|(?P<named>yesterday|today|tomorrow|tonight)"
    rf"|(?P<count>{_NUMBER})\s(?P<ago_unit>{_UNITS}|{_UNIT})\s(?P<side>ago|later|earlier|afterwards|before)"
    rf"|(?:shortly|soon|immediately|not\slong)\s(?:after|before|afterwards|thereafter)(?:wards)?(?=[,.]|$)"
    rf"|at\s(?:the|that)\s(?:time|moment|same\stime|age\sof\s\w+)|now|nowadays|recently|currently|at\spresent|to\sdate)\b",
    re.IGNORECASE,
)
_COMPILED = tuple((role, re.compile(pattern, re.IGNORECASE)) for role, pattern in _ABSOLUTE)


def time_at(text: str, start: int) -> tuple[TimeExpression, int] | None:
    """The expression of time that begins at ``start``, with the offset of its end."""
    for role, pattern in _COMPILED:
        match = pattern.match(text, start)
        if match and _ends_word(text, match.end()):
            found = match.groupdict()
            words = match.group()
            return TimeExpression(words, role, (found.get("p") or "").lower(), found["v"]), match.end()
    match = _RELATIVE.match(text, start)
    if match and _ends_word(text, match.end()):
        return TimeExpression(match.group(), TimeRole.RELATIVE), match.end()
    return None


def _ends_word(text: str, end: int) -> bool:
    return end >= len(text) or not (text[end].isalnum() or text[end] in "-’'")


def made_absolute(expression: TimeExpression, written: date | None) -> TimeExpression | None:
    """A relative expression against the day the document speaks from, or None where that is not certain."""
    match = _RELATIVE.match(expression.text)
    if not match or written is None:
        return None
    text = _absolute_text(match, written)
    if not text:
        return None
    preposition, _, value = text.partition(" ")
    return TimeExpression(text, TimeRole.POINT, preposition, value)


def _absolute_text(match: re.Match[str], written: date) -> str:
    named = (match["named"] or "").lower()
    if named in ("yesterday", "today"):
        return _on_day(written - timedelta(days=named == "yesterday"))
    if match["side"] and match["side"].lower() == "ago":
        return _ago(match["count"].lower(), match["ago_unit"].lower(), written)
    which, unit = (match["which"] or "").lower(), (match["unit"] or "").lower()
    if unit == "year" and which in ("last", "this", "next"):
        return f"in {written.year + {'last': -1, 'this': 0, 'next': 1}[which]}"
    if unit == "month" and which in ("last", "this"):
        return _in_month(written, 1 if which == "last" else 0)
    return ""


def _ago(count: str, unit: str, written: date) -> str:
    number = (
        1 if count in ("a", "an", "one") else SMALL_NUMBERS.get(count, int(count) if count.isdigit() else 0)
    )
    if not number:
        return ""
    if unit.startswith("day"):
        return _on_day(written - timedelta(days=number))
    if unit.startswith("month"):
        return _in_month(written, number)
    if unit.startswith(("year", "decade")):
        return f"in {written.year - number * (10 if unit.startswith('decade') else 1)}"
    return ""


def _on_day(day: date) -> str:
    return f"on {day.day} {MONTHS[day.month - 1].capitalize()} {day.year}"


def _in_month(written: date, months_back: int) -> str:
    index = written.year * 12 + written.month - 1 - months_back
    return f"in {MONTHS[index % 12].capitalize()} {index // 12}"
