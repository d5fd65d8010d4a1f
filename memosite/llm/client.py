"""The client of OpenAI-compatible servers: OpenAI, vLLM, Ollama, llama.cpp, OpenRouter."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx
import openai
from openai.types.chat import ChatCompletion

from memosite.llm.reading import shorten
from memosite.llm.types import BadReply, Completion, LLMError, Prompted

#: Ways to ask for JSON, the most binding first. A server that refuses one is asked the next way from then on.
JSON_MODES = ("json_schema", "json_object", "prompt")
#: The last line of a stream, and for how long its end is waited for after that.
DONE, LINGER_SECONDS = "[DONE]", 0.5
#: Asks the client library for the response beside what it read in it, as its ``with_raw_response`` does.
RAW_RESPONSE_HEADER = "X-Stainless-Raw-Response"
#: What the client library wants where a server needs no key.
NO_KEY = "none"


@dataclass(frozen=True)
class EndpointSettings:
    """Where a language model is and how to call it. ``key`` is the secret itself and stays out of ``repr``."""

    name: str
    base_url: str
    model: str
    key: str = ""
    concurrency: int = 8
    timeout_seconds: float = 120.0
    max_retries: int = 5
    max_tokens: int = 4096
    temperature: float = 0.2

    def __repr__(self) -> str:
        return f"EndpointSettings({self.name!r}, {self.base_url!r}, {self.model!r})"


class OpenAICompatible:
    """A server, asked over HTTP. Retries with backoff on 408, 409, 429, 5xx, lost connections and timeouts.

    Use it as an asynchronous context manager, or call ``close``.
    """

    def __init__(self, settings: EndpointSettings) -> None:
        self.settings = settings
        self.model = settings.model
        self.temperature = settings.temperature
        self._json_mode = 0
        self._streams = self._counts_streams = True
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.key or NO_KEY,
            timeout=settings.timeout_seconds,
            max_retries=settings.max_retries,
        )

    async def __aenter__(self) -> OpenAICompatible:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.close()

    async def stream(self, request: Prompted, say: Callable[[str], None]) -> Completion:
        """Ask the server once and pass on its text piece by piece as it is written.

        Raises LLMError, or BadReply for a reply without text. A server that does not stream is asked plainly.
        """
        if not self._streams:
            return await self.complete(request)
        started = time.monotonic()
        heard = _Heard(say)
        try:
            raw = await self._create(request, stream=True)
            async with aclosing(self._chunks(raw.http_response)) as chunks:
                async for chunk in chunks:
                    heard.take(chunk)
        except openai.OpenAIError as error:
            raise LLMError(explain(error, self.settings)) from error
        except httpx.HTTPError as error:  # the connection broke in the middle of the reply
            raise BadReply(f"The reply of {self.settings.name} broke off ({error}).") from error
        except ValueError as error:
            raise BadReply(f"The server's reply is not JSON ({error}).") from error
        if not heard.chunks:
            self._streams = False
            return await self.complete(request)
        return heard.completion(request, time.monotonic() - started, raw.retries_taken)

    async def complete(self, request: Prompted) -> Completion:
        """Ask the server once, retries included. Raises LLMError, or BadReply for a reply without text."""
        started = time.monotonic()
        try:
            raw = await self._create(request)
            reply: Any = raw.parse()
        except openai.OpenAIError as error:
            raise LLMError(explain(error, self.settings)) from error
        except ValueError as error:
            raise BadReply(f"The server's reply is not JSON ({error}).") from error
        return _completion(reply, time.monotonic() - started, raw.retries_taken)

    async def _create(self, request: Prompted, *, stream: bool = False) -> Any:
        """Call with the most binding way to ask for JSON that the server takes."""
        while True:
            mode = JSON_MODES[self._json_mode]
            streamed: dict[str, Any] = {"stream": True} if stream else {}
            if stream and self._counts_streams:
                streamed["stream_options"] = {"include_usage": True}
            body = {**self._asked(request), **streamed, **_response_format(request, mode)}
            try:
                return await (self._open_stream(body) if stream else self._call(body))
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if "stream_options" in streamed and "stream_options" in str(error):
                    self._counts_streams = False
                    continue
                if mode == JSON_MODES[-1] or not _is_about_the_format(error):
                    raise
                self._json_mode = max(self._json_mode, JSON_MODES.index(mode) + 1)

    def _asked(self, request: Prompted) -> dict[str, Any]:
        return {
            "model": self.model,
            "messages": [
                {"role": "system", "content": request.system},
                {"role": "user", "content": request.user},
            ],
            "temperature": self.temperature,
            "max_tokens": self.settings.max_tokens,
        }

    async def _call(self, body: dict[str, Any]) -> Any:
        return await self._client.chat.completions.with_raw_response.create(**body)

    async def _open_stream(self, body: dict[str, Any]) -> Any:
        """The same call as ``create`` makes, but neither the prompt nor the reply is turned into typed objects:
        that took more than half of a call's processor time."""
        return await self._client.post(
            "/chat/completions",
            cast_to=object,
            body=body,
            options={"headers": {RAW_RESPONSE_HEADER: "true"}},
            stream=True,
            stream_cls=openai.AsyncStream[object],
        )

    async def _chunks(self, response: httpx.Response) -> AsyncGenerator[dict[str, Any], None]:
        """The pieces of a streamed reply. The stream is read to its end, so that the connection is used again."""
        is_done = False
        try:
            async with asyncio.timeout(None) as patience:
                async for line in response.aiter_lines():
                    data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
                    if data == DONE:
                        is_done = True
                        patience.reschedule(asyncio.get_running_loop().time() + LINGER_SECONDS)
                    elif data and not is_done:
                        yield self._checked(json.loads(data))
        except TimeoutError:
            if not is_done:
                raise
        finally:
            await response.aclose()

    def _checked(self, chunk: Any) -> dict[str, Any]:
        if isinstance(chunk, dict) and chunk.get("error"):
            error = chunk["error"]
            said = error.get("message") if isinstance(error, dict) else error
            raise LLMError(f"{self.settings.name}: {shorten(str(said))}")
        if not isinstance(chunk, dict):
            raise BadReply(f"The reply of {self.settings.name} is no chat completion.")
        return chunk


