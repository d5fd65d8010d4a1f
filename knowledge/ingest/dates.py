"""Dates that a document states about itself."""

from __future__ import annotations

from datetime import date

import dateparser

DATE_FORMATS = ["%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%B %d %Y", "%d %b %Y", "%d.%m.%Y", "%Y/%m/%d"]


def parse_date(written: str) -> date | None:
    """A date written in one of the usual full forms, else None."""
    found = dateparser.parse(
        written.strip().rstrip("."),
        date_formats=DATE_FORMATS,
        languages=["en"],
        settings={"STRICT_PARSING": True, "RETURN_AS_TIMEZONE_AWARE": False},
    )
    return found.date() if found else None
