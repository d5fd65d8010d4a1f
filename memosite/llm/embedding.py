"""Vectors of texts from OpenAI-compatible servers."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import openai

from memosite.llm.client import NO_KEY, EndpointSettings, explain
from memosite.llm.types import BadReply, LLMError

#: Texts that go out in one call.
AT_ONCE = 64


@dataclass(frozen=True)
class Embedded:
    """One vector a text, in the order of the texts, and the tokens as the server counted them.

    Tokens that it did not count are taken as four characters each.
    """

    vectors: list[list[float]]
    tokens: int


class Embedder:
    """A server's /embeddings, with the retries of ``OpenAICompatible``. Use it in one event loop."""

    def __init__(self, settings: EndpointSettings) -> None:
        self.settings = settings
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.key or NO_KEY,
            timeout=settings.timeout_seconds,
            max_retries=settings.max_retries,
        )

    async def close(self) -> None:
        await self._client.close()

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """The vectors of all texts, of one length. Raises LLMError, and BadReply for what is no such vectors."""
        batches = [texts[start : start + AT_ONCE] for start in range(0, len(texts), AT_ONCE)]
        calls = [asyncio.create_task(self._embed(batch)) for batch in batches]
        try:
            found = await asyncio.gather(*calls)
        except BaseException:
            for call in calls:  # the others would be paid for and read by nobody
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            raise
        vectors = [vector for each in found for vector in each.vectors]
        if len({len(vector) for vector in vectors}) > 1:
            raise BadReply(f"{self.settings.name} gave vectors of different lengths. Is it one model?")
        return Embedded(vectors, sum(each.tokens for each in found))

    async def _embed(self, texts: Sequence[str]) -> Embedded:
        async with self._slots:
            try:
                reply: Any = await self._client.embeddings.create(
                    model=self.settings.model,
                    input=[text or " " for text in texts],  # servers refuse the empty text
                    encoding_format="float",
                )
            except openai.OpenAIError as error:
                raise LLMError(explain(error, self.settings)) from error
            except ValueError as error:
                raise BadReply(f"The reply of {self.settings.name} holds no vectors ({error}).") from error
        usage = getattr(getattr(reply, "usage", None), "prompt_tokens", None)
        return Embedded(self._vectors(reply, len(texts)), usage or sum(map(len, texts)) // 4)

    def _vectors(self, reply: Any, count: int) -> list[list[float]]:
        data = list(getattr(reply, "data", None) or ())
        if len(data) != count:
            raise BadReply(f"{self.settings.name} gave {len(data)} vectors for {count} texts.")
        indexes = [getattr(each, "index", None) for each in data]
        if sorted(indexes, key=str) == sorted(range(count), key=str):
            data = sorted(data, key=lambda each: each.index)
        vectors = [each.embedding for each in data]
        if not all(map(_is_vector, vectors)):
            raise BadReply(
                f"{self.settings.name} gave something that is no vector. Is its model an embedder?"
            )
        return vectors


def _is_vector(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, int | float) and math.isfinite(each) for each in value)
    )
