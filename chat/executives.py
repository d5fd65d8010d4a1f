"""The EXECUTIVEs that can lead a conversation: the built-in rules, and the endpoints of that role."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from chat.language_model.executive import LanguageModelExecutive
from chat.models import RULES
from chat.protocol.executive import Executive
from chat.rules.executive import RulesExecutive
from memosite.endpoints import settings_of
from memosite.errors import MemoError
from memosite.llm import EndpointSettings, OpenAICompatible
from memosite.models import Endpoint, EndpointRole


class UnknownExecutive(MemoError):
    """There is no EXECUTIVE of that name."""

    code = "unknown_executive"
    status = 422


class Clients:
    """The clients of one event loop, one for each endpoint as it is set now: connections are kept and shared."""

    def __init__(self) -> None:
        self._clients: dict[EndpointSettings, tuple[OpenAICompatible, asyncio.Semaphore]] = {}

    def get(self, settings: EndpointSettings) -> tuple[OpenAICompatible, asyncio.Semaphore]:
        if settings not in self._clients:
            self._clients[settings] = OpenAICompatible(settings), asyncio.Semaphore(settings.concurrency)
        return self._clients[settings]


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Clients] = WeakKeyDictionary()


def executive_named(name: str) -> Executive:
    """The EXECUTIVE of that name. Raises UnknownExecutive, and NoKey where its key is not set."""
    if name == RULES:
        return RulesExecutive()
    endpoint = Endpoint.objects.filter(role=EndpointRole.EXECUTIVE, name=name).first()
    if endpoint is None:
        raise UnknownExecutive(f"The EXECUTIVE “{name}” is no longer there. Choose another and ask again.")
    settings = settings_of(endpoint)
    return LanguageModelExecutive(name, lambda: _client_for(settings))


def _client_for(settings: EndpointSettings) -> tuple[OpenAICompatible, asyncio.Semaphore]:
    """The client of the running event loop."""
    return _clients.setdefault(asyncio.get_running_loop(), Clients()).get(settings)
