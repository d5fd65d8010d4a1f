"""How numbers and times are worded on pages."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.timezone import localtime

from knowledge.figures import percent

register = template.Library()
register.filter(percent)
MINUTE, HOUR = 60, 3600


@register.filter
def duration(seconds: object) -> str:
    """A number of seconds in words, as rough as people say it: 2.1 s, 45 s, 3 min, 1 h 20 min.

    Empty where there is no number.
    """
    if not isinstance(seconds, int | float):
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if round(seconds) < MINUTE:
        return f"{seconds:.0f} s"
    if round(seconds / MINUTE) < MINUTE:
        return f"{seconds / MINUTE:.0f} min"
    hours, minutes = divmod(round(seconds / MINUTE), MINUTE)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


@register.filter
def moment(when: object) -> str:
    """A time with its zone, for people and for programs: 3 May 2024, 10:00 UTC. Empty where there is none.

    People in several zones read the same page, and without the zone each would take the time for theirs.
    """
    if not isinstance(when, datetime):
        return ""
    local = localtime(when)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), localize(local))


@register.filter
def spaced(name: str) -> str:
    """An identifier as people read it: open_questions becomes "open questions"."""
    return str(name).replace("_", " ")
