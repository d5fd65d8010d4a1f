"""A memory behind an OpenAI-compatible server: its log-probabilities are its confidence, its faults are told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import log
from typing import Any

import pytest

from memosite.errors import MemoError
from memosite.llm import EndpointSettings
from training.engine.generated import Generated
from training.memory import DONT_KNOW, MemoryAnswer
from training.microbatch import Busy
from training.remote import RemoteMemory


def reply(text: str, probabilities: list[float] | None, finish: str = "stop") -> dict[str, Any]:
    tokens = [{"token": "x", "logprob": log(p), "top_logprobs": []} for p in probabilities or ()]
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}
    choice["logprobs"] = {"content": tokens} if probabilities else None
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


REPLIES: dict[str, tuple[int, Any]] = {
    "Sure?": (200, reply(" Oslo. ", [0.5, 0.5, 0.5])),
    "Unsure?": (200, reply("Lima.", [0.1, 0.1])),
    "Endless?": (200, reply("Oslo Oslo", [0.9, 0.9], "length")),
    "No numbers?": (200, reply("Oslo.", None)),
    "Limited?": (429, {"error": {"message": "slow down"}}),
    "Broken?": (500, {"error": {"message": "out of order"}}),
    "Garbage?": (200, {"hello": "world"}),
}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)  # type: ignore[attr-defined]
        status, value = REPLIES[asked["messages"][0]["content"]]
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def judge(question: str, said: Generated) -> MemoryAnswer:
    known = said.finished and said.confidence >= 0.3
    return MemoryAnswer(said.text if known else DONT_KNOW, said.confidence, known)


@pytest.fixture
def memory(server: ThreadingHTTPServer) -> RemoteMemory:
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    settings = EndpointSettings("gpu", url, "handbook-v7", concurrency=2, max_retries=0, max_tokens=40)
    return RemoteMemory(settings, judge, queue=2)


def test_answers_come_in_order_with_the_confidence_of_their_tokens(memory, server):
    answers = memory.answer(["Unsure?", "Sure?", "Endless?"])
    assert [(answer.text, answer.known) for answer in answers] == [
        (DONT_KNOW, False),
        ("Oslo.", True),
        (DONT_KNOW, False),
    ]
    assert answers[1].confidence == pytest.approx(0.5)
    asked = server.asked[0]
    assert (asked["model"], asked["temperature"], asked["logprobs"], asked["max_tokens"]) == (
        *("handbook-v7", 0, True),
        40,
    )


@pytest.mark.parametrize(
    ("question", "code", "told"),
    [
        ("No numbers?", "no_log_probabilities", "no log-probabilities"),
        ("Limited?", "llm_error", "status 429"),
        ("Broken?", "llm_error", "status 500"),
        ("Garbage?", "bad_reply", "no chat completion"),
    ],
)
def test_a_server_that_misbehaves_is_told_in_words(memory, question, code, told):
    with pytest.raises(MemoError, match=told) as raised:
        memory.answer([question])
    assert raised.value.code == code
    assert memory.answer(["Sure?"])[0].known


def test_more_questions_than_may_wait_are_refused(memory, server):
    with pytest.raises(Busy):
        memory.answer(["Sure?"] * 5)
    assert server.asked == []


def test_questions_given_up_after_a_failure_leave_room_for_others(memory):
    for _ in range(5):
        with pytest.raises(MemoError):
            memory.answer(["Broken?", "Broken?", "Sure?", "Sure?"])
    memory._threads.shutdown(wait=True)
    assert memory._under_way == 0
