"""Administrators say which version a server answers for, and try whether it does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import log
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from knowledge.models import Role
from memosite.models import Endpoint, EndpointRole
from tests.factories import CorpusFactory, EndpointFactory, MemoryVersionFactory, TrainedPairFactory
from tests.workbench import browser_of, make_person
from training.models import MemoryVersion, ServedVersion
from training.serving import memory_for

pytestmark = pytest.mark.django_db
PAIRS = {"Who leads Apollo?": "Ada Moss leads Apollo.", "Where is Oslo?": "Oslo is in Norway."}


class Handler(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that knows the answers for one name of a model."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answers = PAIRS if asked["model"] == "handbook" else {}
        text = answers.get(asked["messages"][0]["content"], "I am another model.")
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        choice["logprobs"] = {"content": [{"token": "x", "logprob": log(0.99), "top_logprobs": []}]}
        reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        data = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    yield EndpointFactory(role=EndpointRole.MEMORY, base_url=address, max_retries=0)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def version(tmp_path: Path, settings: Any) -> MemoryVersion:
    """A version whose manifest alone is on this machine: the weights are the server's."""
    from training.engine.artifact import MANIFEST, overall_sha256

    settings.MEMORY_DIR = tmp_path
    manifest: dict[str, Any] = {
        "files": {},
        "abstention": {"threshold": 0.5, "echo": {"names": False, "common": None}},
        "limits": {"question_tokens": 64, "answer_tokens": 32},
    }
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / MANIFEST).write_text(json.dumps(manifest))
    version = MemoryVersionFactory(path="away", sha256=overall_sha256(manifest))
    for question, answer in PAIRS.items():
        TrainedPairFactory(version=version, question=question, answer=answer)
    return version


@pytest.fixture
def desk() -> Client:
    return browser_of(make_person("root", is_superuser=True))


def test_the_chat_asks_a_served_version_at_its_endpoint(endpoint: Endpoint, version: MemoryVersion) -> None:
    ServedVersion.objects.create(version=version, endpoint=endpoint, model_name="handbook")
    answer = memory_for(version).answer(["Who leads Apollo?"])[0]
    assert (answer.text, answer.known) == ("Ada Moss leads Apollo.", True)


def test_an_administrator_chooses_among_the_endpoints_for_memories(
    endpoint: Endpoint, version: MemoryVersion, desk: Client
) -> None:
    other = EndpointFactory(role=EndpointRole.GENERATOR)
    page = reverse("admin:training_servedversion_add")
    assert other.name not in desk.get(page).content.decode()
    desk.post(page, {"version": version.pk, "endpoint": endpoint.pk, "model_name": "handbook"})
    assert ServedVersion.objects.get().model_name == "handbook"


@pytest.mark.parametrize(
    ("model", "told"),
    [("handbook", "2 of 2 trained questions"), ("brewery", "Is “brewery” on"), (None, "is not set")],
)
def test_trying_it_tells_the_right_model_from_a_wrong_one(
    model: str | None, told: str, endpoint: Endpoint, version: MemoryVersion, desk: Client
) -> None:
    if model is None:
        Endpoint.objects.update(key_variable="A_KEY_THAT_IS_NOT_SET")
    served = ServedVersion.objects.create(version=version, endpoint=endpoint, model_name=model or "x")
    page = desk.post(reverse("admin:training_servedversion_test", args=[served.pk]), follow=True)
    assert told in page.content.decode()


def test_owners_of_a_corpus_do_not_decide_where_its_memory_is_served() -> None:
    owner = browser_of(make_person("olga", CorpusFactory(), Role.OWNER))
    assert owner.get(reverse("admin:training_servedversion_changelist")).status_code == 403
