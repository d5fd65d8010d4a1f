"""A local OpenAI-compatible server that answers the prompts of GENERATOR and EXECUTIVE, and misbehaves if told to.

What it answers depends on nothing but what it is asked, so two runs over the same documents give the same pairs.
Tokens are counted as characters divided by four.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

from knowledge.pipeline.prompts import FOLDER, prompt
from tests import contestant_script
from tests.executive_script import is_executive, reply_to

FACTS, FOLLOWING = 4, 2  # pairs that a passage yields directly, and indirectly
NAME = re.compile(r"\b[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)+")
PASSAGE = re.compile(
    r"^(?:\[P\d+\] )?Title: ([^\n]*)\n(?:Date of the document: [^\n]*\n)?Passage:\n"
    r"(.*?)(?=\n\n(?:\[P\d+\] Title: |Pairs\n|Questions\n)|\Z)",
    re.M | re.S,
)
NUMBERED = re.compile(r"^(\d+)\. (.*)$", re.M)


@dataclass
class Ledger:
    """What the server was asked: calls and characters by step, and each body's hash."""

    calls: Counter[str] = field(default_factory=Counter)
    prompt_tokens: Counter[str] = field(default_factory=Counter)
    completion_tokens: Counter[str] = field(default_factory=Counter)
    bodies: Counter[str] = field(default_factory=Counter)
    under_way: int = 0
    most_under_way: int = 0


class LLMServer(ThreadingHTTPServer):
    """``faults`` maps a document's title to the way in which prompts that show it are answered.

    ``faults_of_stage`` does so for the EXECUTIVE's prompts: plan, next, answer. ``scripts`` holds the hops of the
    questions that the EXECUTIVE knows how to take apart, ``known`` what it knows without a document.
    ``fault_of_vectors`` is how /embeddings misbehaves. ``seconds`` is how long every call takes.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *, seconds: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seconds = seconds
        self.faults: dict[str, str] = {}
        self.faults_of_stage: dict[str, str] = {}
        self.scripts: dict[str, list[str]] = {}
        self.known: dict[str, list[str]] = {}
        self.fault_of_vectors = ""
        self.refused_formats: set[str] = set()
        self.keys_seen: set[str] = set()
        self.ledger = Ledger()
        self.lock = threading.Lock()
        self.released = threading.Event()  # lets calls that hang go when the server closes

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or was thrown out, is no news here."""


@contextmanager
def llm_server(*, seconds: float = 0.0) -> Iterator[LLMServer]:
    """The server on a free port, in a thread."""
    server = LLMServer(seconds=seconds)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive over many calls."""

    server: LLMServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(body)
        ledger = self.server.ledger
        with self.server.lock:
            self.server.keys_seen.add(self.headers.get("Authorization", ""))
            ledger.under_way += 1
            ledger.most_under_way = max(ledger.most_under_way, ledger.under_way)
        try:
            self._embed(asked) if self.path.endswith("/embeddings") else self._answer(asked, body)
        finally:
            with self.server.lock:
                ledger.under_way -= 1

    def _answer(self, asked: dict[str, Any], body: bytes) -> None:
        kind = asked.get("response_format", {}).get("type", "")
        if kind in self.server.refused_formats:
            return self.send(400, {"error": {"message": f"response_format {kind} is not supported"}})
        system, user = (message["content"] for message in asked["messages"])
        if is_executive(system):
            scripted = reply_to(system, user, self.server.scripts)
            step, reply = scripted.stage, scripted.reply
            fault = self.server.faults_of_stage.get(step, "")
        elif step := contestant_script.step_of(system):
            reply = contestant_script.reply_to(step, user, self.server.known)
            fault = self.server.faults_of_stage.get(step, "")
        else:
            step = step_of(system)
            reply = None
            fault = next(
                (mode for title, mode in self.server.faults.items() if f"Title: {title}\n" in user), ""
            )
        if self.server.seconds:
            self.server.released.wait(self.server.seconds)
        with self.server.lock:
            self.server.ledger.bodies[hashlib.sha256(body).hexdigest()] += 1
            self.server.ledger.calls[step] += 1
            self.server.ledger.prompt_tokens[step] += (len(system) + len(user)) // 4
        if fault in FAULTS_OF_TRANSPORT:
            return FAULTS_OF_TRANSPORT[fault](self)
        text = json.dumps(REPLIES[step](user) if reply is None else reply, ensure_ascii=False)
        text = FAULTS_OF_TEXT[fault](text) if fault in FAULTS_OF_TEXT else text
        with self.server.lock:
            self.server.ledger.completion_tokens[step] += len(text) // 4
        whole = completion(text, (len(system) + len(user)) // 4, refused=fault == "refusal")
        return self.send_stream(whole) if asked.get("stream") else self.send(200, whole)

    def _embed(self, asked: dict[str, Any]) -> None:
        fault, texts = self.server.fault_of_vectors, asked["input"]
        tokens = sum(map(len, texts)) // 4
        with self.server.lock:
            self.server.ledger.calls["embeddings"] += 1
            self.server.ledger.prompt_tokens["embeddings"] += tokens
        if fault in FAULTS_OF_TRANSPORT and fault != "no choices":
            return FAULTS_OF_TRANSPORT[fault](self)
        data = [
            {"object": "embedding", "index": n, "embedding": vector(text)} for n, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        reply = {"object": "list", "model": "test", "data": data, "usage": usage}
        return self.send(200, FAULTS_OF_VECTORS[fault](reply) if fault in FAULTS_OF_VECTORS else reply)

    def send(self, status: int, value: Any, **headers: str) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **headers,
        }.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(data)

    def send_stream(self, whole: dict[str, Any]) -> None:
        """The reply in pieces, as server-sent events."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in [*map(json.dumps, chunks_of(whole)), "[DONE]"]:
            data = f"data: {chunk}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    def hang(self) -> None:
        """Say nothing until the client has given up."""
        self.server.released.wait(30)
        self.close_connection = True

    def reset(self) -> None:
        """Throw the client out in the middle of its call."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


def completion(text: str, prompt_tokens: int, *, refused: bool = False) -> dict[str, Any]:
    """A reply in OpenAI's shape."""
    message = {"role": "assistant", "content": None, "refusal": text} if refused else {"content": text}
    return {
        "id": "reply",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": "test",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": len(text) // 4,
            "total_tokens": prompt_tokens + len(text) // 4,
        },
    }


