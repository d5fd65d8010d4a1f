"""A turn as one stream of numbered events, which can be stopped and which shows that it is alive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import suppress

from chat.protocol.events import AnyData, Event, Heartbeat, Stopped
from chat.protocol.executive import Executive
from chat.protocol.session import Session
from chat.protocol.state import Budget, PastTurn
from training.memory import Memory

HEARTBEAT_SECONDS = 5.0


async def interrogate(
    question: str,
    executive: Executive,
    memory: Memory,
    *,
    budget: Budget = Budget(),  # noqa: B008 - frozen
    history: Sequence[PastTurn] = (),
    stop: asyncio.Event | None = None,
    clock: Callable[[], float] = time.monotonic,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
) -> AsyncGenerator[list[Event], None]:
    """Answer a question: the events as they happen, those of one moment together, so that they are stored at once.

    The last event, and only the last, is final, stopped or error. Once ``stop`` is set, the call to EXECUTIVE or
    MEMORY that is under way is cancelled, and ``stopped`` is the next and last event. A heartbeat comes after
    ``heartbeat_seconds`` without any other event. ``clock`` counts seconds. Nothing is raised: what goes wrong is
    told in ``error``.
    """
    happened: asyncio.Queue[AnyData] = asyncio.Queue()
    session = Session(executive, memory, budget, happened.put_nowait, clock)
    work = asyncio.create_task(session.run(question, history))
    stopping = asyncio.create_task((stop or asyncio.Event()).wait())
    seq, began = 0, clock()
    try:
        while True:
            data = await _next(happened, stopping, heartbeat_seconds)
            if isinstance(data, Stopped):
                await _cancelled(work)
                yield [Event(seq=seq + 1, data=data)]
                return
            if not data:
                beat = Heartbeat(waiting_for=session.waiting_for, seconds=round(clock() - began, 1))
                yield [Event(seq=seq, data=beat)]
                continue
            events = [Event(seq=number, data=each) for number, each in enumerate(data, start=seq + 1)]
            seq += len(events)
            yield events
            if events[-1].ends_turn:
                return
    finally:
        stopping.cancel()
        await _cancelled(work)


async def _next(
    happened: asyncio.Queue[AnyData], stopping: asyncio.Task[bool], patience: float
) -> list[AnyData] | Stopped:
    """What happened, nothing after ``patience`` seconds without news, or that the person pressed Stop."""
    if stopping.done():
        return Stopped()
    if happened.empty():
        getting = asyncio.create_task(happened.get())
        await asyncio.wait({getting, stopping}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            getting.cancel()
            return Stopped()
        if not getting.done():
            getting.cancel()
            return []
        data = [getting.result()]
    else:
        data = [happened.get_nowait()]
    while not happened.empty():
        data.append(happened.get_nowait())
    return data


async def _cancelled(work: asyncio.Task[None]) -> None:
    """Return once the work has let go of its calls."""
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work


def blocking(stream: AsyncGenerator[list[Event], None]) -> Iterator[Event]:
    """The events, one at a time, for callers without an event loop: each is waited for when it is asked for."""

    async def step() -> list[Event] | None:
        return await anext(stream, None)

    with asyncio.Runner() as runner:
        while (events := runner.run(step())) is not None:
            yield from events
