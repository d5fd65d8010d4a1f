"""Turns as server-sent events over real HTTP, and the client that docs/protocol.md prints."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.test import Client

from chat.models import Turn
from chat.protocol.events import FinalAnswer, StageStarted
from tests.factories import (
    ConversationFactory,
    CorpusFactory,
    MemoryVersionFactory,
    TurnFactory,
    UserFactory,
)
from tests.fakes import PairMemory
from tests.served import served
from tests.site_process import wait_until
from training.memory import MemoryAnswer

pytestmark = pytest.mark.django_db(transaction=True)
PAIRS = [("Who leads Project Atlas?", "Ada Lund leads Project Atlas.")]
ENDED = [
    StageStarted(stage="grounding", note=""),
    StageStarted(stage="answer_seeking", note=""),
    FinalAnswer(text="Ada Lund.", values=["Ada Lund"], known=True, sub_queries=[1]),
]
DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


class HeldMemory(PairMemory):
    """A MEMORY that answers once a test lets it."""

    def __init__(self) -> None:
        super().__init__(PAIRS)
        self.released = threading.Event()

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        assert self.released.wait(60), "the test never let the memory answer"
        return super().answer(questions)


@pytest.fixture
def memory(monkeypatch) -> Iterator[HeldMemory]:
    held = HeldMemory()
    monkeypatch.setattr("chat.services.memory_for", lambda version: held)
    monkeypatch.setattr("chat.services.load_in_advance", lambda version: None)
    yield held
    held.released.set()


@pytest.fixture
def corpus(transactional_db):
    corpus = CorpusFactory(slug="handbook")
    MemoryVersionFactory(corpus=corpus, live=True)
    return corpus


@pytest.fixture
def reader(corpus):
    return UserFactory(reads=corpus)


@pytest.fixture
def site(memory, corpus) -> Iterator[str]:
    with served() as address:
        yield address


def cookie_of(person: Any) -> str:
    client = Client()
    client.force_login(person)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def http(site: str, person: Any) -> httpx.Client:
    """A client with a token of the person's."""
    from knox.models import AuthToken

    token = AuthToken.objects.create(person)[1]
    return httpx.Client(base_url=site, headers={"Authorization": f"Token {token}"}, timeout=30)


def frames(response: httpx.Response) -> Iterator[dict[str, str]]:
    """The events of a stream, each with id, event and data; comments are left out."""
    frame: dict[str, str] = {}
    for line in response.iter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            frame[name] = value
        elif frame:
            yield frame
            frame = {}


def asking(client: httpx.Client) -> Any:
    return client.stream(
        "POST",
        "/api/corpora/handbook/ask/",
        json={"question": "Who leads Project Atlas?"},
        headers={"Accept": "text/event-stream"},
    )


def test_asking_streams_the_turn_and_then_its_events_up_to_the_last(site, reader, memory):
    memory.released.set()
    with http(site, reader) as client, asking(client) as response:
        assert response.headers["content-type"] == "text/event-stream"
        told = list(frames(response))
    assert told[0]["event"] == "turn"
    assert "id" not in told[0]
    numbered = [frame for frame in told[1:] if frame["event"] != "heartbeat"]
    assert [int(frame["id"]) for frame in numbered] == list(range(1, len(numbered) + 1))
    assert numbered[-1]["event"] == "final"
    turn = Turn.objects.get()
    stored = [{"turn": turn.pk, **row.as_dict()} for row in turn.events.all()]
    assert [json.loads(frame["data"]) for frame in numbered] == stored


def test_a_client_that_goes_away_stops_nothing_and_comes_back_with_the_last_id(site, reader, memory):
    with http(site, reader) as client:
        with asking(client) as response:
            coming = frames(response)
            pk = json.loads(next(coming)["data"])["turn"]
            last = next(coming)["id"]
        memory.released.set()
        wait_until(lambda: not Turn.objects.get(pk=pk).is_running)
        assert Turn.objects.get(pk=pk).known
        with client.stream("GET", f"/api/turns/{pk}/stream/", headers={"Last-Event-ID": last}) as again:
            rest = list(frames(again))
    assert [int(frame["id"]) for frame in rest] == list(range(int(last) + 1, int(last) + 1 + len(rest)))
    assert rest[-1]["event"] == "final"


