"""A language model that is asked outright: from what it knows itself, or from passages that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from chat.contestants.excerpts import Excerpt
from chat.contestants.ledger import Ledger
from chat.language_model.calling import Call, Connect
from chat.language_model.messages import Message, Text, texts
from memosite.llm import BadReply, ObjectRequest
from memosite.llm.prompts import read_prompt

PROMPTS = Path(__file__).parent / "prompts"


class Told(Message):
    """What a language model answers: in words, and the items that were asked for by themselves."""

    known: bool = True
    answer: Text = ""
    values: Annotated[list[str], BeforeValidator(texts)] = []


def request_for(step: str, question: str, excerpts: Sequence[Excerpt] = ()) -> ObjectRequest[Told]:
    """The request of a step, which is a prompt's name: closed_book, one_shot or read."""
    prompt = read_prompt(PROMPTS, step)
    passages = "\n\n".join(
        f"[{number}] {excerpt.title}{f' ({excerpt.date})' if excerpt.date else ''}\n{excerpt.body}"
        for number, excerpt in enumerate(excerpts, start=1)
    )
    parts = [f"Passages:\n{passages}" if passages else "", f"Question:\n{question}"]
    return ObjectRequest(step, prompt.version, prompt.text, "\n\n".join(filter(None, parts)), Told)


async def told(connect: Connect, request: ObjectRequest[Told], ledger: Ledger, seconds: float) -> Told:
    """The model's answer; its cost is in the ledger, also where there is none. Raises LLMError."""
    call = Call(connect, lambda text, restart: None, "answer", seconds)
    try:
        return await call.ask(request, _check)
    finally:
        ledger.usage += call.usage


def _check(reply: Told) -> None:
    if reply.known and not (reply.answer.strip() or any(value.strip() for value in reply.values)):
        raise BadReply('"answer" is empty. Answer the question, or set "known" to false.')
