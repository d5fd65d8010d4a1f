"""Questions that lean on the conversation, as the built-in EXECUTIVE understands them."""

from __future__ import annotations

import pytest

from chat.protocol.state import PastTurn
from chat.rules.follow_up import reply_without_memory, self_contained

LEADS = PastTurn("Who leads Project Atlas?", "Ada Lund leads Project Atlas. [1]", ("Ada Lund",))
LIVES = PastTurn("Where does Ada Lund live?", "Ada Lund lives in Oslo. [1]", ("Oslo",))


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("Where does she live?", "Where does Ada Lund live?"),
        ("And who is her manager?", "Who is Ada Lund's manager?"),
        ("Who is the manager of him?", "Who is the manager of Ada Lund?"),
        ("When did it start?", "When did Project Atlas start?"),
        ("What is its budget?", "What is Project Atlas's budget?"),
        ("What about Project Borealis?", "Who leads Project Borealis?"),
        ("And Project Borealis?", "Who leads Project Borealis?"),
    ],
)
def test_pronouns_stand_for_what_was_spoken_of_last(text, understood):
    assert self_contained(text, [LEADS]) == understood


@pytest.mark.parametrize(
    "text",
    [
        "Where does Ola Berg live?",
        "Who is the manager of Ola Berg, and where does she live?",  # she is Ola Berg's manager
        "Who pays for the canteen?",
        "And Ola Berg's manager?",  # whose manager it is about is clear, what is asked is not
    ],
)
def test_a_question_that_stands_by_itself_is_left_as_it_is(text):
    assert self_contained(text, [LEADS]) == text


def test_a_pronoun_stands_for_the_latest_person_even_if_a_place_was_named_since():
    assert self_contained("Who is her manager?", [LEADS, LIVES]) == "Who is Ada Lund's manager?"


def test_a_pronoun_stands_for_the_only_person_that_the_answer_speaks_of():
    lives = PastTurn(
        "Where does the leader of Project Atlas live?", "Ada Lund lives in Oslo. [2] [1]", ("Oslo",)
    )
    assert self_contained("Who is her manager?", [lives]) == "Who is Ada Lund's manager?"


def test_without_a_conversation_nothing_is_guessed():
    assert self_contained("Where does she live?", []) == "Where does she live?"


def test_of_several_people_none_is_guessed():
    two = PastTurn("Who works there?", "Ada Lund and Ola Berg do.", ("Ada Lund", "Ola Berg"))
    assert self_contained("Where does she live?", [two]) == "Where does she live?"


@pytest.mark.parametrize("text", ["Hello!", "hi there", "Good morning", "Thanks a lot!", "ok", "Thank you."])
def test_a_greeting_asks_no_memory(text):
    reply = reply_without_memory(text, [])
    assert reply is not None
    assert not reply.from_memory


@pytest.mark.parametrize(
    "text",
    [
        "Summarise your last answer",
        "Can you repeat that?",
        "please summarize the answer",
        "What did you say?",
    ],
)
def test_the_last_answer_is_repeated_from_the_conversation_without_its_references(text):
    reply = reply_without_memory(text, [LIVES, LEADS])
    assert reply is not None
    assert reply.text == "Ada Lund leads Project Atlas."


def test_the_whole_conversation_is_summed_up_line_by_line():
    reply = reply_without_memory("Summarise the conversation so far.", [LEADS, LIVES])
    assert reply is not None
    assert reply.text == "- Ada Lund leads Project Atlas.\n- Ada Lund lives in Oslo."


def test_there_is_nothing_to_sum_up_before_the_first_answer():
    reply = reply_without_memory("Summarise your last answer", [])
    assert reply is not None
    assert "no answer yet" in reply.text


@pytest.mark.parametrize(
    "text", ["Who leads Project Hello?", "Summarise Project Atlas", "Okay, who leads Project Atlas?"]
)
def test_what_memory_has_to_be_asked_is_no_small_talk(text):
    assert reply_without_memory(text, [LEADS]) is None
