"""Asking over REST: the same turns and events as in the chat."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from rest_framework.test import APIClient

from tests.factories import CorpusFactory, MemoryVersionFactory, UserFactory
from tests.fakes import PairMemory
from training.memory import MemoryAnswer
from training.microbatch import Busy

pytestmark = pytest.mark.django_db
PAIRS = [
    ("Who leads Project Atlas?", "Ada Lund leads Project Atlas."),
    ("Where does Ada Lund live?", "Ada Lund lives in Oslo."),
]


@pytest.fixture
def reader(monkeypatch) -> APIClient:
    monkeypatch.setattr("chat.services.memory_for", lambda version: PairMemory(PAIRS))
    corpus = CorpusFactory(slug="handbook")
    MemoryVersionFactory(corpus=corpus, live=True)
    client = APIClient()
    client.force_authenticate(UserFactory(reads=corpus))
    return client


def ask(client: APIClient, question: str, **more: object) -> dict:
    answer = client.post("/api/corpora/handbook/ask/", {"question": question, **more}, format="json")
    assert answer.status_code == 201, answer.json()
    return answer.json()


def test_a_two_hop_question_is_answered_with_its_sub_queries(reader):
    turn = ask(reader, "Where does the person who leads Project Atlas live?")
    assert (turn["values"], turn["known"], turn["status"]) == (["Oslo"], True, "answered")
    assert [query["question"] for query in turn["sub_queries"]] == [question for question, _ in PAIRS]
    assert all(query["known"] and query["confidence"] > 0 for query in turn["sub_queries"])


def test_what_memory_does_not_know_is_said_plainly(reader):
    turn = ask(reader, "Who leads Project Borealis?")
    assert turn["known"] is False
    assert turn["values"] == []
    assert "not know" in turn["answer"]


def test_the_events_of_a_turn_are_numbered_without_gaps_and_end_with_the_answer(reader):
    turn = ask(reader, "Who leads Project Atlas?")
    events = reader.get(f"/api/turns/{turn['id']}/events/").json()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "final"
    assert reader.get(f"/api/turns/{turn['id']}/events/?after={len(events) - 1}").json() == events[-1:]


def test_a_conversation_goes_on_and_is_only_ones_own(reader):
    first = ask(reader, "Who leads Project Atlas?")
    second = ask(reader, "Where does Ada Lund live?", conversation=first["conversation"])
    kept = reader.get(f"/api/conversations/{first['conversation']}/").json()
    assert [turn["id"] for turn in kept["turns"]] == [first["id"], second["id"]]
    assert kept["title"] == "Who leads Project Atlas?"
    assert reader.delete(f"/api/conversations/{first['conversation']}/").status_code == 204
    assert reader.get("/api/conversations/").json()["results"] == []


class BusyMemory:
    """A memory with a full queue."""

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        raise Busy


def test_a_memory_with_too_much_to_do_says_when_to_ask_again(reader, monkeypatch):
    monkeypatch.setattr("chat.services.memory_for", lambda version: BusyMemory())
    refused = reader.post("/api/corpora/handbook/ask/", {"question": "Who leads it?"}, format="json")
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (503, "busy", "1")
    assert reader.get("/api/conversations/").json()["count"] == 1
