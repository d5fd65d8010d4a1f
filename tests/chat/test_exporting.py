"""One's own history as a file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from chat import exporting
from chat.models import Conversation
from tests.factories import (
    ConversationFactory,
    CorpusFactory,
    MemoryVersionFactory,
    SubQueryFactory,
    TurnFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation() -> Conversation:
    """A conversation with a question that was answered."""
    corpus = CorpusFactory(slug="handbook", name="Handbook")
    version = MemoryVersionFactory(corpus=corpus)
    row = ConversationFactory(corpus=corpus, title="About Atlas")
    turn = TurnFactory(
        conversation=row, version=version, answer="Ada Lund, née Müller.", known=True, status="answered"
    )
    SubQueryFactory(turn=turn, answer="Ada Lund leads it.", known=True, version=version)
    SubQueryFactory(turn=turn, question="Where does Ada Lund live?")
    return row


def exported(person: Any, format: str) -> str:
    client = Client()
    client.force_login(person)
    answer = client.get(reverse("export-history"), {"as": format})
    assert answer.streaming
    return b"".join(answer).decode()


def lose_access(person: Any) -> None:
    """The person has asked something of a corpus that is closed by now."""
    ConversationFactory(person=person, title="About secrets")


def test_json_holds_conversations_turns_and_sub_queries(conversation):
    told = json.loads(exported(conversation.person, "json"))
    assert (told["person"], told["left_out"]) == (conversation.person.username, 0)
    row = told["conversations"][0]
    assert (row["title"], row["corpora"]) == ("About Atlas", ["handbook"])
    turn = row["turns"][0]
    assert (turn["answer"], turn["version"]) == ("Ada Lund, née Müller.", "Handbook v1")
    assert [one["known"] for one in turn["sub_queries"]] == [True, False]


def test_markdown_reads_as_it_was_asked(conversation):
    told = exported(conversation.person, "markdown")
    assert "## About Atlas\n\nHandbook," in told
    assert "### Who leads Project Atlas?" in told
    assert "- [1] Who leads Project Atlas? → Ada Lund leads it.\n" in told
    assert "- [2] Where does Ada Lund live? → does not know\n" in told


def test_other_peoples_conversations_are_not_in_it(conversation):
    ConversationFactory(corpus=conversation.corpus, title="Of somebody else")
    assert len(json.loads(exported(conversation.person, "json"))["conversations"]) == 1


@pytest.mark.parametrize("format", ["json", "markdown"])
def test_what_may_no_longer_be_read_is_left_out_and_counted(conversation, format):
    lose_access(conversation.person)
    told = exported(conversation.person, format)
    assert "About secrets" not in told
    assert ('"left_out": 1' if format == "json" else "One conversation is left out") in told


def test_an_empty_history_is_a_valid_file():
    person = UserFactory()
    assert json.loads(exported(person, "json"))["conversations"] == []
    assert exported(person, "markdown").startswith("# Chat history of ")


def test_several_conversations_and_turns_make_one_valid_file(conversation):
    TurnFactory(conversation=conversation)
    ConversationFactory(corpus=conversation.corpus, person=conversation.person)
    told = json.loads(exported(conversation.person, "json"))
    assert [len(row["turns"]) for row in told["conversations"]] == [2, 0]


def test_the_file_is_written_while_it_is_read(conversation, django_assert_max_num_queries):
    for _ in range(30):
        TurnFactory(conversation=conversation)
    blocks = exporting.history_of(conversation.person, "json")
    with django_assert_max_num_queries(5):
        next(blocks), next(blocks)
    with django_assert_max_num_queries(8):
        list(blocks)


def test_an_unknown_format_is_refused_with_those_there_are(conversation):
    client = APIClient()
    client.force_authenticate(conversation.person)
    refused = client.get("/api/conversations/export/?as=pdf")
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_format")
    assert "json or markdown" in refused.json()["detail"]


def test_rest_gives_the_same_file(conversation):
    client = APIClient()
    client.force_authenticate(conversation.person)
    answer = client.get("/api/conversations/export/?as=json")
    assert "attachment" in answer["Content-Disposition"]
    assert len(json.loads(b"".join(answer))["conversations"]) == 1


def test_the_list_of_conversations_offers_it_where_there_is_something(conversation, client):
    client.force_login(conversation.person)
    assert reverse("export-history") in client.get(reverse("conversations")).content.decode()