def test_a_client_that_does_not_wait_for_the_whole_answer_stops_nothing_either(site, reader, memory):
    with http(site, reader) as client:
        question = {"question": "Who leads Project Atlas?"}
        with pytest.raises(httpx.ReadTimeout):
            client.post("/api/corpora/handbook/ask/", json=question, timeout=1)
    memory.released.set()
    wait_until(lambda: not Turn.objects.get().is_running)
    assert Turn.objects.get().known


def test_somebody_who_comes_in_the_middle_hears_what_was_and_what_comes(site, reader, memory):
    with http(site, reader) as client, asking(client) as response:
        coming = frames(response)
        pk = json.loads(next(coming)["data"])["turn"]
        next(coming)
        with client.stream("GET", f"/api/turns/{pk}/stream/") as beside:
            there = frames(beside)
            first = next(there)
            memory.released.set()
            assert [first["id"], [*there][-1]["event"]] == ["1", "final"]
        assert [*coming][-1]["event"] == "final"


def test_a_turn_that_is_over_is_replayed_after_a_seq_and_then_there_is_nothing_left(site, reader, corpus):
    turn = TurnFactory(
        conversation=ConversationFactory(corpus=corpus, person=reader), status="answered", events=ENDED
    )
    with http(site, reader) as client:
        replayed = client.get(f"/api/turns/{turn.pk}/stream/?after=1")
        assert re.findall(r"^id: (\d+)$", replayed.text, re.M) == ["2", "3"]
        assert client.get(f"/api/turns/{turn.pk}/stream/?after=3").status_code == 204


def test_a_stream_ends_in_the_error_of_a_turn_whose_process_died(site, reader, corpus):
    turn = TurnFactory(conversation=ConversationFactory(corpus=corpus, person=reader), events=ENDED[:2])
    with http(site, reader) as client, client.stream("GET", f"/api/turns/{turn.pk}/stream/") as response:
        coming = frames(response)
        assert [next(coming)["id"], next(coming)["id"]] == ["1", "2"]
        Turn.objects.update(heartbeat_at="2020-01-01T00:00:00Z")  # no sign of life since
        last = json.loads(next(coming)["data"])
    assert (last["type"], last["seq"], last["data"]["code"]) == ("error", 3, "interrupted")


def test_a_stream_ends_where_its_person_may_not_read_the_corpus_any_more(site, reader, memory):
    with http(site, reader) as client, asking(client) as response:
        coming = frames(response)
        pk = json.loads(next(coming)["data"])["turn"]
        reader.groups.clear()
        assert "final" not in [frame["event"] for frame in coming]
        assert client.get(f"/api/turns/{pk}/stream/").status_code == 404
    memory.released.set()
    wait_until(lambda: not Turn.objects.get().is_running)


def test_what_cannot_be_streamed_is_told_as_a_problem(site, reader, corpus):
    stream = {"Accept": "text/event-stream"}
    foreign = TurnFactory(conversation=ConversationFactory(corpus=corpus))
    with http(site, reader) as client:
        refused = client.post("/api/corpora/handbook/ask/", json={"question": ""}, headers=stream)
        assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
        assert client.get(f"/api/turns/{foreign.pk}/stream/").json()["code"] == "not_found"
        own = TurnFactory(conversation=ConversationFactory(corpus=corpus, person=reader))
        assert client.get(f"/api/turns/{own.pk}/stream/?after=x").status_code == 400


def test_the_client_that_the_docs_print_asks_and_hears_the_answer(site, reader, corpus, memory, tmp_path):
    memory.released.set()
    program = re.search(r"```python\n(.*?)```", (DOCS / "protocol.md").read_text(encoding="utf-8"), re.S)
    (tmp_path / "client.py").write_text(program[1], encoding="utf-8")
    conversation = ConversationFactory(corpus=corpus, person=reader)
    address = f"{site.replace('http', 'ws')}/ws/conversations/{conversation.pk}/"
    done = subprocess.run(
        [sys.executable, "client.py", address, cookie_of(reader), "Who leads Project Atlas?"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(1, len(lines) + 1))
    assert " final " in lines[-1]
    assert "Ada Lund" in lines[-1]
