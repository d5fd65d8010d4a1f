"""Database work for coroutines: in threads of its own, which keep their connections while there is much to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

Result = TypeVar("Result")


class DatabaseThreads:
    """Threads that run functions which use the database.

    A connection is opened for each call and closed after it, unless ``is_busy`` says that the next call will
    come at once. SQLite takes one writer at a time: there, one thread is quicker than several that wait for each
    other with pauses.
    """

    def __init__(self, threads: int, is_busy: Callable[[], bool]) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="turn database")
        self._is_busy = is_busy

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """The function's result. Raises what it raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._run, function, arguments)

    def _run(self, function: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
        keep = False
        try:
            result = function(*arguments)
            keep = self._is_busy()
            return result
        finally:
            if not keep:
                connections.close_all()


async def in_callers_thread(function: Callable[..., Result], *arguments: Any) -> Result:
    """The function's result, run in the thread that waits for this coroutine in ``async_to_sync``."""
    result: Result = await sync_to_async(function, thread_sensitive=True)(*arguments)
    return result
