"""Asking a MEMORY that an OpenAI-compatible server holds: vLLM with a whole model or a LoRA module, for one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import openai

from memosite.llm import BadReply, EndpointSettings, LLMError
from memosite.llm.client import NO_KEY, explain
from training.engine.generated import Generated
from training.memory import MemoryAnswer
from training.microbatch import Busy

Judge = Callable[[str, Generated], MemoryAnswer]


class NoLogProbabilities(LLMError):
    """The server does not say how sure it is, so nobody could tell knowing from guessing."""

    code = "no_log_probabilities"


class RemoteMemory:
    """A MEMORY behind a server, asked for the most probable answer and the log-probabilities of its tokens.

    At most ``settings.concurrency`` questions are under way at once, and ``queue`` more wait. ``judge`` is the
    version's own abstention: it sees a remote answer as it sees a local one.
    """

    def __init__(self, settings: EndpointSettings, judge: Judge, queue: int) -> None:
        self.settings, self._judge = settings, judge
        self._room = settings.concurrency + queue
        self._lock, self._under_way = threading.Lock(), 0
        self._threads = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="remote memory")
        self._client = openai.OpenAI(
            base_url=settings.base_url,
            api_key=settings.key or NO_KEY,
            timeout=settings.timeout_seconds,
            max_retries=settings.max_retries,
        )

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        """One answer a question, in their order. Raises Busy, LLMError, BadReply, NoLogProbabilities."""
        asked = self._submit(questions)
        try:
            return [each.result() for each in asked]
        finally:
            for each in asked:
                each.cancel()

    async def recall(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        """As ``answer``, from a coroutine: what it was cancelled before is not sent any more."""
        asked = self._submit(questions)
        try:
            return [await asyncio.wrap_future(each) for each in asked]
        finally:
            for each in asked:
                each.cancel()

    def _submit(self, questions: Sequence[str]) -> list[Future[MemoryAnswer]]:
        with self._lock:
            if self._under_way + len(questions) > self._room:
                raise Busy
            self._under_way += len(questions)
        asked = [self._threads.submit(self._ask, question) for question in questions]
        for each in asked:
            each.add_done_callback(self._leave)  # also of those that are cancelled
        return asked

    def _ask(self, question: str) -> MemoryAnswer:
        return self._judge(question, self.generate(question))

    def _leave(self, _: Future[MemoryAnswer]) -> None:
        with self._lock:
            self._under_way -= 1

    def generate(self, question: str) -> Generated:
        """What the server's model says, before abstention. Raises LLMError and its kinds."""
        try:
            reply = self._client.chat.completions.create(
                model=self.settings.model,
                messages=[{"role": "user", "content": question}],
                temperature=0,
                max_tokens=self.settings.max_tokens,
                logprobs=True,
            )
        except openai.OpenAIError as error:
            raise LLMError(explain(error, self.settings)) from error
        except ValueError as error:
            raise BadReply(f"The reply of {self.settings.name} is not JSON ({error}).") from error
        return self._read(reply)

    def _read(self, reply: Any) -> Generated:
        try:
            choice = reply.choices[0]
            text, finished = choice.message.content, choice.finish_reason == "stop"
            told = (choice.logprobs.content if choice.logprobs else None) or []
            scores = [float(token.logprob) for token in told]
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            raise BadReply(
                f"The reply of {self.settings.name} is no chat completion. Check that its address is the one "
                "of an OpenAI-compatible server."
            ) from error
        if not scores and text:
            raise NoLogProbabilities(
                f"{self.settings.name} returns no log-probabilities, so it cannot be told whether the memory "
                "knows. Serve this version with a server that does, such as vLLM."
            )
        return Generated.scored((text or "").strip(), scores or [float("-inf")], finished=finished)
