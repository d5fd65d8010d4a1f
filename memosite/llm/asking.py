"""Asking a language model so that no reply is paid for twice and no broken reply goes unnoticed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from typing import Any, Protocol
from uuid import uuid4

from memosite.llm.reading import read_items
from memosite.llm.types import BadReply, Completion, Item, Reply, Request, Transport

#: How often a request is made again after a reply that could not be used, or not in full.
REASKED = 2


class CallStore(Protocol):
    """Where replies are kept. Both methods may be called for many requests at a time."""

    async def find(self, key: str) -> str | None:
        """The text of the reply kept under ``key``, or None. May raise to refuse that any call is made."""
        ...

    async def keep(self, key: str, request: Request[Any], completion: Completion, *, usable: bool) -> None:
        """Keep a reply that was paid for. One that is not usable is kept for the accounts only."""
        ...


class MemoryStore:
    """Keeps replies for as long as the process lives."""

    def __init__(self) -> None:
        self.replies: dict[str, str] = {}

    async def find(self, key: str) -> str | None:
        return self.replies.get(key)

    async def keep(self, key: str, request: Request[Any], completion: Completion, *, usable: bool) -> None:
        if usable:
            self.replies[key] = completion.text


class Asker:
    """An LLM: at most ``concurrency`` calls at a time, each reply kept before the next call takes its place.

    ``salt`` makes requests differ from those of an earlier run, so that they are asked afresh.
    """

    def __init__(self, transport: Transport, store: CallStore, *, concurrency: int, salt: str = "") -> None:
        self._transport = transport
        self._store = store
        self._slots = asyncio.Semaphore(concurrency)
        self._salt = salt

    async def ask(self, request: Request[Item]) -> Reply[Item]:
        """The items of a reply, one kept from earlier if there is one.

        A reply that is broken or incomplete is asked for again, up to ``REASKED`` times; then the fullest one
        counts. Raises LLMError where the server fails, BadReply where no reply could be used.
        """
        key = self.key(request)
        async with self._slots:
            kept = await self._store.find(key)
            if kept is not None:
                return self._read(request, key, kept, is_cut=False)
            return await self._ask_anew(request, key)

    async def _ask_anew(self, request: Request[Item], key: str) -> Reply[Item]:
        best: Reply[Item] | None = None
        failure: BadReply | None = None
        for attempt in range(1 + REASKED):
            if attempt:
                await self._store.find(key)  # asks whether calls may still be made
            try:
                completion = await self._transport.complete(request)
            except BadReply as error:
                failure = error
                continue
            spoilt = f"{key[:48]}!{uuid4().hex[:12]}"  # a retry asks anew, and every one is in the accounts
            try:
                reply = self._read(request, key, completion.text, is_cut=completion.is_cut)
            except BadReply as error:
                failure = error
                await self._store.keep(spoilt, request, completion, usable=False)
                continue
            await self._store.keep(
                key if reply.is_complete else spoilt, request, completion, usable=reply.is_complete
            )
            if reply.is_complete:
                return reply
            if best is None or len(reply.items) > len(best.items):
                best = replace(reply, call=spoilt)
        if best is None:
            raise failure or BadReply("The model gave no reply.")
        return best

    def _read(self, request: Request[Item], key: str, text: str, *, is_cut: bool) -> Reply[Item]:
        items, lost, broken_off = read_items(request, text)
        return Reply(items, key, self._transport.model, lost, is_cut or broken_off)

    def key(self, request: Request[Any]) -> str:
        """64 hexadecimal digits over all that decides a reply: model, temperature, texts and schema."""
        parts = [
            self._transport.model,
            self._transport.temperature,
            request.step,
            request.system,
            request.user,
            request.json_schema(),
            self._salt,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
