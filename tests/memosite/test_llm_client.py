"""The client against a real server on this machine, well-behaved and not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from knowledge.pipeline.prompts import prompt
from knowledge.pipeline.replies import FactItem
from memosite.llm import Asker, BadReply, EndpointSettings, LLMError, MemoryStore, OpenAICompatible, Request
from tests.llm_server import LLMServer, llm_server

DIRECT = prompt("direct")
TEXT = "Ada Marsh was born in Oslo in 1901. She built a bridge there. It stood for years. Then it fell down."
USER = f"Title: Ada\nPassage:\n{TEXT}"


def request(user: str = USER) -> Request[FactItem]:
    return Request("direct", DIRECT.version, DIRECT.text, user, "pairs", FactItem)


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with llm_server() as running:
        yield running


@pytest.fixture
async def client(server: LLMServer) -> AsyncIterator[OpenAICompatible]:
    settings = EndpointSettings("local", server.url, "m", key="sesame", timeout_seconds=2, max_retries=1)
    async with OpenAICompatible(settings) as made:
        yield made


def asker(client: OpenAICompatible, store: MemoryStore | None = None) -> Asker:
    return Asker(client, store or MemoryStore(), concurrency=3)


async def test_a_reply_comes_with_its_tokens_and_the_key_is_sent(server, client) -> None:
    completion = await client.complete(request())
    assert completion.prompt_tokens == (len(DIRECT.text) + len(USER)) // 4
    assert completion.completion_tokens > 0
    assert server.keys_seen == {"Bearer sesame"}


async def test_a_server_without_json_schemas_is_asked_in_other_ways(server, client) -> None:
    server.refused_formats = {"json_schema"}
    assert len((await asker(client).ask(request())).items) == 4
    server.refused_formats = {"json_schema", "json_object"}
    assert len((await asker(client).ask(request())).items) == 4


@pytest.mark.parametrize("fault", ["fenced", "list"])
async def test_harmless_faults_are_read_over(server, client, fault: str) -> None:
    server.faults = {"Ada": fault}
    assert len((await asker(client).ask(request())).items) == 4
    assert server.ledger.calls.total() == 1


@pytest.mark.parametrize("fault", ["truncated", "wrong keys", "refusal", "no choices"])
async def test_broken_replies_are_asked_for_again(server, client, fault: str) -> None:
    server.faults = {"Ada": fault}
    try:
        reply = await asker(client).ask(request())
        assert not reply.is_complete
    except BadReply:
        pass
    assert server.ledger.calls.total() == 3


async def test_a_reply_is_paid_for_once(server, client) -> None:
    store = MemoryStore()
    first = await asker(client, store).ask(request())
    second = await asker(client, store).ask(request())
    assert first == second
    assert server.ledger.calls.total() == 1


async def test_another_text_model_or_salt_is_another_call(server, client) -> None:
    one = asker(client).key(request())
    assert one == asker(client).key(request())
    assert one != asker(client).key(request(USER + " More."))
    assert one != Asker(client, MemoryStore(), concurrency=1, salt="run 2").key(request())


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("500", "status 500"),
        ("429", "status 429"),
        ("hang", "did not answer within 2 s"),
        ("reset", "reached"),
    ],
)
async def test_a_server_that_fails_is_tried_again_and_then_told_of(
    server, client, fault: str, told: str
) -> None:
    server.faults = {"Ada": fault}
    with pytest.raises(LLMError, match=told):
        await client.complete(request())
    assert server.ledger.calls.total() == 2


async def test_no_server_at_all_is_told_with_its_address() -> None:
    settings = EndpointSettings("nobody", "http://127.0.0.1:1/v1", "m", max_retries=0)
    async with OpenAICompatible(settings) as client:
        with pytest.raises(LLMError, match=r"nobody \(http://127\.0\.0\.1:1/v1\) cannot be reached"):
            await client.complete(request())


def test_the_key_does_not_show_in_a_printed_setting() -> None:
    assert "sesame" not in repr(EndpointSettings("local", "http://x/v1", "m", key="sesame"))
