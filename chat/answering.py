"""Answering a turn: the protocol over the turn's rows, each event stored before it goes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from django.db import connection

from chat import services
from chat.executives import executive_named
from chat.models import Turn, TurnEvent, TurnStatus
from chat.protocol.events import Event, Failed
from chat.protocol.executive import Executive
from chat.protocol.state import Budget, PastTurn
from chat.protocol.stream import interrogate
from chat.storing import store
from chat.writing import Database, writer
from memosite.database import DatabaseThreads
from memosite.errors import MemoError
from training.memory import Memory
from training.models import MemoryVersion
from training.serving import is_loaded

#: Turns before this one that a follow-up question may lean on.
REMEMBERED_TURNS = 6
#: From so many running turns on, the threads keep their database connections.
BUSY_TURNS = 4
running: set[int] = set()
_threads = DatabaseThreads(1 if connection.vendor == "sqlite" else 2, lambda: len(running) >= BUSY_TURNS)
in_database = _threads.run
_loading = DatabaseThreads(4, lambda: len(running) >= BUSY_TURNS)


@dataclass(frozen=True)
class Setting:
    """What a turn is answered with; ``memory`` is None where it has to be loaded first."""

    executive: Executive
    versions: list[MemoryVersion]
    memory: Memory | None
    budget: Budget
    history: tuple[PastTurn, ...]


async def answer(
    turn: Turn, stop: asyncio.Event | None = None, database: Database = in_database
) -> AsyncGenerator[list[Event], None]:
    """Interrogate the turn's MEMORY. Events come as they happen, those of one moment together, all stored.

    ``database`` runs what uses the database.

    The last is final, stopped or error; nothing is raised but Conflict, where another process answers the turn.
    """
    running.add(turn.pk)
    try:
        try:
            setting = await database(_setting_of, turn)
            memory = setting.memory or await _loaded(setting.versions, database)
        except MemoError as error:
            failed = [Event(seq=1, data=Failed(message=str(error), code=error.code))]
            await database(store, turn, failed)
            yield failed
            return
        batches = interrogate(
            turn.question,
            setting.executive,
            memory,
            budget=setting.budget,
            history=setting.history,
            stop=stop,
        )
        async with aclosing(batches):
            async for batch in batches:
                if any(event.type != "heartbeat" for event in batch):
                    await _keep(turn, batch, database)
                yield batch
    finally:
        running.discard(turn.pk)


async def _keep(turn: Turn, events: list[Event], database: Database) -> None:
    if database is in_database:
        await writer(database).store(turn, events)  # with the events of other turns
    else:
        await database(store, turn, events)


def _setting_of(turn: Turn) -> Setting:
    """Raises a MemoError where the version or the EXECUTIVE is gone."""
    versions = versions_of(turn)
    if not versions:
        raise NoVersion("The memory version was deleted. Ask again, of the one that is live now.")
    return Setting(
        executive=executive_named(turn.executive),
        versions=versions,
        memory=services.memory_of(versions) if all(map(is_loaded, versions)) else None,
        budget=services.turn_budget(turn.executive),
        history=tuple(history_before(turn)),
    )


async def _loaded(versions: list[MemoryVersion], database: Database) -> Memory:
    """What has to be loaded first, which takes seconds: the events of other turns are stored meanwhile.

    Raises a MemoError where that cannot be.
    """
    load = _loading.run if database is in_database else database
    memory: Memory = await load(services.memory_of, versions)
    return memory


def versions_of(turn: Turn) -> list[MemoryVersion]:
    """The versions that the turn began with, whatever is live by now."""
    return list(turn.versions.select_related("corpus")) or [v for v in (turn.version,) if v is not None]


class NoVersion(MemoError):
    """The version that was asked is gone."""

    code = "no_version"


def history_before(turn: Turn) -> list[PastTurn]:
    """The last answered turns before this one, the oldest first; before the first asking, if it is asked again.

    Answers of versions that were deleted are left out: nobody can tell any more whom they may be told to.
    """
    first = turn
    while first.again_of is not None:
        first = first.again_of
    rows = Turn.objects.filter(
        conversation=turn.conversation_id, status=TurnStatus.ANSWERED, pk__lt=first.pk, version__isnull=False
    ).order_by("-pk")[:REMEMBERED_TURNS]
    found = list(rows)[::-1]
    finals = TurnEvent.objects.filter(turn__in=[row.pk for row in found], type="final")
    values = {event.turn_id: tuple(event.data.get("values", ())) for event in finals}
    return [
        PastTurn(row.asked or row.question, row.answer, values.get(row.pk, ()), row.known) for row in found
    ]
