"""Dates in running text: where they stand, what they mean, and how long lies between two of them.

A document's own wording of a date is always kept in answers; the values here serve comparison and
computation only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from knowledge.rules.lexicon import MONTH_NUMBERS, MONTHS

_MONTH = "|".join(
    [*(month.capitalize() for month in MONTHS), "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"]
)
_DAY = r"(?P<day{n}>[0-3]?\d)(?:st|nd|rd|th)?"
_PATTERNS = (
    r"(?P<year0>\d{4})-(?P<month0>[01]\d)-(?P<day0>[0-3]\d)",
    rf"{_DAY.format(n=1)}\s+(?:of\s+)?(?P<month1>{_MONTH})\b\.?,?\s+(?P<year1>\d{{3,4}})",
    rf"(?P<month2>{_MONTH})\b\.?\s+{_DAY.format(n=2)},?\s+(?P<year2>\d{{3,4}})",
    rf"(?P<month3>{_MONTH})\b\.?,?\s+(?P<year3>\d{{4}})",
    rf"{_DAY.format(n=4)}\s+(?:of\s+)?(?P<month4>{_MONTH})\b",
    rf"(?P<month5>{_MONTH})\s+{_DAY.format(n=5)}(?!\d)",
    r"(?P<day6>[0-3]?\d)[./](?P<month6>[01]?\d)[./](?P<year6>\d{4})",
    r"(?P<year7>1\d{3}|20\d{2})(?!\d|[,.]\d|\s*(?:%|percent))",
    rf"(?P<month8>{_MONTH})\b",
)
_DATE = re.compile("|".join(rf"(?<![\w-]){pattern}(?![\w-])" for pattern in _PATTERNS))


@dataclass(frozen=True)
class DateExpression:
    """A date as written, at [start, end) of the text; parts that it leaves out are None."""

    text: str
    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None

    @property
    def is_full(self) -> bool:
        return None not in (self.year, self.month, self.day)

    def as_date(self) -> date | None:
        """The day, where year, month and day are all given and exist in the calendar."""
        if self.year is None or self.month is None or self.day is None:
            return None
        try:
            return date(self.year, self.month, self.day)
        except ValueError:
            return None

    @property
    def preposition(self) -> str:
        """ "on" for a day, "in" for a month or a year."""
        return "on" if self.day is not None else "in"


def find_dates(text: str) -> list[DateExpression]:
    """All calendar dates in a text, from left to right: "3 May 2021", "May 3, 2021", "2021-05-03", "2021"."""
    return [_expression(match) for match in _DATE.finditer(text)]


def _expression(match: re.Match[str]) -> DateExpression:
    parts = {name.rstrip("0123456789"): value for name, value in match.groupdict().items() if value}
    month = parts.get("month")
    return DateExpression(
        text=match.group(),
        start=match.start(),
        end=match.end(),
        year=int(parts["year"]) if "year" in parts else None,
        month=(int(month) if month.isdigit() else MONTH_NUMBERS[month.lower().rstrip(".")])
        if month
        else None,
        day=int(parts["day"]) if "day" in parts else None,
    )


def parse_date(text: str) -> DateExpression | None:
    """The date that the whole text is, or None: "3 May 2021" is one, "in 3 May 2021" is not."""
    match = _DATE.fullmatch(text.strip().rstrip("."))
    return _expression(match) if match else None


def is_date(text: str) -> bool:
    """True if the whole text is a calendar date."""
    return parse_date(text) is not None


def years_between(start: DateExpression, end: DateExpression) -> int | None:
    """Whole years from start to end where that is certain: full dates, or years given alone on both sides."""
    if start.year is None or end.year is None:
        return None
    first, last = start.as_date(), end.as_date()
    if first and last:
        return last.year - first.year - ((last.month, last.day) < (first.month, first.day))
    same_precision = (start.month is None) == (end.month is None) and start.day is None and end.day is None
    return end.year - start.year if same_precision and start.month == end.month else None
