"""Turns that run in the web process, apart from any socket: a closed browser changes nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from channels.layers import get_channel_layer
from django.db import connections

from chat.models import Turn
from chat.services import run_turn

Item = TypeVar("Item")
logger = logging.getLogger(__name__)
_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="turn")
_running: set[asyncio.Task[None]] = set()


def group_of(conversation_id: int) -> str:
    """The channel-layer group that follows a conversation."""
    return f"conversation-{conversation_id}"


def start(turn: Turn) -> None:
    """Answer the turn in the background. Call it from the event loop."""
    task = asyncio.create_task(_run(turn))
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _run(turn: Turn) -> None:
    layer = get_channel_layer()
    try:
        async for event in in_thread(lambda: run_turn(turn)):
            message = {"turn": turn.pk, **event.as_dict()}
            await layer.group_send(group_of(turn.conversation_id), {"type": "turn.event", "event": message})
    except Exception:
        logger.exception("Turn %s ended early", turn.pk)


async def in_thread(make: Callable[[], Iterator[Item]]) -> AsyncIterator[Item]:
    """Iterate ``make()`` in a thread of its own pool and yield its items in the event loop."""
    loop = asyncio.get_running_loop()
    items: asyncio.Queue[Any] = asyncio.Queue()
    end = object()

    def pump() -> None:
        try:
            for item in make():
                loop.call_soon_threadsafe(items.put_nowait, item)
        finally:
            connections.close_all()
            loop.call_soon_threadsafe(items.put_nowait, end)

    work = loop.run_in_executor(_threads, pump)
    while (item := await items.get()) is not end:
        yield item
    await work
