"""An interrogation as a page shows it. The app above knows the events and puts its drawing here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

Events = Sequence[Mapping[str, Any]]
#: What draws events as HTML; the last one draws. Without any, they are listed as they are.
renderers: list[Callable[[Events], SafeString]] = []


def transcript_as_html(events: Events) -> SafeString:
    """The events as they happened, or a plain list of them where nothing draws them."""
    if not events:
        return SafeString("")
    return renderers[-1](events) if renderers else plainly(events)


def plainly(events: Events) -> SafeString:
    """A line an event: its type and what it says."""
    rows = [(event.get("type", "event"), _told(event.get("data", event))) for event in events]
    return format_html(
        '<ol class="quiet-list">{}</ol>', format_html_join("", "<li><strong>{}</strong> {}</li>", rows)
    )


def _told(data: Any) -> str:
    if not isinstance(data, Mapping):
        return str(data)
    return "; ".join(f"{name}: {value}" for name, value in data.items() if value not in ("", None, [], {}))
