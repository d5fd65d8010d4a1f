"""A language model as EXECUTIVE that follows a script: what it replies depends on its prompt alone.

A script is a question with its hops. Each hop is a question for MEMORY; ``{0}``, ``{1}``, ... stand for what the
answers to the hops before it named. It reads MEMORY's answers out of the prompt, as a model would have to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chat.language_model.writing import PROMPTS
from chat.protocol.mentions import names_in
from memosite.llm.prompts import read_prompt

SAID = re.compile(r"^\[(\d+)\] (.*?\?) (.*) \(\d+% sure\)$", re.M)
DEAD = re.compile(r"^\[(\d+)\] (.*\?)$", re.M)
ASKED = re.compile(r"(?:The person asks|Question):\n(.*)")
#: What a prompt is answered with: the plan, the next questions, or the answer.
STAGES = ("plan", "next", "answer")


@dataclass(frozen=True)
class Scripted:
    """The reply to a prompt, and which part of the interrogation it belongs to."""

    stage: str
    reply: dict[str, Any]

    @property
    def text(self) -> str:
        return json.dumps(self.reply, ensure_ascii=False)


def is_executive(system: str) -> bool:
    return system in {read_prompt(PROMPTS, name).text for name in ("plan", "next")}


def reply_to(system: str, user: str, scripts: Mapping[str, Sequence[str]]) -> Scripted:
    """What the scripted model says. A question without a script is asked of MEMORY as it is."""
    found = ASKED.search(user)
    assert found, "the prompt does not hold the question"
    question = found[1].strip()
    hops = scripts.get(question, [question])
    if system == read_prompt(PROMPTS, "plan").text:
        return Scripted("plan", plan(question, hops))
    said = {asked: (int(index), answer) for index, asked, answer in SAID.findall(user)}
    unknown = [asked for _, asked in DEAD.findall(user)]
    return following(hops, said, unknown, must_answer="This is the last round" in user)


def plan(question: str, hops: Sequence[str]) -> dict[str, Any]:
    return {
        "kind": "ask_memory",
        "question": question,
        "reply": "",
        "note": "Asking the first clue.",
        "clues": [{"text": hop.replace("{0}", "the one found"), "power": 4} for hop in hops],
        "stage": "answer_seeking" if len(hops) == 1 else "grounding",
        "sub_queries": [asking(hops[0])],
    }


def asking(question: str) -> dict[str, Any]:
    plain = question.rstrip("?")
    lower = plain[0].lower() + plain[1:]
    return {
        "question": question,
        "paraphrases": [
            f"Tell me: {question}",
            f"{plain}, please?",
            f"Do you know {lower}?",
        ],
    }


def plain_question(wording: str) -> str:
    """The question that ``asking`` made a wording of; any other wording stays as it is."""
    if wording.startswith("Tell me: "):
        return wording.removeprefix("Tell me: ")
    if wording.startswith("Do you know "):
        rest = wording.removeprefix("Do you know ")
        return rest[0].upper() + rest[1:]
    return wording.replace(", please?", "?")


def following(
    hops: Sequence[str], said: Mapping[str, tuple[int, str]], unknown: Sequence[str], *, must_answer: bool
) -> Scripted:
    values: list[str] = []
    cited: list[int] = []
    for number, hop in enumerate(hops):
        question = hop.format(*values)
        if question not in said:
            if question in unknown or must_answer:
                return Scripted("answer", answer("Memory does not know this.", known=False, values=[]))
            stage = "answer_seeking" if number + 1 == len(hops) else "entity_identification"
            return Scripted("next", ask(question, values, cited, stage))
        index, told = said[question]
        cited.append(index)
        values.append(new_name(question, told))
    text = " ".join(
        f"{said[hop.format(*values)][1]} [{index}]" for hop, index in zip(hops, cited, strict=True)
    )
    return Scripted("answer", answer(text, known=True, values=values[-1:]))


def new_name(question: str, told: str) -> str:
    """What an answer names that its question does not."""
    asked = names_in(question)
    return next((name for name in names_in(told) if name not in asked), told.rstrip("."))


def ask(question: str, values: Sequence[str], cited: Sequence[int], stage: str) -> dict[str, Any]:
    candidates = [
        {"name": name, "status": "confirmed", "supporting": [index], "disqualifying": [], "note": ""}
        for name, index in list(zip(values, cited, strict=True))[-1:]
    ]
    return {
        "note": "Going on from there.",
        "candidates": candidates,
        "action": "ask",
        "stage": stage,
        "sub_queries": [asking(question)],
        "known": True,
        "answer": "",
        "values": [],
        "justification": "",
    }


def answer(text: str, *, known: bool, values: Sequence[str]) -> dict[str, Any]:
    return {
        "note": "Writing the answer.",
        "candidates": [],
        "action": "answer",
        "stage": "answer_seeking",
        "sub_queries": [],
        "known": known,
        "answer": text,
        "values": list(values),
        "justification": "It follows from what memory said." if known else "",
    }
