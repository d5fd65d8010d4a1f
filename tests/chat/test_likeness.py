"""When two questions ask for the same, and when two answers say the same."""

from __future__ import annotations

import time

import pytest

from chat.likeness.answers import says_the_same
from chat.likeness.questions import Groups, likeness, meaning_of

ATLAS = "Who leads Project Atlas?"


def alike(one: str, other: str) -> bool:
    return likeness(meaning_of(one), meaning_of(other)) > 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ATLAS, "who is leading project atlas"),
        (ATLAS, "Please tell me who leads Project Atlas."),
        (ATLAS, "Which person leads Project Atlas?"),
        ("How many boats does the harbour own?", "How many boats does our harbour own today?"),
        ("When did Project Atlas begin?", "When did Project Atlas beginn?"),
        ("What is the parental leave policy?", "what is the policy on parental leave"),
        ("How much holiday do interns get?", "How much holidays does an intern get?"),
        ("Who is Ada Lund?", "who is ada lund"),
        ("Who manages Ada Lund?", "Who is the manager of Ada Lund?"),
    ],
)
def test_questions_that_ask_for_the_same_are_alike(one, other):
    assert alike(one, other)
    assert alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ATLAS, "Who leads Project Beacon?"),
        (ATLAS, "who leads project beacon"),
        ("who leads project atlas", "who leads project beacon"),
        ("Who is Ada Lund?", "Where is Ada Lund?"),
        ("Who is Ada Lund?", "Who is the manager of Ada Lund?"),
        ("Where was Ada Lund born?", "When was Ada Lund born?"),
        ("What happened in 2019?", "What happened in 2020?"),
        ("Which projects finished in 2019?", "Which projects did not finish in 2019?"),
        ("What is the budget of Project Atlas?", "What is the deadline of Project Atlas?"),
        ("What is the weather?", "What is the parental leave policy?"),
        ("How many boats are there?", "How old are the boats?"),
        ("Who is the employer of Ada Lund?", "Who is the employee of Ada Lund?"),
    ],
)
def test_questions_that_ask_for_something_else_are_not(one, other):
    assert not alike(one, other)
    assert not alike(other, one)


@pytest.mark.parametrize(
    ("active", "passive"),
    [
        ("Whom does Ada Lund manage?", "Whose manager is Ada Lund?"),
        ("Who manages Ada Lund?", "Who is Ada Lund's manager?"),
        ("Who manages Ada Lund?", "By whom is Ada Lund managed?"),
        ("Whom does Ada Lund manage?", "Who has Ada Lund as manager?"),
        ("Whom does Ada Lund manage?", "Who is managed by Ada Lund?"),
        ("What does Ada Lund lead?", "What is the team whose leader is Ada Lund?"),
        ("Which projects does Ada Lund lead?", "Which projects are led by Ada Lund?"),
        ("Who leads Project Atlas?", "Who is the Project Atlas lead?"),
        ("Who is the aunt of Ada Lund?", "Who is Ada Lund's aunt?"),
        ("Whose aunt is Ada Lund?", "Who is Ada Lund the aunt of?"),
        ("Whose friend is Ada Lund?", "Who is a friend of Ada Lund?"),  # that they are to each other
        ("What does Project Atlas cost?", "What is the cost of Project Atlas?"),
        ("What sent 2,300 messages?", "What is it that sent 2,300 messages?"),
        ("When did Project Atlas start?", "When was Project Atlas started?"),
        ("How many documents does the Dunlin archive hold?", "How many documents the Dunlin archive holds"),
    ],
)
def test_the_same_relation_said_from_either_side_is_alike(active, passive):
    assert alike(active, passive)
    assert alike(passive, active)


@pytest.mark.parametrize(
    ("one", "turned"),
    [
        ("Who is the manager of Anna?", "Whose manager is Anna?"),
        ("Who manages Ada Lund?", "Whom does Ada Lund manage?"),
        ("Who is Ada Lund's manager?", "Whose manager is Ada Lund?"),
        ("Who reports to Ada Lund?", "Who does Ada Lund report to?"),
        ("who reports to ada lund", "Who does Ada Lund report to?"),
        ("Who is the aunt of Ada Lund?", "Whose aunt is Ada Lund?"),
        ("Who is the aunt of Ada Lund?", "Who is Ada Lund the aunt of?"),
        ("Which company acquired Norvik?", "Which company did Norvik acquire?"),
        ("How many people manage Ada Lund?", "How many people does Ada Lund manage?"),
        ("When did Ada Lund hire Bo Marsh?", "When did Bo Marsh hire Ada Lund?"),
    ],
)
def test_a_relation_that_is_turned_round_asks_for_somebody_else(one, turned):
    assert not alike(one, turned)
    assert not alike(turned, one)


def test_a_question_joins_the_group_that_is_nearest():
    groups = Groups(
        [(1, "What is the budget of Project Atlas?"), (2, ATLAS), (3, "Who leads Project Beacon?")]
    )
    assert groups.find("Who is leading Project Atlas now?") == 2
    assert groups.find("Who sails the boat?") is None


def test_a_group_that_was_just_added_is_found():
    groups: Groups[str] = Groups()
    assert groups.find(ATLAS) is None
    groups.add("atlas", ATLAS)
    assert groups.find(ATLAS) == "atlas"


def test_among_five_thousand_groups_the_right_one_is_found_within_milliseconds():
    groups = Groups((number, f"Who is the manager of Person {number} Marsh?") for number in range(5000))
    groups.find("Who is Ada?")
    started = time.thread_time()
    found = [groups.find(f"who is the manager of person {number} marsh") for number in range(0, 5000, 100)]
    assert found == list(range(0, 5000, 100))
    assert (time.thread_time() - started) / 50 < 0.05


# --- Answers -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Bo Marsh leads Project Atlas.", "Bo Marsh"),
        ("Bo Marsh leads Project Atlas.", "The lead of Project Atlas is Bo Marsh."),
        ("Bo Marsh.", "Bo Marsh leads Project Atlas."),
        ("bo marsh leads it", "Bo Marsh leads Project Atlas."),
        ("Bo Marsh leads Project Atlas [1], [2, 3].", "Bo Marsh"),
    ],
)
def test_a_reworded_answer_says_the_same(answer, expected):
    assert says_the_same(ATLAS, answer, expected)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Ada Lund leads Project Atlas.", "Bo Marsh"),
        ("Bo Lund leads Project Atlas.", "Bo Marsh"),
        ("Ada Lund and Bo Marsh lead Project Atlas.", "Bo Marsh"),
        ("Bo Marsh does not lead Project Atlas.", "Bo Marsh"),
        ("Bo Marsh leads Project Atlas.", "Nobody leads Project Atlas any more."),
        ("Bo Marsh leads Project Atlas.", "Bo Marsh leads Project Atlas since 2024."),
        ("I don't know.", "Bo Marsh"),
        ("", "Bo Marsh"),
    ],
)
def test_an_answer_that_says_less_more_or_something_else_does_not(answer, expected):
    assert not says_the_same(ATLAS, answer, expected)
