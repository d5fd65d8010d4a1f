"""One reply of a language model, with what it cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from chat.language_model import answers
from chat.protocol.executive import Say, Usage
from memosite.llm import BadReply, Completion, LLMError, ObjectRequest
from memosite.llm.reading import read_object
from memosite.llm.types import Prompted, Shape

#: With fewer seconds left no call is begun.
SHORTEST_CALL = 0.2


class Streaming(Protocol):
    """A server that completes a request with text, piece by piece. Raises LLMError."""

    async def stream(self, request: Prompted, say: Callable[[str], None]) -> Completion: ...


Connect = Callable[[], tuple[Streaming, asyncio.Semaphore]]


@dataclass
class Call:
    """The calls for one reply, and what they cost. ``spoken`` is the text that is passed on as it is written."""

    connect: Connect
    say: Say
    spoken: str
    seconds: float
    usage: Usage = field(default_factory=Usage)
    has_spoken: bool = False

    async def ask(self, request: ObjectRequest[Shape], check: Callable[[Shape], None]) -> Shape:
        """The reply, asked for once more with the fault quoted if it cannot be used. Raises LLMError."""
        if self.seconds < SHORTEST_CALL:
            raise LLMError("The time for this question is over.")
        try:
            async with asyncio.timeout(self.seconds):
                try:
                    return await self._once(request, check)
                except BadReply as fault:
                    return await self._once(request.after(str(fault)), check)
        except TimeoutError as error:
            raise LLMError(f"The EXECUTIVE did not answer within {self.seconds:.0f} s.") from error

    async def _once(self, request: ObjectRequest[Shape], check: Callable[[Shape], None]) -> Shape:
        client, slots = self.connect()
        making = answers.AnswerInTheMaking(self.spoken)
        restart = self.has_spoken

        def hear(piece: str) -> None:
            nonlocal restart
            if new := making.feed(piece):
                self.say(new, restart)
                restart, self.has_spoken = False, True

        async with slots:
            try:
                completion = await client.stream(request, hear)
            except LLMError:
                self.usage += Usage(calls=1)
                raise
        self.usage += Usage(1, completion.prompt_tokens, completion.completion_tokens)
        reply = read_object(request, completion.text)
        check(reply)
        return reply
