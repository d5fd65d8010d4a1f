"""The EXECUTIVEs that can lead a conversation: the built-in rules, and the endpoints of that role."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from chat.language_model.calling import Connect
from chat.language_model.executive import LanguageModelExecutive
from chat.language_model.writing import plan_request
from chat.models import RULES
from chat.protocol.executive import Executive
from chat.protocol.state import State
from chat.rules.executive import RulesExecutive
from memosite.endpoints import Tested, in_words, settings_of
from memosite.errors import MemoError
from memosite.llm import EndpointSettings, LLMError, OpenAICompatible
from memosite.llm.reading import read_object
from memosite.models import Endpoint, EndpointRole

TRIAL_QUESTION = "Where does the person who leads Project Kittiwake live?"


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
    return LanguageModelExecutive(name, connection_to(endpoint_of(name)))


def endpoint_of(name: str) -> Endpoint:
    """The endpoint of an EXECUTIVE that is a language model. Raises UnknownExecutive."""
    endpoint = Endpoint.objects.filter(role=EndpointRole.EXECUTIVE, name=name).first()
    if endpoint is None:
        raise UnknownExecutive(f"The EXECUTIVE “{name}” is no longer there. Choose another and ask again.")
    return endpoint


def connection_to(endpoint: Endpoint) -> Connect:
    """Gives the client of the running event loop and its slots. Raises NoKey where the key is not set."""
    settings = settings_of(endpoint)
    return lambda: _client_for(settings)


def _client_for(settings: EndpointSettings) -> tuple[OpenAICompatible, asyncio.Semaphore]:
    """The client of the running event loop."""
    return _clients.setdefault(asyncio.get_running_loop(), Clients()).get(settings)


async def try_as_executive(client: OpenAICompatible) -> Tested:
    """Have a language model plan an interrogation, as in the chat, and say whether the plan can be used."""
    request = plan_request(State(TRIAL_QUESTION))
    completion = await client.stream(request, lambda piece: None)
    took = in_words(completion)
    try:
        plan = read_object(request, completion.text)
    except LLMError as error:
        return Tested(False, f"{took}, but not with a plan that an EXECUTIVE can use: {error}")
    if plan.kind == "reply" or not plan.sub_queries:
        return Tested(False, f"{took}, but did not plan any question for memory. Try a larger model.")
    return Tested(
        True, f"{took} with a plan: it would ask memory first “{plan.sub_queries[0].question[:200]}”"
    )
