"""Vectors from OpenAI-compatible servers, those that misbehave among them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from memosite.endpoints import try_connection
from memosite.llm import BadReply, EndpointSettings, LLMError
from memosite.llm.embedding import AT_ONCE, Embedded, Embedder
from tests.factories import EndpointFactory
from tests.llm_server import (
    FAULTS_OF_VECTORS,
    HARMLESS_TO_VECTORS,
    VECTOR,
    LLMServer,
    llm_server,
    vector,
)

TEXTS = ["Ada Lund leads Atlas.", "", "Bergen is wet."]


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with llm_server() as running:
        yield running


def settings(server: LLMServer) -> EndpointSettings:
    return EndpointSettings("vectors", server.url, "small", max_retries=0, timeout_seconds=0.5)


def embedded(settings: EndpointSettings, texts: list[str] = TEXTS) -> Embedded:
    async def ask() -> Embedded:
        embedder = Embedder(settings)
        try:
            return await embedder.embed(texts)
        finally:
            await embedder.close()

    return asyncio.run(ask())


def test_each_text_has_its_vector_and_the_server_counts_the_tokens(server):
    found = embedded(settings(server))
    assert found.vectors == [vector(text or " ") for text in TEXTS]
    assert found.tokens == (len(TEXTS[0]) + 1 + len(TEXTS[2])) // 4


def test_no_text_takes_no_call(server):
    assert embedded(settings(server), []) == Embedded([], 0)
    assert not server.ledger.calls


def test_many_texts_go_out_in_several_calls_and_come_back_in_order(server):
    texts = [f"number {number}" for number in range(2 * AT_ONCE + 1)]
    found = embedded(settings(server), texts)
    assert found.vectors == [vector(text) for text in texts]
    assert server.ledger.calls["embeddings"] == 3


@pytest.mark.parametrize("fault", sorted(HARMLESS_TO_VECTORS))
def test_what_can_be_made_good_is(server, fault):
    server.fault_of_vectors = fault
    found = embedded(settings(server))
    assert found.vectors == [vector(text or " ") for text in TEXTS]
    assert found.tokens > 0


@pytest.mark.parametrize("fault", sorted(FAULTS_OF_VECTORS.keys() - HARMLESS_TO_VECTORS))
def test_a_reply_that_holds_no_such_vectors_is_refused_in_words(server, fault):
    server.fault_of_vectors = fault
    with pytest.raises(BadReply, match="vector"):
        embedded(settings(server))


@pytest.mark.parametrize(
    ("fault", "words"),
    [("429", "429"), ("500", "500"), ("hang", "did not answer within"), ("reset", "cannot be reached")],
)
def test_a_server_that_fails_is_named_with_what_to_do(server, fault, words):
    server.fault_of_vectors = fault
    with pytest.raises(LLMError, match=f"vectors.*{words}"):
        embedded(settings(server))


def test_a_call_that_failed_is_made_again(server):
    server.fault_of_vectors = "500"
    with pytest.raises(LLMError):
        embedded(replace(settings(server), max_retries=1))
    assert server.ledger.calls["embeddings"] == 2


@pytest.mark.django_db
def test_the_test_of_a_connection_asks_an_embedding_endpoint_for_vectors(server):
    row = EndpointFactory(role="embedding", base_url=server.url)
    tested = try_connection(row)
    assert tested.is_working
    assert f"with vectors of {VECTOR} numbers" in tested.message
    server.fault_of_vectors = "a chat completion"
    assert not try_connection(row).is_working
