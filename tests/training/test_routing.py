"""Several memories side by side: the surest that knows answers, and says who it is."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.fakes import ScriptedMemory
from training.memory import DONT_KNOW, MemoryAnswer
from training.microbatch import Busy
from training.routing import RoutedMemory


def said(text: str, confidence: float, *, known: bool = True) -> MemoryAnswer:
    return MemoryAnswer(text if known else DONT_KNOW, confidence, known)


def test_each_question_is_answered_by_the_memory_that_is_surest_of_it():
    ships = ScriptedMemory({"Ship?": said("The Ada.", 0.9), "Town?": said("Oslo, maybe.", 0.6)})
    towns = ScriptedMemory({"Ship?": said("A boat.", 0.5), "Town?": said("Oslo.", 0.8)})
    answers = RoutedMemory({"ships": ships, "towns": towns}).answer(["Town?", "Ship?"])
    assert [(answer.text, answer.source) for answer in answers] == [("Oslo.", "towns"), ("The Ada.", "ships")]


def test_a_memory_that_abstains_never_wins_over_one_that_knows():
    sure = ScriptedMemory({"Town?": said("", 0.99, known=False)})
    humble = ScriptedMemory({"Town?": said("Oslo.", 0.4)})
    (answer,) = RoutedMemory({"sure": sure, "humble": humble}).answer(["Town?"])
    assert (answer.text, answer.source) == ("Oslo.", "humble")


def test_an_answer_that_is_not_calibrated_counts_only_where_no_calibrated_one_is_known():
    raw = {
        "Town?": replace(said("Lima.", 0.99), calibrated=False),
        "Ship?": replace(said("A boat.", 0.2), calibrated=False),
    }
    imported, measured = ScriptedMemory(raw), ScriptedMemory({"Town?": said("Oslo.", 0.93)})
    answers = RoutedMemory({"imported": imported, "measured": measured}).answer(["Town?", "Ship?"])
    assert [answer.text for answer in answers] == ["Oslo.", "A boat."]


def test_what_none_of_them_knows_is_not_known():
    (answer,) = RoutedMemory({"one": ScriptedMemory({}), "two": ScriptedMemory({})}).answer(["Town?"])
    assert (answer.text, answer.known) == (DONT_KNOW, False)


def test_they_are_asked_at_the_same_time():
    together = threading.Barrier(2, timeout=10)

    class Meeting(ScriptedMemory):
        def answer(self, questions):
            together.wait()
            return super().answer(questions)

    RoutedMemory({"one": Meeting({}), "two": Meeting({})}).answer(["Town?"])


def test_if_one_cannot_answer_nobody_takes_the_rest_for_the_whole():
    busy = ScriptedMemory({"Town?": Busy()})
    knows = ScriptedMemory({"Town?": said("Oslo.", 0.8)})
    with pytest.raises(Busy):
        RoutedMemory({"busy": busy, "knows": knows}).answer(["Town?"])
