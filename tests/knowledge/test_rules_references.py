"""References: names take the place of pronouns and descriptions where only one can be meant."""

from __future__ import annotations

from datetime import date

import pytest

from tests.knowledge.reading import answers_of, ask, document, reflections, unread_of


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Nora Quist joined Vosdam in 2015. She leads Project Heron.", "Nora Quist leads Project Heron."),
        (
            "Nora Quist joined Vosdam in 2015. Her father is Karl Quist.",
            "The father of Nora Quist is Karl Quist.",
        ),
        ("Project Heron started in 2019. It uses Python.", "Project Heron uses Python."),
        (
            "Project Heron started in 2019. Its budget is 2 million euros.",
            "The budget of Project Heron is 2 million euros.",
        ),
        ("Vosdam is a company in Skov. The company makes sails.", "Vosdam makes sails."),
        ("Vosdam is a manufacturer in Skov. The firm makes sails.", "Vosdam makes sails."),
        ("Heron Museum opened in 1978. Nora Quist directs the museum.", "Nora Quist directs Heron Museum."),
        (
            "Nora Quist and Cor Visser met in 1990. They founded Vosdam.",
            "Nora Quist and Cor Visser founded Vosdam.",
        ),
        ("Nora Quist lives in Skov. Quist leads Project Heron.", "Nora Quist leads Project Heron."),
    ],
)
def test_a_reference_with_one_candidate_is_resolved(text: str, answer: str) -> None:
    assert answer in answers_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "Nora Quist met Eva Holm in 2015. She leads Project Heron.",
        "Vosdam bought Helix in 2019. It employs 40 people.",
        "She leads Project Heron.",
        "Vosdam is a company. Helix is a company. Vosdam bought Helix in 2019. The company makes sails.",
        "They founded Vosdam in 1990.",
        "This was a success in 1990.",
    ],
)
def test_a_reference_with_several_candidates_or_none_is_left_unread(text: str) -> None:
    last = text.split(". ")[-1]
    assert last in unread_of(text)


def test_the_heading_is_what_its_section_speaks_of() -> None:
    text = "# Project Heron\n\nThe deadline is 1 March 2025. The lead developer is Nora Quist.\n"
    assert (
        ask("What is the deadline of Project Heron?", text)
        == "The deadline of Project Heron is 1 March 2025."
    )
    assert ask("Who is the lead developer of Project Heron?", text) == (
        "The lead developer of Project Heron is Nora Quist."
    )


def test_a_general_heading_leaves_the_topic_above_it() -> None:
    text = (
        "# Nora Quist\n\n## Early life\n\nShe was born in Skov.\n\n## Career\n\nShe joined Vosdam in 1999.\n"
    )
    assert {"Nora Quist was born in Skov.", "Nora Quist joined Vosdam in 1999."} <= answers_of(text)


def test_parts_of_the_one_thing_a_text_is_about_are_named_with_it() -> None:
    text = "# Zaanwijk\n\nZaanwijk is a town in Norland. The railway station opened in 1861.\n"
    assert ask("When did the railway station of Zaanwijk open?", text) == (
        "The railway station of Zaanwijk opened in 1861."
    )


def test_relative_dates_are_made_absolute_by_the_date_of_the_document() -> None:
    made, _ = reflections(document("Nora Quist joined Vosdam last year.", written=date(2024, 5, 2)))
    assert "Nora Quist joined Vosdam in 2023." in {pair.answer for pair in made[0].pairs}


def test_a_relative_date_is_dropped_where_the_document_has_no_date() -> None:
    assert answers_of("Nora Quist joined Vosdam last year.") == {"Nora Quist joined Vosdam."}


def test_a_name_keeps_the_article_of_the_text() -> None:
    text = "The Heron Museum opened in 1978. Nora Quist directs the museum."
    assert ask("What does Nora Quist direct?", text) == "Nora Quist directs the Heron Museum."


def test_a_text_that_calls_its_topic_it_speaks_of_a_thing_whatever_its_name_sounds_like() -> None:
    text = "# Marlow Couriers\n\nMarlow Couriers delivers parcels in Skov. It owns twelve bicycles.\n"
    assert ask("How many bicycles does Marlow Couriers own?", text) == "Marlow Couriers owns twelve bicycles."


def test_a_label_date_at_the_top_is_the_day_the_document_speaks_from() -> None:
    text = "# Notes\n\nDate: 2 May 2024\n\nNora Quist joined Vosdam last year.\n"
    assert ask("When did Nora Quist join Vosdam?", text) == "Nora Quist joined Vosdam in 2023."


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The director of Vosdam is Ruth Marek. She lives in Skov.", "Ruth Marek lives in Skov."),
        ("Dr Nora Quist leads Heron. Nora Quist lives in Skov.", "Nora Quist leads Heron."),
        ("Tom Birch lives in Skov. He works at Vosdam.", "Tom Birch works at Vosdam."),
        ("Nora Quist comes from Skov.", "Nora Quist comes from Skov."),
        ("Zaan Mooring is a maker of chains. It supplies anchors.", "Zaan Mooring supplies anchors."),
    ],
)
def test_whom_a_sentence_is_about_is_found_from_the_one_before(text: str, answer: str) -> None:
    assert answer in answers_of(text)


def test_what_a_person_has_is_not_the_person() -> None:
    text = "Tom Birch lives in Skov. His research group studies sleep. It consists of Bo Vos and Eva Holm."
    assert "Tom Birch consists of Bo Vos and Eva Holm." not in answers_of(text)
    assert "The research group of Tom Birch consists of Bo Vos and Eva Holm." in answers_of(text)


def test_the_date_that_names_an_incident_need_not_be_repeated() -> None:
    text = "# Incidents\n\n## The power cut\n\nThe power cut of 9 January 2026 lasted 40 minutes.\n"
    assert ask("How long did the power cut last?", text) == "The power cut lasted 40 minutes."


@pytest.mark.parametrize(
    ("label", "question", "answer"),
    [
        ("Founded: 1998", "When was Project Heron founded?", "Project Heron was founded in 1998."),
        ("Ended: 30 June 2020", "When did Project Heron end?", "Project Heron ended on 30 June 2020."),
        ("Ends: 30 June 2027", "When does Project Heron end?", "Project Heron ends on 30 June 2027."),
    ],
)
def test_a_label_that_is_a_verb_is_read_as_one(label: str, question: str, answer: str) -> None:
    assert ask(question, f"# Projects\n\n## Project Heron\n\n- {label}\n") == answer


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        (
            "Nora Quist and her sister Eva Quist run Vosdam.",
            {"The sister of Nora Quist is Eva Quist.", "Nora Quist and Eva Quist run Vosdam."},
        ),
        (
            "Nora Quist leads Heron. Her deputy Bo Vos lives in Skov.",
            {"The deputy of Nora Quist is Bo Vos.", "Bo Vos lives in Skov."},
        ),
        ("The current head of Vosdam is Nora Quist.", {"The head of Vosdam is Nora Quist."}),
    ],
)
def test_whose_relative_or_deputy_somebody_is_stands_by_itself(text: str, answers: set[str]) -> None:
    assert answers <= answers_of(text)


def test_whoever_an_unread_sentence_named_may_be_meant_by_the_next_one() -> None:
    text = "Nora Quist leads Heron. Bo Vos may well live in Skov. He drives a van for Vosdam."
    assert "Nora Quist drives a van for Vosdam." not in answers_of(text)
