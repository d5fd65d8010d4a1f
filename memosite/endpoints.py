"""Endpoint rows as the settings of a client, with their keys; and a test of whether they answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from pydantic import BaseModel

from memosite.errors import MemoError
from memosite.llm import Completion, EndpointSettings, LLMError, OpenAICompatible, Request
from memosite.llm.embedding import Embedder
from memosite.llm.reading import read_items
from memosite.models import Endpoint
from memosite.settings import env


class NoKey(MemoError):
    """The environment variable that should hold the key is not set."""

    code = "no_key"


class _Pong(BaseModel):
    """What the test of a connection asks for."""

    word: str


_PING = Request(
    step="test",
    prompt_version="test-1",
    system='Reply with JSON only: {"words": [{"word": "ready"}]}',
    user="Are you ready?",
    field="words",
    item=_Pong,
)


@dataclass(frozen=True)
class Tested:
    """What happened when an endpoint was called once."""

    is_working: bool
    message: str


#: What tells whether an endpoint is fit for its role, where more is needed than an answer with JSON.
Trial = Callable[[OpenAICompatible], Awaitable[Tested]]
trials: dict[str, Trial] = {}


def has_key(endpoint: Endpoint) -> bool:
    """Whether the environment holds the key that the endpoint names, or it names none."""
    return not endpoint.key_variable or bool(env.str(endpoint.key_variable, default=""))


def settings_of(endpoint: Endpoint) -> EndpointSettings:
    """All that a client needs, the key from the environment included. Raises NoKey where that is not set."""
    key = env.str(endpoint.key_variable, default="") if endpoint.key_variable else ""
    if not has_key(endpoint):
        raise NoKey(
            f"The environment variable {endpoint.key_variable}, which should hold the key of “{endpoint}”, is not "
            "set. Set it where web and worker are started, and start them again."
        )
    return EndpointSettings(
        name=endpoint.name,
        base_url=endpoint.base_url,
        model=endpoint.model,
        key=key,
        concurrency=endpoint.concurrency,
        timeout_seconds=endpoint.timeout_seconds,
        max_retries=endpoint.max_retries,
        max_tokens=endpoint.max_tokens,
        temperature=endpoint.temperature,
    )


def try_connection(endpoint: Endpoint) -> Tested:
    """Call the endpoint once, without retries, and say in words what came of it."""
    try:
        settings = replace(settings_of(endpoint), max_retries=0)
        return asyncio.run(_call_once(settings, trials.get(endpoint.role, _ask_for_json)))
    except MemoError as error:
        return Tested(False, str(error))


async def _call_once(settings: EndpointSettings, trial: Trial) -> Tested:
    async with OpenAICompatible(settings) as client:
        tested = await trial(client)
    return replace(tested, message=f"{settings.model} {tested.message}")


async def _ask_for_json(client: OpenAICompatible) -> Tested:
    completion = await client.complete(_PING)
    took = in_words(completion)
    try:
        read_items(_PING, completion.text)
    except LLMError as error:
        return Tested(True, f"{took}, but not with the JSON that was asked for: {error}")
    return Tested(True, f"{took} with JSON as asked for.")


async def _ask_for_vectors(client: OpenAICompatible) -> Tested:
    embedder = Embedder(client.settings)
    started = time.monotonic()
    try:
        embedded = await embedder.embed(["Where does Ada Lund live?", "Ada Lund lives in Bergen."])
    finally:
        await embedder.close()
    took = f"answered in {time.monotonic() - started:.1f} s ({embedded.tokens} tokens)"
    return Tested(True, f"{took} with vectors of {len(embedded.vectors[0])} numbers.")


trials["embedding"] = _ask_for_vectors


def in_words(completion: Completion) -> str:
    """How long a call took and what it cost."""
    tokens = f"{completion.prompt_tokens} + {completion.completion_tokens} tokens"
    return f"answered in {completion.seconds:.1f} s ({tokens})"
