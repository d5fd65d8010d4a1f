"""Clauses with any verb: who does what, when, where and with whom."""

from __future__ import annotations

import pytest

from knowledge.pipeline.types import Kind
from tests.knowledge.reading import answers_of, ask, pairs_of


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        ("Nora Quist leads Project Heron.", "Who leads Project Heron?", "Nora Quist leads Project Heron."),
        ("Nora Quist leads Project Heron.", "What does Nora Quist lead?", "Nora Quist leads Project Heron."),
        (
            "Nora Quist leads Project Heron.",
            "Which project does Nora Quist lead?",
            "Nora Quist leads Project Heron.",
        ),
        (
            "The bridge team maintains Heron Bridge.",
            "Which team maintains Heron Bridge?",
            "The bridge team maintains Heron Bridge.",
        ),
        (
            "Nora Quist joined Vosdam in 2015.",
            "When did Nora Quist join Vosdam?",
            "Nora Quist joined Vosdam in 2015.",
        ),
        ("Nora Quist lives in Turin.", "Where does Nora Quist live?", "Nora Quist lives in Turin."),
        (
            "Nora Quist reports to Cor Visser.",
            "Who does Nora Quist report to?",
            "Nora Quist reports to Cor Visser.",
        ),
        (
            "Nora Quist reports to Cor Visser.",
            "Who reports to Cor Visser?",
            "Nora Quist reports to Cor Visser.",
        ),
        (
            "Nora Quist works as a welder at Vosdam.",
            "What does Nora Quist work as?",
            "Nora Quist works as a welder.",
        ),
        (
            "Nora Quist has won three medals.",
            "How many medals has Nora Quist won?",
            "Nora Quist has won three medals.",
        ),
        (
            "Nora Quist taught Cor Visser from 1990 to 1994.",
            "When did Nora Quist teach Cor Visser?",
            "Nora Quist taught Cor Visser from 1990 to 1994.",
        ),
        ("The river Zaan flows into Lake Skov.", "What does Zaan flow into?", "Zaan flows into Lake Skov."),
        (
            "The Heron Bridge is 412 metres long.",
            "How long is the Heron Bridge?",
            "The length of the Heron Bridge is 412 metres.",
        ),
        (
            "Nora Quist is responsible for Project Heron.",
            "What is Nora Quist responsible for?",
            "Nora Quist is responsible for Project Heron.",
        ),
        (
            "Heron Museum is open from 10:00 to 17:00.",
            "When is Heron Museum open?",
            "Heron Museum is open from 10:00 to 17:00.",
        ),
        (
            "The Zaan Fair takes place every May.",
            "When does the Zaan Fair take place?",
            "The Zaan Fair takes place every May.",
        ),
        (
            "Vosdam sold the plant to Helix for 3 million euros.",
            "For how much did Vosdam sell the plant?",
            "Vosdam sold the plant for 3 million euros.",
        ),
        (
            "Employees must submit receipts within 30 days.",
            "What must employees submit?",
            "Employees must submit receipts.",
        ),
        (
            "Cor Visser was appointed head of sales in 2020.",
            "When was Cor Visser appointed head of sales?",
            "Cor Visser was appointed head of sales in 2020.",
        ),
    ],
)
def test_a_clause_answers_questions_for_each_of_its_parts(sentence: str, question: str, answer: str) -> None:
    assert ask(question, sentence) == answer


@pytest.mark.parametrize(
    "sentence",
    ["Nora Quist built the Heron Bridge in 1931.", "The Heron Bridge was built by Nora Quist in 1931."],
)
def test_active_and_passive_are_one_fact(sentence: str) -> None:
    assert ask("Who built the Heron Bridge?", sentence) == "Nora Quist built the Heron Bridge."
    assert ask("Who was the Heron Bridge built by?", sentence) == "Nora Quist built the Heron Bridge."
    assert ask("What did Nora Quist build?", sentence) == "Nora Quist built the Heron Bridge."


def test_a_passive_without_agent_is_asked_for_its_time_and_place() -> None:
    text = "Nora Quist was born in Turin on 3 May 1971."
    assert ask("When was Nora Quist born?", text) == "Nora Quist was born on 3 May 1971."
    assert ask("Where was Nora Quist born?", text) == "Nora Quist was born in Turin."
    assert ask("When and where was Nora Quist born?", text) == "Nora Quist was born in Turin on 3 May 1971."


