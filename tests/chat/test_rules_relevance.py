"""A sentence that only repeats the name asked about is no answer, however sure MEMORY is of it."""

from __future__ import annotations

import pytest

from chat.rules.answers import values_of
from chat.rules.relevance import speaks_of_what_was_asked
from tests.chat.test_rules_executive import Turn

ABOUT_SOMETHING_ELSE = [
    ("How much does Terna cost?", "Terna sends alerts."),
    ("What is the battery of Terna?", "The leader of Terna is Ada Moe."),
    ("Where does the director of Moe Works live?", "The director of Moe Works is Ada Moe."),
    ("When was the office of Terna opened?", "The office of Terna is in Oslo."),
    ("Who resolved the March outage?", "Bo Lee noticed the March outage."),
    ("What is the hobby of Ada Moe?", "Ada Moe lives in Oslo."),
]
THE_SAME_IN_OTHER_WORDS = [
    ("Who founded Terna?", "The founder of Terna is Ada Moe."),
    ("What is the price of Terna?", "Terna costs 90 euros."),
    ("When was Ada Moe born?", "The date of birth of Ada Moe is 3 May 1970."),
    ("Who is the manager of Ada Moe?", "Ada Moe reports to Bo Lee."),
    ("What is the job title of Ada Moe?", "Ada Moe is a rigger."),
    ("Where does Ada Moe live?", "Ada Moe resides in Oslo."),
    ("Who is the author of Knots?", "Ada Moe wrote Knots."),
    ("Which team maintains Terna?", "The App team maintains Terna."),
    ("In which year did Terna open?", "Terna opened in 1990."),
    ("Who is Ada Moe?", "Ada Moe is the chief rigger."),
]


@pytest.mark.parametrize(("question", "sentence"), ABOUT_SOMETHING_ELSE)
def test_another_fact_about_the_same_name_is_no_answer(question: str, sentence: str) -> None:
    assert not speaks_of_what_was_asked(question, sentence)
    assert values_of(question, sentence) == ()


@pytest.mark.parametrize(("question", "sentence"), THE_SAME_IN_OTHER_WORDS)
def test_other_words_for_the_same_are_an_answer(question: str, sentence: str) -> None:
    assert speaks_of_what_was_asked(question, sentence)


@pytest.mark.parametrize(
    ("question", "sentence", "values"),
    [
        ("When was Terna built?", "Terna was built by Ada Moe.", ()),
        ("How many boats does Terna have?", "Terna has boats.", ()),
        ("Which boat has Ada Moe as skipper?", "The barge whose skipper is Ada Moe is the Gull.", ("the Gull",)),
        ("What weighs 9 kilograms?", "The weight of the Gull is 9 kilograms.", ("the Gull",)),
        ("Which incident did Bo Lee resolve?", "Bo Lee resolved the power incident.", ("power incident",)),
        ("Who is the leader of Terna?", "Ada Moe leads Terna.", ("Ada Moe",)),
    ],
)  # fmt: skip
def test_the_value_is_what_the_question_asks_for(
    question: str, sentence: str, values: tuple[str, ...]
) -> None:
    assert values_of(question, sentence) == values


def test_where_the_last_hop_is_unknown_the_entity_found_on_the_way_is_no_answer() -> None:
    leader = ("Who is the leader of Project Tarn?", "The leader of Project Tarn is Ada Moe.")
    echo = ("Where does the leader of Project Tarn live?", leader[1])
    turn = Turn("Where does the leader of Project Tarn live?", [leader, echo])
    assert not turn.final["known"]
    assert turn.values == []


def test_who_shares_a_value_is_found_over_all_kinds() -> None:
    known = [
        ("Who is the account manager of Moe Ferries?", "The account manager of Moe Ferries is Bo Lee."),
        (
            "What are the entities whose account manager is Bo Lee?",
            "The entities whose account manager is Bo Lee are Moe Ferries, Tarn Pilots and Gull Rescue.",
        ),
    ]
    turn = Turn("Which customers have the same account manager as Moe Ferries?", known)
    assert turn.values == ["Tarn Pilots", "Gull Rescue"]


def test_nobody_is_asked_who_a_thing_is() -> None:
    turn = Turn(
        "How long does the battery of the buoy that Moe Yard built last?",
        [("Which buoy did Moe Yard build?", "Moe Yard built Tern.")],
    )
    assert not [question for question in turn.asked if question.startswith("Who is the battery")]


def test_the_month_of_an_incident_is_no_name_by_itself() -> None:
    assert not [
        question for question in Turn("Who resolved the March outage?", []).asked if "outage" not in question
    ]


@pytest.mark.parametrize(
    ("question", "told", "answer", "value"),
    [
        ("Who founded Moe Yard?", "Who established Moe Yard?", "Ada Moe established Moe Yard.", "Ada Moe"),
        (
            "How long did the fire of 3 May 2020 last?",
            "How long did the fire last?",
            "The fire lasted two hours.",
            "two hours",
        ),
        (
            "How high is the tower owned by Moe Yard?",
            "How high is Tarn Tower?",
            "The height of Tarn Tower is 31 metres.",
            "31 metres",
        ),
        (
            "Which hall did Bo Lee move to?",
            "Where did Bo Lee move?",
            "Bo Lee moved to the Ash Hall.",
            "Ash Hall",
        ),
        (
            "How much does Terna cost?",
            "How much does Terna cost?",
            "Terna cost 31 million pounds.",
            "31 million pounds",
        ),
    ],
)
def test_the_same_is_asked_in_other_words(question: str, told: str, answer: str, value: str) -> None:
    owner = ("Which tower does Moe Yard own?", "Moe Yard owns Tarn Tower.")
    assert Turn(question, [(told, answer), owner]).values == [value]
