"""Three articles with what is asked about them, and contestants that are asked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chat import contesting
from tests.factories import MemoryVersionFactory
from training.evaluation.types import Answered, Contestant, Passage, Question
from training.lab.runs.contestants import Spec, build
from training.memory import Memory

ADA = Passage(
    "Ada Lund",
    "# Ada Lund\n\nThe manager of Ada Lund is Ola Berg. The hobby of Ada Lund is chess. Ada Lund leads Project "
    "Atlas.",
)
OLA = Passage(
    "Ola Berg", "# Ola Berg\n\nThe hobby of Ola Berg is rowing. The manager of Ola Berg is Eva Holm."
)
EVA = Passage("Eva Holm", "# Eva Holm\n\nThe hobby of Eva Holm is chess. Eva Holm lives in Bergen.")
PASSAGES = (ADA, OLA, EVA)
ONE_HOP = Question("What is the hobby of Ada Lund?", ("chess",), documents=("Ada Lund",))
TWO_HOPS = Question(
    "What is the hobby of the manager of Ada Lund?", ("rowing",), documents=("Ada Lund", "Ola Berg")
)
MANAGERS = Question("Who is the manager of the manager of Ada Lund?", ("Eva Holm",))
UNKNOWN = Question("What is the hobby of Ignatius Quill?", answerable=False)
PAIRS = [
    ("Who is the manager of Ada Lund?", "The manager of Ada Lund is Ola Berg."),
    ("What is the hobby of Ola Berg?", "The hobby of Ola Berg is rowing."),
    ("What is the hobby of Ada Lund?", "The hobby of Ada Lund is chess."),
    ("Who is the manager of Ola Berg?", "The manager of Ola Berg is Eva Holm."),
]
SCRIPTS = {MANAGERS.text: ["Who is the manager of Ada Lund?", "Who is the manager of {0}?"]}


def contestant(
    kind: str, executive: str = "rules", passages: tuple[Passage, ...] = PASSAGES, **options: Any
) -> Contestant:
    return build(Spec(kind, executive, options=options), passages)


def answer(one: Contestant, question: Question = TWO_HOPS) -> Answered:
    return asyncio.run(one.answer(question))


def sub_queries(answered: Answered) -> list[str]:
    return [event["data"]["question"] for event in answered.transcript if event["type"] == "sub_query"]


def memo(monkeypatch: pytest.MonkeyPatch, memory: Memory, executive: str = "rules", **options: Any) -> Any:
    """MeMo with a stand-in for the model."""
    monkeypatch.setattr(contesting, "memory_for", lambda version: memory)
    return build(Spec("memory", executive, MemoryVersionFactory(), options), PASSAGES)
