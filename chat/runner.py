"""Turns that are answered in the web process, apart from any socket: a closed browser changes nothing.

Each process watches the turns it answers: whether somebody, perhaps in another process, asked for a stop, and
that their rows show a sign of life. A turn without one was lost with its process (``TurnQuerySet.abandoned``).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from django.db import transaction
from django.utils import timezone

from chat import services
from chat.answering import BUSY_TURNS, answer, in_database, running
from chat.following import Following, Told, hub
from chat.models import Turn, TurnStatus
from chat.protocol.events import Event
from chat.writing import Database
from memosite.database import DatabaseThreads

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.4  # between two looks for stops
SIGN_SECONDS = 2.0  # between two signs of life
#: Signs of life do not wait behind other work: a process that is busy is not dead.
_pulse = DatabaseThreads(1, lambda: len(running) >= BUSY_TURNS)
_tasks: set[asyncio.Task[Event | None]] = set()


def start(turn: Turn) -> asyncio.Task[Event | None]:
    """Answer the turn in the background. Call it from the event loop."""
    task = asyncio.create_task(_logged(turn))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


async def run_apart(turn: Turn) -> Event | None:
    """As ``run``, but the turn is answered to its end even if whoever waits for it goes away."""
    return await asyncio.shield(start(turn))


async def _logged(turn: Turn) -> Event | None:
    try:
        return await run(turn)
    except Exception:
        logger.exception("Turn %s ended early", turn.pk)
        return None


async def run(turn: Turn, database: Database = in_database) -> Event | None:
    """Answer the turn, telling all who follow its conversation; the event that ended it."""
    last = None
    with _watched(turn) as stop:
        async for batch in answer(turn, stop, database):
            hub().tell(turn.conversation_id, [Told.event(turn.pk, event) for event in batch])
            last = batch[-1]
    await hub().flushed()
    return last


async def begin(turn: Turn) -> Told:
    """Tell the tabs of a conversation that a question was accepted, and answer it in the background."""
    accepted = announcement(turn)
    hub().tell(turn.conversation_id, [accepted])
    start(turn)
    return accepted


def announcement(turn: Turn) -> Told:
    """What is told of a question that was accepted."""
    data = {
        "conversation": turn.conversation_id,
        "question": turn.question,
        "executive": turn.executive,
        "version": turn.version.number if turn.version else None,
        "again_of": turn.again_of_id,
    }
    text = json.dumps({"type": "turn", "turn": turn.pk, "data": data}, ensure_ascii=False)
    return Told(turn.pk, 0, "turn", text)


@contextmanager
def follow(conversation_id: int) -> Iterator[Following]:
    """What happens in a conversation from now on.

    As long as anybody follows anything here, this process also looks for turns whose process has died, and tells
    their followers, so that nobody has to ask; and lets go of people who may not read their conversation any more.
    """
    with hub().follow(conversation_id) as following:
        loop = asyncio.get_running_loop()
        if loop not in _searches or _searches[loop].done():
            _searches[loop] = asyncio.create_task(_look_around())
        yield following


async def _look_around() -> None:
    while hub().conversations:
        await asyncio.sleep(SIGN_SECONDS)
        try:
            ended = await in_database(services.end_all_abandoned, set(running))
            closed = await in_database(services.closed_conversations, hub().conversations)
        except Exception:
            logger.exception("Abandoned turns and closed conversations could not be looked for")
            continue
        for turn, event in ended:
            hub().tell(turn.conversation_id, [Told.event(turn.pk, event)])
        for conversation in closed:
            hub().close(conversation)


_searches: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[None]] = WeakKeyDictionary()


def stop_here(conversation_id: int) -> None:
    """Stop what this event loop answers in a conversation, without waiting for the next look."""
    watch = _watches.get(asyncio.get_running_loop())
    if watch is not None:
        watch.stop(conversation_id)


class Watch:
    """Looks after the turns that one event loop answers, for as long as there are any."""

    def __init__(self) -> None:
        self.stops: dict[int, asyncio.Event] = {}
        self._conversations: dict[int, int] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, turn: Turn) -> asyncio.Event:
        pk = turn.pk
        self.stops[pk], self._conversations[pk] = asyncio.Event(), turn.conversation_id
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_after())
        return self.stops[pk]

    def remove(self, pk: int) -> None:
        self.stops.pop(pk, None)
        self._conversations.pop(pk, None)
        if not self.stops and self._task is not None:
            self._task.cancel()
            self._task = None

    def stop(self, conversation_id: int) -> None:
        for pk, conversation in self._conversations.items():
            if conversation == conversation_id:
                self.stops[pk].set()

    async def _look_after(self) -> None:
        signed = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            is_due = time.monotonic() - signed >= SIGN_SECONDS
            try:
                stopping = await _pulse.run(_look, list(self.stops), is_due)
            except Exception:
                logger.exception("Running turns could not be looked after")
                continue
            signed = time.monotonic() if is_due else signed
            for pk in stopping:
                if pk in self.stops:
                    self.stops[pk].set()


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


class _watched:  # noqa: N801 - used like a function
    """The turn is looked after within; gives the event that stops it."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._watch = _watches.setdefault(asyncio.get_running_loop(), Watch())

    def __enter__(self) -> asyncio.Event:
        return self._watch.add(self._turn)

    def __exit__(self, *_: object) -> None:
        self._watch.remove(self._turn.pk)


def _look(turns: list[int], sign: bool) -> list[int]:
    """Which of the turns are to stop; with ``sign`` their rows show that they are alive."""
    rows = Turn.objects.filter(pk__in=turns, status=TurnStatus.RUNNING)
    if sign:
        with transaction.atomic():
            locked = rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True)
            Turn.objects.filter(pk__in=list(locked)).update(heartbeat_at=timezone.now())
    return list(rows.filter(stop_requested=True).values_list("pk", flat=True))