def test_verb_phrases_joined_by_and_share_their_subject() -> None:
    text = "Nora Quist joined Vosdam in 2015, moved to Skov in 2018 and now leads Project Heron."
    assert {
        "Nora Quist joined Vosdam in 2015.",
        "Nora Quist moved to Skov in 2018.",
        "Nora Quist leads Project Heron.",
    } <= answers_of(text)


def test_joined_subjects_and_objects_are_told_together() -> None:
    text = "Nora Quist and Cor Visser founded Vosdam and Helix in 2012."
    assert ask("Who founded Vosdam and Helix?", text) == "Nora Quist and Cor Visser founded Vosdam and Helix."


def test_participles_share_the_auxiliary_where_they_can_be_nothing_else() -> None:
    text = "The Heron Bridge was designed by Nora Quist and built by Cor Visser."
    assert ask("Who designed the Heron Bridge?", text) == "Nora Quist designed the Heron Bridge."
    assert ask("Who built the Heron Bridge?", text) == "Cor Visser built the Heron Bridge."


@pytest.mark.parametrize(
    ("sentence", "answer"),
    [
        (
            "Nora Quist, the head of design at Vosdam, lives in Skov.",
            "The head of design at Vosdam is Nora Quist.",
        ),
        (
            "The head of design at Vosdam, Nora Quist, lives in Skov.",
            "The head of design at Vosdam is Nora Quist.",
        ),
        ("Nora Quist, a Norlandic painter, lives in Skov.", "Nora Quist is a Norlandic painter."),
        ("The painter Nora Quist lives in Skov.", "Nora Quist is a painter."),
        ("Nora Quist (born 1971) lives in Skov.", "Nora Quist was born in 1971."),
        ("Nora Quist (1890-1966) lived in Skov.", "Nora Quist died in 1966."),
        ("Cor Visser married Nora Quist, a painter from Lyon.", "Nora Quist is a painter from Lyon."),
        ("Vosdam, which was founded in 1998, makes sails.", "Vosdam was founded in 1998."),
        ("Nora Quist, who was born in Skov, leads Project Heron.", "Nora Quist was born in Skov."),
        ("Founded in 1998 by Nora Quist, Vosdam makes sails.", "Nora Quist founded Vosdam in 1998."),
        ("Vosdam, based in Skov, makes sails.", "Vosdam is based in Skov."),
        ("Vosdam supports three languages: English, French and German.", "Vosdam supports three languages."),
    ],
)
def test_asides_state_facts_of_their_own(sentence: str, answer: str) -> None:
    assert answer in answers_of(sentence)


def test_a_relative_clause_that_identifies_its_noun_stays_with_it() -> None:
    text = "The engineer who designed Heron Bridge lives in Skov."
    assert ask("Who lives in Skov?", text) == "The engineer who designed Heron Bridge lives in Skov."


def test_amounts_of_different_times_are_not_added_up() -> None:
    text = "Vosdam sold 40 boats in 2019. Vosdam sold 60 boats in 2020."
    assert ask("How many boats did Vosdam sell?", text) == ""
    assert ask("When did Vosdam sell 40 boats?", text) == "Vosdam sold 40 boats in 2019."


def test_a_place_with_its_region_is_one_place_and_not_an_enumeration() -> None:
    assert (
        ask("Where was Nora Quist born?", "Nora Quist was born in Avon, Ohio.")
        == "Nora Quist was born in Avon, Ohio."
    )


def test_an_indefinite_subject_is_asked_for_with_all_its_circumstances() -> None:
    text = "On 14 July 2023 a pump failed at Marlow Plant."
    assert (
        ask("What failed on 14 July 2023 at Marlow Plant?", text)
        == "A pump failed on 14 July 2023 at Marlow Plant."
    )
    assert ask("When did a pump fail?", text) == ""


def test_durations_and_ages_are_computed() -> None:
    text = (
        "Nora Quist led Vosdam from 2001 to 2009. Cor Visser was born on 9 May 1900. He died on 8 May 1980."
    )
    answer = "Nora Quist led Vosdam for 8 years, from 2001 to 2009."
    assert ask("For how many years did Nora Quist lead Vosdam?", text) == answer
    assert ask("At what age did Cor Visser die?", text) == "Cor Visser died at the age of 79."
    computed = [pair for pair in pairs_of(text) if pair.answer == answer]
    assert {pair.kind for pair in computed} == {Kind.INDIRECT}


def test_a_verb_that_says_nothing_by_itself_keeps_its_complement() -> None:
    text = "Heron Hall was designated as a monument in 1989."
    assert ask("When was Heron Hall designated as a monument?", text) == text
    assert "Heron Hall was designated in 1989." not in answers_of(text)
