"""Many things asked at a time, their answers taken one by one in plain code between them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, TypeVar

from memosite.errors import MemoError

PULSE_SECONDS = 1.0
Item = TypeVar("Item")
Result = TypeVar("Result")


def as_they_come(
    items: Iterable[Item],
    ask: Callable[[Item], Awaitable[Result]],
    runner: asyncio.Runner,
    *,
    at_once: int = 1,
    meanwhile: Callable[[], object] = lambda: None,
) -> Iterator[tuple[Item, Result | MemoError]]:
    """Ask about the items, ``at_once`` at a time, and yield each with its answer, or with its MemoError.

    The loop stands still while the caller has the answer, so the caller may use the database. ``meanwhile`` is
    called every ``PULSE_SECONDS`` without an answer, and what it raises ends the iteration. Whoever stops before
    the end closes the iterator, which gives up what is under way. Other errors are raised.
    """
    waiting, under_way = iter(items), dict[asyncio.Task[Any], Item]()
    try:
        while True:
            for item in _some(waiting, at_once - len(under_way)):
                under_way[runner.get_loop().create_task(_asked(ask, item))] = item
            if not under_way:
                return
            runner.run(_first(under_way))
            if not any(task.done() for task in under_way):
                meanwhile()
            for task in [task for task in under_way if task.done()]:
                yield under_way.pop(task), _outcome(task)
    finally:
        runner.run(_given_up(under_way))


def _some(items: Iterator[Item], most: int) -> list[Item]:
    return [item for _, item in zip(range(most), items, strict=False)]


async def _asked(ask: Callable[[Item], Awaitable[Result]], item: Item) -> Result:
    return await ask(item)


async def _first(tasks: Iterable[asyncio.Task[Any]]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=PULSE_SECONDS)


async def _given_up(tasks: Iterable[asyncio.Task[Any]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _outcome(task: asyncio.Task[Any]) -> Any:
    try:
        return task.result()
    except MemoError as error:
        return error


class Pace:
    """How long work will go on, judged by what was done since it began here."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._since, self._done = clock, clock(), 0

    def left(self, to_do: int) -> float:
        """Seconds for so many more, after one more was done."""
        self._done += 1
        return (self._clock() - self._since) / self._done * to_do
