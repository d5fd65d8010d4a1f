"""Conversations over real websockets, and what they find wrong: events lost, and events that belong to others."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from chat_site import Seat
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

RELATIONS = ("home town", "employer", "hobby")
QUIET_SECONDS = 4.0  # after so long without news the client asks for what it missed, as the page does
PATIENCE_SECONDS = 60.0  # a turn without an end for so long is lost
ENDS = {"final", "stopped", "error"}


@dataclass
class Findings:
    """What all conversations saw. ``steps`` are milliseconds of the framework's own in each protocol step, which
    ended at ``step_times``.
    """

    turns: int = 0
    events: int = 0
    lost: int = 0
    mixed: int = 0
    failed: int = 0
    followed: int = 0
    reconnected: int = 0
    interrupted: int = 0
    asked_again: int = 0
    steps: list[float] = field(default_factory=list)
    step_times: list[float] = field(default_factory=list)
    memory_ms: list[float] = field(default_factory=list)
    turn_ms: list[float] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    notice_seconds: list[float] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)

    def complain(self, kind: str, what: str) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.examples) < 20:
            self.examples.append(f"{kind}: {what}")


@dataclass
class Turn:
    """A turn as a client sees it. ``mark`` is the time at which the step under way began."""

    pk: int
    note: str
    mark: float
    began: float
    seq: int = 0
    calls: int = 0
    open: set[int] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    end: dict[str, Any] | None = None
    waiting: dict[int, dict[str, Any]] = field(default_factory=dict)


class Conversation:
    """A person who asks, reads for a while and asks again, on one of the ports; on another one when that dies."""

    def __init__(
        self, seat: Seat, number: int, ports: Sequence[int], model_ms: float, found: Findings
    ) -> None:
        self.seat, self.number, self.found = seat, number, found
        self.ports, self.model_ms = list(ports), model_ms
        self.random = Random(number)
        self.socket: ClientConnection | None = None
        self.asked = 0
        self.finished: set[int] = set()
        self.lost_at = time.monotonic()

    async def run(self, until: float, pause: float) -> None:
        """Ask again and again until the time; ``pause`` is how many seconds the person reads on average."""
        if self.socket is None:
            await self.connect()
        await asyncio.sleep(self.random.uniform(0, pause))
        while time.monotonic() < until:
            await self._one_question()
            await asyncio.sleep(self.random.uniform(0.5 * pause, 1.5 * pause))
        if self.socket is not None:
            await self.socket.close()

    async def _one_question(self) -> None:
        self.found.under_way += 1
        self.found.most_under_way = max(self.found.most_under_way, self.found.under_way)
        try:
            turn = await self._asked()
            while turn is not None and self._is_interrupted(turn):
                turn = await self._again(turn)
        finally:
            self.found.under_way -= 1

    async def _asked(self) -> Turn | None:
        self.asked += 1
        note = f"Note {self.number}-{self.asked}"
        hops = [
            f"What is the {each} of {self.seat.subject}?"
            for each in self.random.sample(RELATIONS, 1 + self.asked % 2)
        ]
        return await self._see_through({"action": "ask", "question": f"{note}: {' Then: '.join(hops)}"}, note)

    def _is_interrupted(self, turn: Turn) -> bool:
        return bool(turn.end and turn.end["type"] == "error" and turn.end["data"]["code"] == "interrupted")

    async def _again(self, turn: Turn) -> Turn | None:
        """Ask an interrupted turn again with one message."""
        self.found.interrupted += 1
        self.found.notice_seconds.append(time.monotonic() - self.lost_at)
        again = await self._see_through({"action": "again", "turn": turn.pk}, turn.note)
        if again and again.end and again.end["type"] == "final":
            self.found.asked_again += 1
        return again

    # --- One turn ------------------------------------------------------------------------------------------
    async def _see_through(self, command: dict[str, Any], note: str) -> Turn | None:
        """Send a command that begins a turn and stay with it until its end."""
        began = time.monotonic()
        turn: Turn | None = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                has_asked = False
                while turn is None or turn.end is None:
                    try:
                        if not has_asked:
                            await self._say(command)
                            has_asked = True
                        turn = await self._hear(turn, note, began)
                    except (WebSocketException, OSError):
                        turn = await self._reconnect(turn, note, began)
                        has_asked = turn is not None
        except TimeoutError:
            self.found.complain("lost", f"{note} has no end, last seq {turn.seq if turn else 'none'}")
            return None
        self._judge(turn)
        return turn

    async def _hear(self, turn: Turn | None, note: str, began: float) -> Turn | None:
        assert self.socket is not None
        try:
            message = json.loads(await asyncio.wait_for(self.socket.recv(), QUIET_SECONDS))
        except TimeoutError:
            if turn is not None:
                self.found.followed += 1
                await self._say({"action": "follow", "turn": turn.pk, "after": turn.seq})
            return turn
        if message["type"] == "turn":
            if note not in message["data"]["question"]:
                self.found.complain("mixed", f"{note} was told of {message['data']['question']}")
                return turn
            return turn or Turn(message["turn"], note, began, began)
        if message["type"] == "refused":
            self.found.complain("failed", f"{note} was refused: {message['data']['message']}")
            await asyncio.sleep(1)
            return turn
        if turn is None or message["turn"] != turn.pk:
            if turn is None and message["turn"] not in self.finished:
                self.found.complain("mixed", f"{note} heard of turn {message['turn']} before its own")
            return turn
        await self._receive(turn, message)
        return turn

    async def _receive(self, turn: Turn, event: dict[str, Any]) -> None:
        """Take events once and in order; ask for those that are missing."""
        if event["seq"] <= turn.seq:
            return
        turn.waiting[event["seq"]] = event
        while next_event := turn.waiting.pop(turn.seq + 1, None):
            turn.seq += 1
            self._take(turn, next_event)
        if turn.waiting:
            self.found.followed += 1
            await self._say({"action": "follow", "turn": turn.pk, "after": turn.seq})

    def _take(self, turn: Turn, event: dict[str, Any]) -> None:
        self.found.events += 1
        data, now = event["data"], time.monotonic()
        self._check_owner(turn, event["type"], data)
        match event["type"]:
            case "decision":
                turn.calls += data["calls"]
            case "sub_query":
                turn.open.add(data["index"])
            case "memory_answer":
                turn.open.discard(data["index"])
                if not turn.open:
                    self.found.memory_ms.append(data["latency_ms"])
                    self._count_step(turn, now, data["latency_ms"])
            case "answer_token":
                turn.texts = [data["text"]] if data["restart"] else [*turn.texts, data["text"]]
        if event["type"] in ENDS:
            turn.end = event
            if event["type"] == "final":
                self._count_step(turn, now, 0.0)

    def _count_step(self, turn: Turn, now: float, memory_ms: float) -> None:
        """Wall time since the step before, without what the EXECUTIVE was told to take, and without MEMORY's."""
        self.found.step_times.append(now)
        self.found.steps.append(1000 * (now - turn.mark) - turn.calls * self.model_ms - memory_ms)
        turn.mark, turn.calls = now, 0

    def _check_owner(self, turn: Turn, kind: str, data: dict[str, Any]) -> None:
        """Every text of an event has to name the turn's note, or the person that the conversation asks about."""
        text = {
            "stage": data.get("note"),
            "clue": data.get("text"),
            "decision": data.get("note"),
            "sub_query": data.get("question"),
            "final": data.get("text"),
        }.get(kind)
        mine = self.seat.subject if kind == "sub_query" else turn.note
        if text is not None and mine not in text and not (kind == "decision" and not text):
            self.found.complain("mixed", f"{turn.note} got {kind}: {text}")
        said = data.get("answer", "") if kind == "memory_answer" and data["known"] else self.seat.subject
        if self.seat.subject not in said:
            self.found.complain("mixed", f"{turn.note} got memory's answer: {said}")

    def _judge(self, turn: Turn) -> None:
        self.found.turns += 1
        self.finished.add(turn.pk)
        assert turn.end is not None
        if turn.waiting:
            self.found.complain("lost", f"{turn.note} ended before its seq {min(turn.waiting)}")
        if turn.end["type"] == "final":
            self.found.turn_ms.append(1000 * (time.monotonic() - turn.began))
            told = "".join(turn.texts)
            if told and told.split(".")[0] not in turn.end["data"]["text"]:
                self.found.complain(
                    "mixed", f"{turn.note} was told {told!r} before {turn.end['data']['text']!r}"
                )
        elif not self._is_interrupted(turn):
            self.found.complain("failed", f"{turn.note} ended in {turn.end['data']}")

    # --- The socket ----------------------------------------------------------------------------------------
    async def connect(self) -> None:
        url = f"ws://127.0.0.1:{self.ports[0]}/ws/conversations/{self.seat.conversation}/"
        headers = {"Cookie": self.seat.cookie}
        self.socket = await connect(
            url, additional_headers=headers, origin=f"http://127.0.0.1:{self.ports[0]}",  # type: ignore[arg-type]
            compression=None, open_timeout=60, ping_interval=None,
        )  # fmt: skip

    async def _say(self, message: dict[str, Any]) -> None:
        assert self.socket is not None
        await self.socket.send(json.dumps(message))

    async def _reconnect(self, turn: Turn | None, note: str, began: float) -> Turn | None:
        """Go to another web process and on with the turn from the last seq."""
        self.lost_at = time.monotonic()
        self.found.reconnected += 1
        self.ports.append(self.ports.pop(0))
        while True:
            try:
                await self.connect()
                break
            except (OSError, InvalidHandshake):
                await asyncio.sleep(0.5)
        turn = turn or await self._accepted(note, began)
        if turn is not None:
            turn.open.clear()
            await self._say({"action": "follow", "turn": turn.pk, "after": turn.seq})
        return turn

    async def _accepted(self, note: str, began: float) -> Turn | None:
        """Was the question accepted before the connection was lost? The history says so."""
        import httpx

        url = f"http://127.0.0.1:{self.ports[0]}/api/conversations/{self.seat.conversation}/"
        async with httpx.AsyncClient(headers={"Cookie": self.seat.cookie}, timeout=30) as client:
            turns = (await client.get(url)).json()["turns"]
        if turns and note in turns[-1]["question"] and turns[-1]["status"] == "running":
            return Turn(turns[-1]["id"], note, began, began)
        return None
