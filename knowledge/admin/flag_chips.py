"""Flags as people see them: a chip each, with what was noticed."""

from __future__ import annotations

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from knowledge.models import Flag, Reflection, ReflectionFlag

WORDS = {
    Flag.NEAR_DUPLICATE: ("near-duplicate", "warn"),
    Flag.CONTRADICTION: ("contradiction", "bad"),
    Flag.NOT_SELF_CONTAINED: ("not self-contained", "warn"),
    Flag.UNSUPPORTED_SPAN: ("not in the passage", "bad"),
    Flag.VERY_LONG: ("very long", ""),
    Flag.VERY_SHORT: ("very short", ""),
    Flag.DOCUMENT_CHANGED: ("document changed", "bad"),
}


def chips(row: Reflection) -> SafeString:
    """The flags of a pair; one that is about another pair leads there."""
    return format_html_join(mark_safe(" "), "{}", ((_chip(flag),) for flag in row.flags.all()))


def _chip(flag: ReflectionFlag) -> SafeString:
    word, tone = WORDS[Flag(flag.flag)]
    if flag.other_id is None:
        return format_html('<span class="chip {}" title="{}">{}</span>', tone, flag.note, word)
    url = reverse("admin:knowledge_reflection_change", args=[flag.other_id])
    return format_html(
        '<a class="chip {}" href="{}" title="{}">{} #{}</a>', tone, url, flag.note, word, flag.other_id
    )
