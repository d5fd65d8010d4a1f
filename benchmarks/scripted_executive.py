#!/usr/bin/env python
"""A language model for benchmarks: it follows a script, and takes so many milliseconds for each call.

    python benchmarks/scripted_executive.py PORT [--ms 300]

Speaks the part of OpenAI's protocol that the product uses, over asyncio, so that hundreds of calls at once cost
little. A question such as "Note 7-3: What is the hobby of Ada Lund? Then: Where does Ada Lund live?" is taken
apart into its hops, one after the other, and "Note 7-3" is repeated in all that the model says: whoever hears of a
note that is not its own has been given another's turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

NOTE = re.compile(r"(Note [\w-]+): (.*)")
THEN = " Then: "
PIECE = 64  # characters of a streamed reply that come at once


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("port", type=int)
    parser.add_argument("--ms", type=float, default=300, help="how long every call takes")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.ms / 1000))


async def serve(port: int, seconds: float) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while body := await read_request(reader):
                began = time.monotonic()
                whole = reply_of(json.loads(body))
                await asyncio.sleep(max(0.0, seconds - (time.monotonic() - began)))
                writer.write(whole)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The body of the next request on a connection; empty where the client has gone."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    return await reader.readexactly(int(length[1])) if length else b""


def reply_of(asked: dict[str, Any]) -> bytes:
    """The whole HTTP response to a call, streamed or not as it was asked for."""
    from tests.llm_server import completion

    system, user = (message["content"] for message in asked["messages"])
    text = json.dumps(scripted(system, user), ensure_ascii=False)
    whole = completion(text, (len(system) + len(user)) // 4)
    if not asked.get("stream"):
        return response("application/json", json.dumps(whole).encode())
    lines = "".join(f"data: {chunk}\n\n" for chunk in [*map(json.dumps, chunks(whole, text)), "[DONE]"])
    return response("text/event-stream", lines.encode())


def response(kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def chunks(whole: dict[str, Any], text: str) -> list[dict[str, Any]]:
    deltas = [{"content": text[start : start + PIECE]} for start in range(0, len(text), PIECE)]
    parts = [*((each, None) for each in deltas), ({}, "stop")]
    made = [
        whole
        | {
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            "usage": None,
        }
        for delta, finish in parts
    ]
    return [*made, whole | {"object": "chat.completion.chunk", "choices": []}]


def scripted(system: str, user: str) -> dict[str, Any]:
    """What the model says: the script's reply, with the note of the question in every part that people see."""
    from tests.executive_script import ASKED, reply_to

    asked = ASKED.search(user)
    assert asked, "the prompt does not hold the question"
    question = asked[1].strip()
    found = NOTE.match(question)
    assert found, f"the question has no note: {question}"
    note, hops = found[1], found[2].split(THEN)
    reply = reply_to(system, user, {question: hops}).reply
    reply["note"] = f"{note}: {reply['note']}"
    for clue in reply.get("clues", ()):
        clue["text"] = f"{note}: {clue['text']}"
    if reply.get("answer"):
        reply["answer"] = f"{note}: {reply['answer']}"
    return reply


if __name__ == "__main__":
    main()
