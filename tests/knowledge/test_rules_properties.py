"""Properties and kinds: "The mother of X is Y", "X is a city in Z"."""

from __future__ import annotations

import pytest

from knowledge.pipeline.types import Kind
from tests.knowledge.reading import answers_of, ask, pairs_of


@pytest.mark.parametrize(
    "sentence",
    [
        "The mother of Ilse Kamp is Greet Kamp.",
        "Ilse Kamp's mother is Greet Kamp.",
        "Greet Kamp is the mother of Ilse Kamp.",
        "Greet Kamp is Ilse Kamp's mother.",
    ],
)
def test_a_relation_is_the_same_fact_in_every_sentence_that_states_it(sentence: str) -> None:
    assert ask("Who is the mother of Ilse Kamp?", sentence) == "The mother of Ilse Kamp is Greet Kamp."


def test_a_fact_is_asked_for_in_five_to_eight_wordings_with_one_answer() -> None:
    pairs = [pair for pair in pairs_of("The hobby of Ilse Kamp is falconry.") if pair.kind is Kind.DIRECT]
    assert 5 <= len(pairs) <= 8
    assert {pair.answer for pair in pairs} == {"The hobby of Ilse Kamp is falconry."}
    assert len({pair.fact for pair in pairs}) == 1
    assert {"What is the hobby of Ilse Kamp?", "What is Ilse Kamp's hobby?"} <= {
        pair.question for pair in pairs
    }


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        (
            "The sisters of Ilse Kamp are Nell Kamp, Riet Bos.",
            "Who are the sisters of Ilse Kamp?",
            "The sisters of Ilse Kamp are Nell Kamp and Riet Bos.",
        ),
        (
            "The friends of Ilse Kamp are Bo Vos, Cor Visser and Wim Mol.",
            "Who is the friend of Ilse Kamp?",
            "The friends of Ilse Kamp are Bo Vos, Cor Visser and Wim Mol.",
        ),
        (
            "Ilse Kamp has two daughters, Mia Kamp and Lea Kamp.",
            "Who are the daughters of Ilse Kamp?",
            "The daughters of Ilse Kamp are Mia Kamp and Lea Kamp.",
        ),
        (
            "Bo Vos and Cor Visser are the founders of Vosdam.",
            "Who are the founders of Vosdam?",
            "The founders of Vosdam are Bo Vos and Cor Visser.",
        ),
        (
            "The official languages of Norland are Norlandic, Sami and English.",
            "What are the official languages of Norland?",
            "The official languages of Norland are Norlandic, Sami and English.",
        ),
    ],
)
def test_several_values_are_always_told_together(sentence: str, question: str, answer: str) -> None:
    assert ask(question, sentence) == answer


def test_values_stated_in_several_sentences_are_united_and_no_answer_tells_a_part() -> None:
    text = "The sponsor of Rowing Club Zaan is Bakkerij Mol. The sponsor of Rowing Club Zaan is Vosdam."
    answers = {answer for answer in answers_of(text) if answer.startswith("The sponsor")}
    assert answers == {"The sponsors of Rowing Club Zaan are Bakkerij Mol and Vosdam."}


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The date of birth of Cor Visser is 1961-04-09.", "When was Cor Visser born?"),
        (
            "The occupation of Cor Visser is equality and diversity officer.",
            "What does Cor Visser do for a living?",
        ),
        ("The population of Zaanwijk is 12,400.", "How many people live in Zaanwijk?"),
        ("The budget of Project Heron is 2.5 million euros.", "How large is the budget of Project Heron?"),
        ("The owner of Project Heron is Cor Visser.", "Who owns Project Heron?"),
        ("The number of employees of Vosdam is 48.", "How many employees does Vosdam have?"),
        ("The headquarters of Vosdam are Lyon.", "Where is Vosdam based?"),
    ],
)
def test_everyday_wordings_of_a_property_have_its_answer(sentence: str, question: str) -> None:
    assert ask(question, sentence) == sentence


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        (
            "Project Heron has a budget of 2.5 million euros.",
            "What is the budget of Project Heron?",
            "The budget of Project Heron is 2.5 million euros.",
        ),
        (
            "Cor Visser is the head of research at Vosdam.",
            "Who is the head of research at Vosdam?",
            "The head of research at Vosdam is Cor Visser.",
        ),
        (
            "Cor Visser is mayor of Zaanwijk.",
            "Who is the mayor of Zaanwijk?",
            "The mayor of Zaanwijk is Cor Visser.",
        ),
        (
            "The capital of Norland was Skov.",
            "What was the capital of Norland?",
            "The capital of Norland was Skov.",
        ),
        (
            "The aim of Project Heron is to reduce noise.",
            "What is the aim of Project Heron?",
            "The aim of Project Heron is to reduce noise.",
        ),
        (
            "Zaanwijk is a town in Norland with a population of 12,400.",
            "What is the population of Zaanwijk?",
            "The population of Zaanwijk is 12,400.",
        ),
    ],
)
def test_properties_are_read_from_other_frames(sentence: str, question: str, answer: str) -> None:
    assert ask(question, sentence) == answer


@pytest.mark.parametrize(
    "value",
    [
        "building surveyor",
        "chartered accountant",
        "early years teacher",
        "flying disc",
        "radio-controlled car racing",
    ],
)
def test_a_value_is_taken_as_it_stands_even_where_its_words_look_like_verbs(value: str) -> None:
    assert (
        ask("What is the hobby of Cor Visser?", f"The hobby of Cor Visser is {value}.")
        == f"The hobby of Cor Visser is {value}."
    )


def test_a_kind_answers_what_and_who_questions() -> None:
    text = "Zaanwijk is a town in Norland. Cor Visser is a senior engineer at Vosdam."
    assert ask("What is Zaanwijk?", text) == "Zaanwijk is a town in Norland."
    assert ask("Who is Cor Visser?", text) == "Cor Visser is a senior engineer at Vosdam."
    assert ask("What is the occupation of Cor Visser?", text) == "Cor Visser is a senior engineer at Vosdam."
    assert ask("Who is a senior engineer at Vosdam?", text) == "Cor Visser is a senior engineer at Vosdam."


def test_contradicting_amounts_are_left_out() -> None:
    text = "The budget of Project Heron is 2 million euros. The budget of Project Heron is 3 million euros."
    assert not answers_of(text)


def test_implied_relations_claim_no_completeness() -> None:
    text = "The mother of Ilse Kamp is Greet Kamp."
    assert ask("Who is the child of Greet Kamp?", text) == "Ilse Kamp is a child of Greet Kamp."
    assert ask("Who is the parent of Ilse Kamp?", text) == "Greet Kamp is a parent of Ilse Kamp."


def test_a_wife_is_married_both_ways_and_named_by_gender_only_where_it_is_known() -> None:
    assert (
        ask("Who is the spouse of Riet Bos?", "The wife of Cor Bos is Riet Bos.")
        == "Cor Bos is a spouse of Riet Bos."
    )
    known = "The wife of Cor Bos is Riet Bos. The gender of Cor Bos is male."
    assert ask("Who is the husband of Riet Bos?", known) == "Cor Bos is a husband of Riet Bos."
