"""Events of many turns written together: while one transaction is under way, the next one gathers.

A transaction costs about the same for one turn as for ten, and every wait for the database costs the event loop
and the other threads time. So the more turns run at once, the less each of their events costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from chat.models import Turn
from chat.protocol.events import Event
from chat.storing import Batch, store, store_all

#: At most so many turns in one transaction: it must not hold the others up for long.
AT_ONCE = 32
Database = Callable[..., Awaitable[Any]]


class Writer:
    """Stores the events of the turns that one event loop answers. ``database`` runs what uses the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Batch, asyncio.Future[None]]] = []
        self._work: asyncio.Task[None] | None = None

    async def store(self, turn: Turn, events: Sequence[Event]) -> None:
        """Return once the events are stored. Raises what ``chat.storing.store`` raises."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(((turn, events), stored))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._write())
        await stored

    async def _write(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            await self._write_together(together)

    async def _write_together(self, together: list[tuple[Batch, asyncio.Future[None]]]) -> None:
        try:
            await self._database(store_all, [batch for batch, _ in together])
        except Exception as error:
            await self._write_singly(together, error)
        else:
            for _, stored in together:
                _settle(stored)

    async def _write_singly(
        self, together: list[tuple[Batch, asyncio.Future[None]]], error: Exception
    ) -> None:
        """One of them failed, and all with it: each by itself, so that only the one to blame fails."""
        if len(together) == 1:
            return _settle(together[0][1], error)
        for (turn, events), stored in together:
            try:
                await self._database(store, turn, events)
            except Exception as own:
                _settle(stored, own)
            else:
                _settle(stored)
        return None


def _settle(stored: asyncio.Future[None], error: Exception | None = None) -> None:
    if stored.done():
        return  # whoever waited was cancelled
    if error is None:
        stored.set_result(None)
    else:
        stored.set_exception(error)


_writers: WeakKeyDictionary[asyncio.AbstractEventLoop, Writer] = WeakKeyDictionary()


def writer(database: Database) -> Writer:
    """The one of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _writers:
        _writers[loop] = Writer(database)
    return _writers[loop]