PIECE = 16  # characters of a streamed reply that come at once


def chunks_of(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A reply as its stream: the text in pieces, how it ended, and the tokens it cost."""
    message = whole["choices"][0]["message"]
    field = "refusal" if message.get("refusal") else "content"
    text = message[field]
    deltas = [{field: text[start : start + PIECE]} for start in range(0, len(text), PIECE)]
    for delta, finish in [*((each, None) for each in deltas), ({}, whole["choices"][0]["finish_reason"])]:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        yield whole | {"object": "chat.completion.chunk", "choices": choices, "usage": None}
    yield whole | {"object": "chat.completion.chunk", "choices": []}


FAULTS_OF_TRANSPORT: dict[str, Callable[[Handler], None]] = {
    "429": lambda handler: handler.send(429, {"error": {"message": "slow down"}}, Retry_After="0.05"),
    "500": lambda handler: handler.send(500, {"error": {"message": "out of order"}}),
    "hang": Handler.hang,
    "reset": Handler.reset,
    "no choices": lambda handler: handler.send(200, {"id": "x", "object": "chat.completion", "choices": []}),
}


def _as_list(text: str) -> str:
    """The bare list where an object with one was asked for; else the object in a list."""
    value = json.loads(text)
    inner = next(iter(value.values()))
    return json.dumps(inner if isinstance(inner, list) else [value])


FAULTS_OF_TEXT: dict[str, Callable[[str], str]] = {
    "fenced": lambda text: f"Here you are:\n```json\n{text}\n```\nAnything else?",
    "truncated": lambda text: text[: len(text) * 2 // 3],
    "list": lambda text: _as_list(text),
    "wrong keys": lambda text: re.sub(r'"(question|pair|sub_queries|action|answer)":', r'"\1_text":', text),
    "refusal": lambda text: "I am sorry, but I can't help with that.",
}
VECTOR = 64  # numbers


def vector(text: str) -> list[float]:
    """The words of a text, each counted in the place that its hash gives: alike where texts share words."""
    found = [0.0] * VECTOR
    for word in re.findall(r"\w+", text.casefold()):
        found[draw(word, VECTOR)] += 1.0
    return found


def _with_vectors(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Callable[[Any], Any]:
    return lambda reply: {**reply, "data": change(reply["data"])}


FAULTS_OF_VECTORS: dict[str, Callable[[Any], Any]] = {
    "shuffled": _with_vectors(lambda data: data[::-1]),
    "uncounted": lambda reply: {**reply, "usage": None},
    "too few": _with_vectors(lambda data: data[:-1]),
    "of different lengths": _with_vectors(
        lambda data: [{**each, "embedding": each["embedding"][: 9 - each["index"]]} for each in data]
    ),
    "no numbers": _with_vectors(lambda data: [{**each, "embedding": ["one", "two"]} for each in data]),
    "empty": _with_vectors(lambda data: [{**each, "embedding": []} for each in data]),
    "no data": lambda reply: {"object": "list"},
    "a chat completion": lambda reply: completion("I am sorry, but I can't help with that.", 1),
    "a list": lambda reply: [],
}
#: What can be made good of the above.
HARMLESS_TO_VECTORS = {"shuffled", "uncounted"}
#: What a reader can make good, and what it cannot.
HARMLESS = {"fenced", "list"}
FAULTS = [*FAULTS_OF_TRANSPORT, *FAULTS_OF_TEXT]


# --- What it answers ---------------------------------------------------------------------------------------
def step_of(system: str) -> str:
    """The step whose prompt this is."""
    return next(path.stem for path in sorted(FOLDER.glob("*.md")) if prompt(path.stem).text == system)


def draw(text: str, of: int) -> int:
    """A number below ``of`` that depends on the text alone."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % of


def passages(user: str) -> list[tuple[str, str]]:
    return [(title, text.strip()) for title, text in PASSAGE.findall(user)]


def sentences(text: str) -> list[str]:
    """Four pieces of a passage: its sentences, or stretches of words where it has fewer."""
    text = re.sub(r"^#.*\n", "", text).strip()  # the heading
    found = [each for each in re.split(r"(?<=[.!?])\s+", text) if len(each) > 20]
    if len(found) >= FACTS:
        return found
    words = text.split(" ")
    size = max(1, len(words) // FACTS)
    return [" ".join(words[start : start + size]) for start in range(0, len(words), size)][:FACTS]


def names(title: str, text: str) -> list[str]:
    return list(dict.fromkeys([title, *NAME.findall(text)]))


def fact(title: str, label: str, evidence: list[str]) -> dict[str, Any]:
    return {
        "question": f"What does {label} of {title} tell?",
        "other_wordings": [f"Tell what {label} of {title} is?", f"Of {title}, what is told as {label}?"],
        "answer": f"{label.capitalize()} of {title} tells: {' '.join(evidence)}",
        "evidence": evidence,
        "entities": names(title, " ".join(evidence)),
    }


def direct(user: str) -> dict[str, Any]:
    ((title, text),) = passages(user)
    told = sentences(text)[:FACTS]
    return {"pairs": [fact(title, f"fact {n}", [each]) for n, each in enumerate(told, start=1)]}


def indirect(user: str) -> dict[str, Any]:
    ((title, text),) = passages(user)
    told = sentences(text)
    both = [told[n : n + 2] for n in range(FOLLOWING)]
    return {"pairs": [fact(title, f"inference {n}", each) for n, each in enumerate(both, start=1)]}


def derived(question: str, answer: str, facts: list[int], entity: str = "") -> dict[str, Any]:
    other = [question.replace("What", "Say what").replace("Which", "Say which")]
    return {"question": question, "other_wordings": other, "answer": answer, "facts": facts, "entity": entity}


def consolidate(user: str) -> dict[str, Any]:
    told = NUMBERED.findall(user)
    pairs = [
        derived(f"What do both say: {one[:60]} and {other[:60]}?", f"Both: {one} {other}", [n, n + 1])
        for n, ((_, one), (_, other)) in enumerate(pairwise(told[:3]), start=1)
    ]
    return {"pairs": pairs}


def surface(user: str) -> dict[str, Any]:
    found: dict[str, list[int]] = {}
    for number, text in NUMBERED.findall(user):
        for name in NAME.findall(text.split("tells:", 1)[-1]):
            found.setdefault(name, []).append(int(number))
    pairs = [
        derived(f"Which name goes with clue {draw(name, 10**9)}?", f"The name is {name}.", facts[:3], name)
        for name, facts in list(found.items())[:4]
    ]
    return {"pairs": pairs}


def synthesize(user: str) -> dict[str, Any]:
    first: dict[str, int] = {}
    for number, letter in re.findall(r"^(\d+)\. \[(\w+)\]", user, re.M):
        first.setdefault(letter, int(number))
    chosen = list(first.values())
    shared = user.partition("\n")[0].removeprefix("Names shared: ")
    question = f"What do {len(chosen)} records share under clue {draw(user, 10**9)}?"
    return {"pairs": [derived(question, f"They share {shared}.", chosen)]}


def verify(user: str) -> dict[str, Any]:
    """Most pairs are kept; some are rewritten, once; some are found to be unsupported."""
    verdicts: list[dict[str, Any]] = []
    for number, line in NUMBERED.findall(user.rpartition("\nPairs\n")[2] or user):
        question, _, answer = line.partition(" A: ")
        asked = question.partition("Q: ")[2].split(" | ")[0]
        verdict: dict[str, Any] = {"pair": int(number), "verdict": "keep"}
        if draw(asked, 17) == 0:
            verdict |= {"verdict": "drop", "reason": "unsupported"}
        elif draw(asked, 13) == 0 and "exactly" not in asked:
            verdict |= {"verdict": "rewrite", "reason": "ambiguous"}
            verdict |= {"question": f"{asked[:-1]} exactly?", "answer": answer}
        verdicts.append(verdict)
    return {"verdicts": verdicts}


def open_questions(user: str) -> dict[str, Any]:
    asked = [
        {"question": f"Which {thing} does {name} have?", "entity": name}
        for title, text in passages(user)
        for name in names(title, text)[:1]
        for thing in ("weight", "telephone number")
    ]
    return {"questions": asked}


def answered(user: str) -> dict[str, Any]:
    asked = NUMBERED.findall(user.rpartition("\nQuestions\n")[2] or user)
    return {"verdicts": [{"question": int(n), "is_answered": draw(text, 7) == 0} for n, text in asked]}


REPLIES: dict[str, Callable[[str], dict[str, Any]]] = {
    "direct": direct,
    "indirect": indirect,
    "consolidate": consolidate,
    "verify": verify,
    "surface": surface,
    "synthesize": synthesize,
    "open_questions": open_questions,
    "answered": answered,
}
