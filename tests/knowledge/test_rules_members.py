"""Enumerations, roles and dates: every fact is found from each of its sides."""

from __future__ import annotations

import pytest

from tests.knowledge.reading import answers_of, ask, unread_of


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        (
            "The bridge team maintains Vosdam, the Heron gate and the Zaan lock.",
            "Which team maintains the Zaan lock?",
            "The bridge team maintains the Zaan lock.",
        ),
        (
            "Nora Quist manages Cor Visser, Eva Holm and Bo Vos.",
            "Who manages Eva Holm?",
            "Nora Quist manages Eva Holm.",
        ),
        (
            "Nora Quist and Cor Visser founded Vosdam in 2012.",
            "What did Cor Visser found?",
            "Cor Visser founded Vosdam.",
        ),
        (
            "Vosdam and Helix were founded by Nora Quist.",
            "Who founded Helix?",
            "Nora Quist founded Helix.",
        ),
        (
            "Nora Quist and Cor Visser live in Turin.",
            "Where does Nora Quist live?",
            "Nora Quist lives in Turin.",
        ),
        (
            "Nora Quist is the director of Vosdam and Helix.",
            "Who is the director of Helix?",
            "The director of Helix is Nora Quist.",
        ),
    ],
)
def test_each_member_of_an_enumeration_is_found(text: str, question: str, answer: str) -> None:
    assert ask(question, text) == answer


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Nora Quist and Cor Visser met in Turin.", "Where did Nora Quist meet?"),
        ("The Zaan is the border of Norland and Skov.", "What is the border of Skov?"),
        ("Atlas is the largest farm of North and South Skov.", "What is the largest farm of North?"),
    ],
)
def test_what_holds_only_of_all_together_is_said_of_none_alone(text: str, question: str) -> None:
    assert not ask(question, text)


def test_a_description_after_a_name_is_no_further_member() -> None:
    assert "Nora Quist met the Turin manager." not in answers_of(
        "Nora Quist met Cor Visser, the Turin manager."
    )
    assert not ask("Who met the Turin manager?", "Nora Quist met Cor Visser, the Turin manager and Eva Holm.")


def test_the_years_of_dated_clauses_tell_them_apart() -> None:
    text = "Vosdam bought Helix in May 2016. Vosdam bought Atlas in 2019. Cor Visser joined Vosdam in 2019."
    assert ask("What did Vosdam buy in 2016?", text) == "Vosdam bought Helix in 2016."
    assert ask("What did Vosdam buy in 2019?", text) == "Vosdam bought Atlas in 2019."
    assert ask("Who joined Vosdam in 2019?", text) == "Cor Visser joined Vosdam in 2019."


def test_a_role_says_what_its_holder_does() -> None:
    text = "The leader of Project Heron is Nora Quist. The founder of Vosdam is Cor Visser."
    assert ask("Which project does Nora Quist lead?", text) == "Nora Quist leads Project Heron."
    assert ask("What did Cor Visser found?", text) == "Cor Visser founded Vosdam."


def test_somebody_who_was_a_leader_is_not_said_to_lead() -> None:
    assert not ask("What does Nora Quist lead?", "The leader of Project Heron was Nora Quist.")


def test_things_are_looked_up_whatever_kind_the_question_calls_them() -> None:
    text = (
        "The Gull is a barge. The skipper of the Gull is Nora Quist. "
        "The Tern is a tug. The skipper of the Tern is Nora Quist."
    )
    assert ask("What is the barge whose skipper is Nora Quist?", text).endswith("is the Gull.")
    both = ask("What is the entity whose skipper is Nora Quist?", text)
    assert both == "The entities whose skipper is Nora Quist are the Gull and the Tern."


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        (
            "Nora Quist is an engineer who lives in Turin.",
            "Where does Nora Quist live?",
            "Nora Quist lives in Turin.",
        ),
        (
            "Helix is a tool that checks welds.",
            "What does Helix check?",
            "Helix checks welds.",
        ),
        (
            "Project Heron is paid for by Vosdam.",
            "Who or what pays for Project Heron?",
            "Vosdam pays for Project Heron.",
        ),
        (
            "Project Heron weighs little. Atlas weighs 84 kilograms, and its battery lasts 14 months.",
            "How long does the battery of Atlas last?",
            "The battery of Atlas lasts 14 months.",
        ),
        (
            "Cor Visser founded Vosdam in 1990. Vosdam is run by his daughter, Eva Visser.",
            "Who runs Vosdam?",
            "Eva Visser runs Vosdam.",
        ),
        (
            "The choir of Vosdam was founded by Cor Visser in 2018, and it is led by Nora Quist.",
            "Who leads the choir of Vosdam?",
            "Nora Quist leads the choir of Vosdam.",
        ),
        (
            "Zaan Mooring is a chain maker in Skov. It supplies anchors.",
            "What does Zaan Mooring supply?",
            "Zaan Mooring supplies anchors.",
        ),
    ],
)
def test_the_further_clauses_of_a_sentence_are_read(text: str, question: str, answer: str) -> None:
    assert ask(question, text) == answer


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Vosdam is a firm that Nora Quist founded.", "What does Vosdam found?"),
        ("Nora Quist is a member of a team that builds boats.", "What does Nora Quist build?"),
    ],
)
def test_a_relative_clause_about_something_else_says_nothing_of_the_subject(text: str, question: str) -> None:
    assert not ask(question, text)


