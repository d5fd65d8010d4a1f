"""What ``manage.py ask`` prints, event by event."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import pytest
from django.core.management import call_command

from chat.management.commands import ask
from chat.management.commands.ask import in_words
from chat.protocol.events import (
    AnswerToken,
    AnyData,
    CandidatesRanked,
    ClueFound,
    DecisionMade,
    Event,
    FinalAnswer,
    Heartbeat,
    MemoryAnswered,
    StageStarted,
    Stopped,
    SubQueryAsked,
    WordingAnswered,
)
from tests.factories import CorpusFactory

SAID = WordingAnswered(question="Who leads it?", answer="Ada Lund leads it.", confidence=0.9, known=True)
ANSWER = MemoryAnswered(index=1, answer="Ada Lund leads it.", confidence=0.85, known=True, latency_ms=12.4)
FINAL = FinalAnswer(text="Ada Lund. [1]", values=["Ada Lund"], known=True, sub_queries=[1])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (StageStarted(stage="answer_seeking", note="The fact."), "\nAnswer seeking: The fact."),
        (ClueFound(text="the leader", power=4), "  clue: the leader (narrowing power 4)"),
        (ClueFound(text="the leader"), "  clue: the leader"),
        (SubQueryAsked(index=2, stage="grounding", question="Who leads it?"), "  [2] Who leads it?"),
        (ANSWER, "      Ada Lund leads it. (85%, 12 ms)"),
        (
            ANSWER.model_copy(update={"said": [SAID] * 4, "agreement": 0.75, "source": "handbook v2"}),
            "      Ada Lund leads it. (85%, 75% of 4 wordings agree, 12 ms, handbook v2)",
        ),
        (
            ANSWER.model_copy(update={"known": False, "note": "Not taken as known."}),
            "      Ada Lund leads it. (85%, 12 ms)\n      Not taken as known.",
        ),
        (CandidatesRanked(names=["Ada Lund", "Bo"]), "  candidates: Ada Lund, Bo"),
        (DecisionMade(action="ask"), ""),
        (
            DecisionMade(action="ask", question="Who leads Atlas?", dropped=["Who? (asked before)"]),
            "  understood as: Who leads Atlas?\n  not asked: Who? (asked before)",
        ),
        (DecisionMade(action="answer", problem="It timed out."), "  problem: It timed out."),
        (AnswerToken(text="Ada"), ""),
        (FINAL, "\nAda Lund. [1]"),
        (Stopped(), "\nStopped."),
        (Heartbeat(waiting_for="executive", seconds=5.0), ""),
    ],
)
def test_each_event_in_words(data, words):
    assert in_words(Event(seq=1, data=data)) == words


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, out: io.StringIO, data: Sequence[AnyData], *options: str) -> str:
    events = [Event(seq=seq, data=each) for seq, each in enumerate(data, start=1)]
    monkeypatch.setattr(ask, "interrogate_once", lambda *_: iter(events))
    CorpusFactory(slug="handbook")
    call_command("ask", "handbook", "Who leads it?", *options, stdout=out)
    return out.getvalue()


BEATS = [Heartbeat(waiting_for="memory", seconds=5.0), AnswerToken(text="Ada"), FINAL]


@pytest.mark.django_db
def test_signs_of_life_are_dots_on_a_terminal(monkeypatch):
    assert printed(monkeypatch, Terminal(), BEATS) == ".\nAda Lund. [1]\n"


@pytest.mark.django_db
def test_a_file_gets_neither_signs_of_life_nor_pieces_of_the_answer(monkeypatch):
    assert printed(monkeypatch, io.StringIO(), BEATS) == "\nAda Lund. [1]\n"


@pytest.mark.django_db
def test_programs_get_every_event_as_a_line_of_json(monkeypatch):
    lines = printed(monkeypatch, io.StringIO(), BEATS, "--json").splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["heartbeat", "answer_token", "final"]
