"""Who follows a conversation, and how events reach them: at once in this process, through Redis in the others.

An event is put into words (JSON) once, however many tabs, streams and processes it goes to. Followers of the same
process get it directly. With Redis, what happened since the last message to the other web processes goes to them
in one message; each process listens for itself, not once for each of its sockets. Nothing here is needed for an
event to be kept: it is stored before it is told, and whoever missed one asks for it by its seq.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from django.conf import settings

from chat.protocol.events import Event

logger = logging.getLogger(__name__)
GROUP = "chat-events"
#: A follower that has so many messages waiting takes none: it is let go, and may come back and ask what it missed.
MOST_WAITING = 2_000
#: Seconds between two attempts to reach Redis, growing.
FIRST_RETRY, LONGEST_RETRY = 0.5, 15.0


@dataclass(frozen=True)
class Told:
    """A message of a turn as it goes over the wire: ``text`` is the whole of it as JSON."""

    turn: int
    seq: int
    type: str
    text: str

    @classmethod
    def event(cls, turn: int, event: Event) -> Told:
        wire = {"turn": turn, **event.as_dict()}
        return cls(turn, event.seq, event.type, json.dumps(wire, ensure_ascii=False))

    @classmethod
    def stored(cls, turn: int, wire: dict[str, Any]) -> Told:
        """An event as it lies in the database."""
        text = json.dumps({"turn": turn, **wire}, ensure_ascii=False)
        return cls(turn, wire["seq"], wire["type"], text)


class Following:
    """One follower's messages. ``is_behind`` is true once it was too slow and has missed some, ``is_closed`` once
    its person may not hear more; in both cases the last news are none, and it has to be let go.
    """

    def __init__(self) -> None:
        self.is_behind = False
        self.is_closed = False
        self._waiting: deque[Told] = deque()
        self._news = asyncio.Event()

    @property
    def goes_on(self) -> bool:
        return not self.is_behind and not self.is_closed

    def close(self) -> None:
        """Tell nothing more, and nothing of what waits."""
        self.is_closed = True
        self._waiting.clear()
        self._news.set()

    def put(self, messages: Iterable[Told]) -> None:
        if self.goes_on:
            self._waiting.extend(messages)
            self.is_behind = len(self._waiting) > MOST_WAITING
            self._news.set()

    async def news(self) -> list[Told]:
        """All that came since the last time, in its order; waits for something."""
        await self._news.wait()
        self._news.clear()
        told = list(self._waiting)
        self._waiting.clear()
        return told


class Hub:
    """The followers of one event loop, and its line to the other web processes."""

    def __init__(self) -> None:
        self._name = uuid4().hex
        self._followers: defaultdict[int, set[Following]] = defaultdict(set)
        self._outbox: list[list[Any]] = []
        self._sending: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def conversations(self) -> list[int]:
        """The conversations that somebody follows here."""
        return list(self._followers)

    @contextmanager
    def follow(self, conversation: int) -> Iterator[Following]:
        """The messages of a conversation from now on, for as long as the context lasts."""
        following = Following()
        self._followers[conversation].add(following)
        if settings.REDIS_URL and (self._listening is None or self._listening.done()):
            self._listening = asyncio.create_task(self._listen())
        try:
            yield following
        finally:
            self._followers[conversation].discard(following)
            if not self._followers[conversation]:
                del self._followers[conversation]
            if not self._followers and self._listening is not None:
                self._listening.cancel()
                self._listening = None

    def tell(self, conversation: int, messages: list[Told]) -> None:
        """Send messages to all who follow a conversation."""
        self._deliver(conversation, messages)
        if settings.REDIS_URL:
            self._outbox.append([conversation, [astuple(each) for each in messages]])
            if self._sending is None or self._sending.done():
                self._sending = asyncio.create_task(self._send())

    def close(self, conversation: int) -> None:
        """Let go of all who follow a conversation here."""
        for following in self._followers.get(conversation, ()):
            following.close()

    async def flushed(self) -> None:
        """Return once all that was told is on its way to the other processes too."""
        if self._sending is not None:
            await asyncio.shield(self._sending)

    def _deliver(self, conversation: int, messages: list[Told]) -> None:
        for following in self._followers.get(conversation, ()):
            following.put(messages)

    async def _send(self) -> None:
        """One message for all that gathered while the last one was on its way."""
        layer = get_channel_layer()
        while self._outbox:
            batch, self._outbox = self._outbox, []
            try:
                await layer.group_send(GROUP, {"type": GROUP, "from": self._name, "told": batch})
            except Exception:  # followers elsewhere ask for what they miss
                logger.exception("Other web processes could not be told of %s events", len(batch))

    async def _listen(self) -> None:
        retry = FIRST_RETRY
        while True:
            try:
                layer = get_channel_layer()
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
                retry = FIRST_RETRY
                while True:
                    self._hear(await layer.receive(channel))
            except Exception:  # not of a cancellation
                logger.exception("Other web processes cannot be heard; trying again in %s s", retry)
                await asyncio.sleep(retry)
                retry = min(2 * retry, LONGEST_RETRY)

    def _hear(self, message: dict[str, Any]) -> None:
        if message["from"] == self._name:
            return
        for conversation, told in message["told"]:
            if conversation in self._followers:
                self._deliver(conversation, [Told(*each) for each in told])


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The one of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
