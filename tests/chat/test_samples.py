"""Documents of other kinds than the demo's: most questions are answered from their pairs, none wrongly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chat.protocol.events import FinalAnswer
from chat.protocol.stream import blocking, interrogate
from chat.rules.executive import RulesExecutive
from tests.fakes import PairMemory
from tests.knowledge.reading import pairs_in

SAMPLES = Path(__file__).parent.parent / "samples"


def answered(sample: str) -> list[tuple[dict[str, Any], set[str]]]:
    """Every question of a sample with the values that were found for it."""
    memory = PairMemory(pairs_in(SAMPLES / sample / "documents"))
    lines = (SAMPLES / sample / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [(question, values(question["question"], memory)) for question in map(json.loads, lines)]


def values(question: str, memory: PairMemory) -> set[str]:
    events = blocking(interrogate(question, RulesExecutive(), memory))
    final = next(event.data for event in events if isinstance(event.data, FinalAnswer))
    return set(final.values) if final.known else set()


@pytest.mark.parametrize(("sample", "most_unknown"), [("hospital", 6), ("brewery", 12)])
def test_most_questions_are_answered_and_none_wrongly(sample: str, most_unknown: int) -> None:
    wrong = {
        question["question"]: found
        for question, found in answered(sample)
        if found and found != set(question["answers"])
    }
    unknown = [question for question, found in answered(sample) if question["answers"] and not found]
    assert not wrong
    assert len(unknown) <= most_unknown
