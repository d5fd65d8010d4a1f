"""A scripted language model as EXECUTIVE, and a server of vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from memosite.models import Endpoint
from tests.chat.contestants.answering import SCRIPTS
from tests.factories import EndpointFactory
from tests.llm_server import LLMServer, llm_server


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with llm_server() as running:
        running.scripts = dict(SCRIPTS)
        yield running


@pytest.fixture
def model(server: LLMServer, db: None) -> Endpoint:
    """A language model as EXECUTIVE, at a dollar a million prompt tokens and two for those of replies."""
    fields = {"timeout_seconds": 30, "max_retries": 0, "input_price": 1, "output_price": 2}
    return EndpointFactory(name="model", role="executive", base_url=server.url, **fields)


@pytest.fixture
def embedder(server: LLMServer, db: None, settings: Any, tmp_path: Any) -> Endpoint:
    settings.STATE_DIR = tmp_path
    fields = {"timeout_seconds": 30, "max_retries": 0, "input_price": 1_000}
    return EndpointFactory(name="vectors", role="embedding", base_url=server.url, **fields)