class _Heard:
    """What a stream has said so far."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._finish: str | None = None
        self._usage: dict[str, Any] = {}
        self.chunks = 0

    def take(self, chunk: dict[str, Any]) -> None:
        self.chunks += 1
        self._usage = chunk.get("usage") or self._usage
        for choice in (chunk.get("choices") or ())[:1]:
            delta = choice.get("delta") or {}
            self._finish = choice.get("finish_reason") or self._finish
            self._refusal.append(delta.get("refusal") or "")
            if delta.get("content"):
                self._text.append(delta["content"])
                self._say(delta["content"])

    def completion(self, request: Prompted, seconds: float, retries: int) -> Completion:
        """The whole of it. Tokens that the server did not count are taken as four characters each."""
        text, refusal = "".join(self._text), "".join(self._refusal)
        if refusal:
            raise BadReply(f"The model refused: {shorten(refusal)}")
        if not text:
            raise BadReply("The model's reply is empty.")
        usage = self._usage
        return Completion(
            text=text,
            prompt_tokens=usage.get("prompt_tokens") or (len(request.system) + len(request.user)) // 4,
            completion_tokens=usage.get("completion_tokens") or len(text) // 4,
            seconds=seconds,
            retries=retries,
            is_cut=self._finish == "length",
        )


def _response_format(request: Prompted, mode: str) -> dict[str, Any]:
    if mode == "json_schema":
        schema = {"name": request.step, "schema": request.json_schema(), "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {"response_format": {"type": "json_object"}} if mode == "json_object" else {}


def _is_about_the_format(error: openai.APIStatusError) -> bool:
    text = str(error).casefold()
    return any(
        word in text for word in ("response_format", "json_schema", "json_object", "grammar", "schema")
    )


def _completion(reply: ChatCompletion, seconds: float, retries: int) -> Completion:
    if not getattr(reply, "choices", None):
        raise BadReply("The server's reply has no choices.")
    message = reply.choices[0].message
    if message.refusal:
        raise BadReply(f"The model refused: {shorten(message.refusal)}")
    if not message.content:
        raise BadReply("The model's reply is empty.")
    usage = reply.usage
    return Completion(
        text=message.content,
        prompt_tokens=usage.prompt_tokens if usage else 0,
        completion_tokens=usage.completion_tokens if usage else 0,
        seconds=seconds,
        retries=retries,
        is_cut=reply.choices[0].finish_reason == "length",
    )


def _said(error: openai.APIStatusError) -> str:
    """What the server itself says of an error."""
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or error.message)


def explain(error: openai.OpenAIError, settings: EndpointSettings) -> str:
    """What went wrong with a call, and what to do, in words."""
    where = f"{settings.name} ({settings.base_url})"
    if isinstance(error, openai.APITimeoutError):
        return (
            f"{where} did not answer within {settings.timeout_seconds:g} s. Raise the timeout, or try later."
        )
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__ or error
        return f"{where} cannot be reached: {cause}. Check the address, and that the server runs."
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return f"{where} refused the key (status {error.status_code}). Check the environment variable."
    if isinstance(error, openai.NotFoundError):
        return f"{where} knows no model “{settings.model}”, or the address lacks its /v1. It said: {_said(error)}"
    if isinstance(error, openai.RateLimitError):
        return f"{where} takes no more calls for now (status 429). Lower the concurrency, or try later."
    if isinstance(error, openai.APIStatusError):
        return f"{where} answered with status {error.status_code}: {shorten(_said(error))}"
    return f"{where}: {error}"
