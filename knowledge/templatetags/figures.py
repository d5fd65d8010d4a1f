"""How numbers and times are worded on pages."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.timezone import localtime

from knowledge.figures import duration, percent

register = template.Library()
register.filter(percent)
register.filter(duration)


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
