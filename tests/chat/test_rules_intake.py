"""From what people type to the plain questions in it."""

from __future__ import annotations

import pytest

from chat.rules.intake import questions_in


@pytest.mark.parametrize(
    "typed",
    [
        "Who leads Project Atlas?",
        "who leads Project Atlas",
        "  Who  leads Project Atlas ??",
        "Could you tell me who leads Project Atlas?",
        "Hi there, can you please tell me who leads Project Atlas",
        "Do you know who leads Project Atlas?",
        "I'd like to know who leads Project Atlas.",
        "Who leads Project Atlas, please?",
        "I am new here. Who leads Project Atlas?",
    ],
)
def test_politeness_case_and_punctuation_do_not_matter(typed: str) -> None:
    assert questions_in(typed) == ("Who leads Project Atlas",)


@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("List the members of Project Atlas", "Who are the members of Project Atlas"),
        ("Name the city in which Mara Lind lives.", "What is the city in which Mara Lind lives"),
        ("Please give me all the products of Kestrel", "What are the products of Kestrel"),
        ("manager of the Oslo office", "Who is the manager of the Oslo office"),
        ("Mara Lind's hobby", "What is Mara Lind's hobby"),
        ("the people who live in Oslo", "Who are the people who live in Oslo"),
        ("Tell me about Mara Lind", "Who is Mara Lind"),
        ("tell me about Project Atlas", "What is Project Atlas"),
        ("Who's the manager of Atlas?", "Who is the manager of Atlas"),
    ],
)
def test_commands_and_bare_phrases_become_questions(typed: str, question: str) -> None:
    assert questions_in(typed) == (question,)


def test_two_question_words_are_two_questions() -> None:
    assert questions_in("When and where was Mara Lind born?") == (
        "When was Mara Lind born",
        "Where was Mara Lind born",
    )


@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("I talked to Mara Lind. Where does she live?", "Where does Mara Lind live"),
        ("I talked to Mara Lind. What is her hobby?", "What is Mara Lind's hobby"),
        ("Mara Lind met Jonas Pike. Where does he live?", "Where does he live"),
    ],
)
def test_a_pronoun_stands_for_the_one_name_before_it(typed: str, question: str) -> None:
    assert questions_in(typed) == (question,)
