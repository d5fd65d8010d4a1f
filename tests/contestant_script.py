"""A language model that is asked outright, as the scripted server plays it: it reads as the rules do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chat.contestants.asking import PROMPTS
from chat.contestants.excerpts import Excerpt
from chat.contestants.readers import lookup_in
from chat.protocol.events import FinalAnswer
from chat.protocol.stream import blocking, interrogate
from chat.rules.executive import RulesExecutive
from memosite.llm.prompts import read_prompt
from tests.fakes import PairMemory

STEPS = ("closed_book", "one_shot", "read")
_PASSAGE = re.compile(r"^\[\d+\] ([^\n]*)\n(.*?)(?=\n\n\[\d+\] |\n\nQuestion:\n)", re.M | re.S)


def step_of(system: str) -> str:
    """The step whose prompt this is; empty for every other prompt."""
    return next((step for step in STEPS if read_prompt(PROMPTS, step).text == system), "")


def reply_to(step: str, user: str, known: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What the model says; ``known`` are the questions that it can answer by itself."""
    question = user.rpartition("Question:\n")[2]
    if step == "closed_book":
        return told(known.get(question, ()), " and ".join(known.get(question, ())))
    excerpts = [Excerpt(title, text) for title, text in _PASSAGE.findall(user)]
    lookup = lookup_in(excerpts)
    if step == "read":
        answer = lookup.answer(question)
        return told([answer.text] if answer.known else [], answer.text)
    events = blocking(interrogate(question, RulesExecutive(), PairMemory(lookup)))
    final = next(event.data for event in events if isinstance(event.data, FinalAnswer))
    return told(final.values if final.known else [], final.text)


def told(values: Sequence[str], text: str) -> dict[str, Any]:
    return {"known": bool(values), "answer": text or "I don't know.", "values": list(values)}
