"""Interrogations of evaluations, drawn as the chat draws its turns; and who may lead them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from pydantic import ValidationError

from chat.choosing import allowed_for
from chat.protocol.events import Event
from chat.timeline import timeline_of
from knowledge.models import Corpus
from training.lab.runs.executives import Offered
from training.lab.runs.transcripts import plainly
from training.models import MemoryVersion


def draw(events: Sequence[Mapping[str, Any]]) -> SafeString:
    """The stages with their sub-queries and answers, and the candidates. Other events are listed plainly."""
    try:
        timeline = timeline_of(
            [Event.model_validate(_whole(event, seq)) for seq, event in enumerate(events, 1)]
        )
    except (ValidationError, LookupError, StopIteration):
        return plainly(events)
    drawn = render_to_string("chat/_transcript.html", {"timeline": timeline})
    return mark_safe(drawn)  # noqa: S308 - a template's output, escaped by it


def _whole(event: Mapping[str, Any], seq: int) -> dict[str, Any]:
    """An event as it is read: its data carries its type, and it has a number."""
    return {"seq": event.get("seq", seq), "data": {**event.get("data", {}), "type": event.get("type")}}


def offers(corpora: Sequence[Corpus], versions: Sequence[MemoryVersion]) -> list[Offered]:
    """The EXECUTIVEs that the owners of all of these let lead."""
    allowed = allowed_for(corpora, versions)
    return [Offered(name, allowed.labels[name], name == allowed.default) for name in allowed.names]
