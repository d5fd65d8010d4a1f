"""A turn as server-sent events: what the websocket sends, for clients that only speak HTTP.

A stream holds no thread, and the turn does not depend on it: a client that goes away comes back with the last id.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework.renderers import JSONRenderer

from chat import runner
from chat.answering import in_database
from chat.following import Following, Told
from chat.models import Turn, TurnStatus
from chat.protocol.events import FINAL_TYPES

EVENT_STREAM = "text/event-stream"
#: After so many seconds without news the stored events are looked at, and a comment keeps the connection open.
QUIET_SECONDS = 5.0


class EventStreamRenderer(JSONRenderer):
    """Lets clients ask for a stream by ``Accept``. What is no stream, as every error, is JSON all the same."""

    media_type = EVENT_STREAM
    format = "event-stream"


def event_stream(turn: Turn, after: int = 0, first: Iterable[Told] = ()) -> HttpResponseBase:
    """The response that streams a turn's events after a seq, ``first`` before them.

    It has no content (204) where nothing is left to tell: that is what keeps browsers from coming back.
    """
    if turn.status != TurnStatus.RUNNING and not turn.events.filter(seq__gt=after).exists():
        return HttpResponse(status=204)
    response = StreamingHttpResponse(_frames(turn, after, list(first)), content_type=EVENT_STREAM)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"  # proxies pass on what comes as it comes
    return response


async def _frames(turn: Turn, after: int, first: list[Told]) -> AsyncIterator[bytes]:
    for told in first:
        yield _frame(told)
    with runner.follow(turn.conversation_id) as following:
        news = await in_database(_stored, turn, after)
        while following.goes_on:
            if not news:
                yield b": waiting\n\n"
            for told in news:
                yield _frame(told)
                after = max(after, told.seq)
                if told.type in FINAL_TYPES:
                    return
            news = await _next(turn, after, following)


async def _next(turn: Turn, after: int, following: Following) -> list[Told]:
    """What comes after the seq: as it is told, or out of the database where something was missed."""
    try:
        news = await asyncio.wait_for(following.news(), QUIET_SECONDS)
    except TimeoutError:
        return await _read(turn, after)
    mine = [told for told in news if told.turn == turn.pk and (told.seq > after or told.type == "heartbeat")]
    stored = [told.seq for told in mine if told.type != "heartbeat"]
    if stored and stored != list(range(after + 1, after + 1 + len(stored))):
        return await _read(turn, after)
    return mine if mine or not following.goes_on else await _next(turn, after, following)


async def _read(turn: Turn, after: int) -> list[Told]:
    found: list[Told] = await in_database(_stored, turn, after)
    return found


def _stored(turn: Turn, after: int) -> list[Told]:
    return [Told.stored(turn.pk, row.as_dict()) for row in turn.events.filter(seq__gt=after)]


def _frame(told: Told) -> bytes:
    """One event. What is not stored has no id, so that clients come back with the last one that is."""
    numbered = f"id: {told.seq}\n" if told.type not in ("heartbeat", "turn") else ""
    return f"{numbered}event: {told.type}\ndata: {told.text}\n\n".encode()