HEADED = """# Incidents

## The lost crate

The lost crate was found by Nora Quist on 27 June 2025. The cause of the lost crate was a torn strap. It was
reported by Cor Visser.
"""


def test_a_heading_makes_clear_which_thing_is_meant() -> None:
    assert ask("Who found the lost crate?", HEADED) == "Nora Quist found the lost crate."
    assert (
        ask("What was the cause of the lost crate?", HEADED)
        == "The cause of the lost crate was a torn strap."
    )
    assert ask("Who reported the lost crate?", HEADED) == "Cor Visser reported the lost crate."


def test_without_the_heading_the_same_description_stays_unread() -> None:
    assert "The lost crate was found by Nora Quist." in unread_of("The lost crate was found by Nora Quist.")


def test_when_something_was_done_is_asked_with_and_without_who_did_it() -> None:
    text = "The Skov office was opened on 9 September 2013 by Nora Quist."
    assert ask("When was the Skov office opened?", text) == "The Skov office was opened on 9 September 2013."
    assert ask("When did Nora Quist open the Skov office?", text).startswith(
        "Nora Quist opened the Skov office on"
    )


def test_a_role_is_asked_for_where_the_document_has_the_verb() -> None:
    text = "Nora Quist led Project Heron. The bridge team is led by Cor Visser."
    assert ask("Who was the leader of Project Heron?", text) == "Nora Quist led Project Heron."
    assert ask("Who is the leader of the bridge team?", text) == "Cor Visser leads the bridge team."


def test_an_announced_enumeration_is_also_the_object() -> None:
    text = "Nora Quist trains two welders: Bo Vos and Eva Holm."
    assert ask("Who trains Eva Holm?", text) == "Nora Quist trains Eva Holm."
    assert "Nora Quist trains two welders." in answers_of(text)


def test_brothers_share_their_surname() -> None:
    text = "Vosdam was founded by the brothers Karl and Bo Visser."
    assert ask("Who founded Vosdam?", text) == "Karl Visser and Bo Visser founded Vosdam."


def test_an_adjective_before_a_name_is_no_part_of_it() -> None:
    text = "The yearly Zaan Race was started by Bo Vos."
    assert ask("Who started the Zaan Race?", text) == "Bo Vos started the Zaan Race."


def test_a_role_that_looks_like_a_verb_is_a_role() -> None:
    assert not ask("What has Bo Vos been managing?", "Bo Vos has been managing director since 2017.")


def test_an_insertion_without_a_verb_is_left_out() -> None:
    text = "Bo Vos, our driver for 25 years, retired in 2024."
    assert ask("When did Bo Vos retire?", text) == "Bo Vos retired in 2024."


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Nobody was hurt. The fire was noticed by Bo Vos.", "Bo Vos noticed nobody."),
        ("Heron won gold in 2024. The award was accepted by Bo Vos.", "Bo Vos accepted Heron."),
        ("Everybody left Vosdam in 2024.", "Everybody left Vosdam in 2024."),
    ],
)
def test_what_happened_is_not_taken_for_what_was_named_before(text: str, answer: str) -> None:
    assert answer not in answers_of(text)


def test_who_did_it_is_found_by_where_as_well() -> None:
    text = "Heron won gold at the Skov Festival in 2024."
    assert ask("What won gold at the Skov Festival?", text) or ask(
        "Who or what won gold at the Skov Festival?", text
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Vosdam sails out of Turin. Its flagship is the Irene.", "The flagship of Vosdam is the Irene."),
        ("Nora Quist, 43, joined Vosdam in 2024.", "Nora Quist joined Vosdam in 2024."),
        ("Nora Quist's team is called Blue Shield.", "The team of Nora Quist is Blue Shield."),
        ("Helix makes canned tuna. Helix is a firm.", "Helix makes canned tuna."),
    ],
)  # fmt: skip
def test_more_plain_sentences_are_read(text: str, answer: str) -> None:
    assert answer in answers_of(text)
