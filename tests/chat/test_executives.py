"""A language model tried as EXECUTIVE before it leads anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse

from chat.executives import TRIAL_QUESTION
from memosite.endpoints import try_connection
from memosite.models import Endpoint
from tests.factories import EndpointFactory, UserFactory
from tests.llm_server import FAULTS, HARMLESS, LLMServer, llm_server

pytestmark = pytest.mark.django_db

READABLE = HARMLESS | {"truncated"}  # a plan that was cut off is read as far as it came


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with llm_server() as running:
        yield running


def endpoint(server: LLMServer) -> Endpoint:
    return EndpointFactory(role="executive", base_url=server.url)


def test_an_executive_is_asked_for_a_plan(server):
    server.scripts = {TRIAL_QUESTION: ["Who leads Project Kittiwake?", "Where does {0} live?"]}
    tested = try_connection(endpoint(server))
    assert tested.is_working
    assert "with a plan: it would ask memory first “Who leads Project Kittiwake?”" in tested.message
    assert server.ledger.calls == {"plan": 1}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_misbehaves_is_said_to_be_unfit_unless_its_plan_can_be_read(server, fault):
    server.faults_of_stage = {"plan": fault}
    tested = try_connection(EndpointFactory(role="executive", base_url=server.url, timeout_seconds=0.5))
    assert tested.is_working == (fault in READABLE), tested.message
    assert tested.message.strip()


def test_a_model_that_asks_memory_nothing_is_not_fit(server, monkeypatch):
    monkeypatch.setattr("tests.llm_server.reply_to", lambda *asked: ChattyReply)
    tested = try_connection(endpoint(server))
    assert not tested.is_working
    assert "did not plan any question for memory" in tested.message


class ChattyReply:
    """What a model says that takes every question for a greeting."""

    stage, reply = "plan", {"kind": "reply", "reply": "Hello!", "sub_queries": []}


def test_the_workbench_tests_an_executive_so(server, client):
    row = endpoint(server)
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = client.post(reverse("admin:memosite_endpoint_test", args=[row.pk]), follow=True)
    assert "it would ask memory first" in page.content.decode()
    form = client.get(reverse("admin:memosite_endpoint_change", args=[row.pk])).content.decode()
    assert "whose owners allow it" in form
