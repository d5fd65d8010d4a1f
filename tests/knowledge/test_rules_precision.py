"""What a sentence does not assert is never made a fact; it is listed as unread with the reason."""

from __future__ import annotations

import pytest

from tests.knowledge.reading import answers_of, pairs_of, unread_of


@pytest.mark.parametrize(
    "sentence",
    [
        "Nora Quist does not lead Project Heron.",
        "Nora Quist never joined Vosdam.",
        "Nora Quist isn't the head of research at Vosdam.",
        "No employee of Vosdam lives in Skov.",
        "Nora Quist may join Vosdam in 2026.",
        "Nora Quist might lead Project Heron.",
        "Vosdam could move to Skov.",
        "Vosdam plans to open an office in Skov.",
        "Nora Quist wants to join Vosdam.",
        "Vosdam is expected to move to Skov in 2026.",
        "Nora Quist allegedly sold Project Heron to Helix.",
        "Vosdam probably makes sails in Skov.",
        "If Nora Quist joins Vosdam, Project Heron starts in 2026.",
        "Project Heron starts in 2026 if Vosdam signs the contract.",
        "Nora Quist said that Vosdam makes sails.",
        "According to Cor Visser, Vosdam makes sails.",
        "Nora Quist tried to sell Vosdam.",
        "Who leads Project Heron?",
        "“Vosdam makes the best sails in Skov.”",
        "We lead Project Heron.",
        "Our office is in Skov.",
        "It is important that Vosdam makes sails.",
        "Neither Nora Quist nor Cor Visser leads Project Heron.",
        "The hobby of Cor Visser is not falconry.",
        "The hobby of Cor Visser is probably falconry.",
    ],
)
def test_a_sentence_that_asserts_nothing_makes_no_pair_and_is_listed(sentence: str) -> None:
    assert not answers_of(sentence)
    (reason,) = unread_of(sentence).values()
    assert reason


def test_what_is_hedged_does_not_spoil_what_is_said_beside_it() -> None:
    text = "Vosdam makes sails. Vosdam may move to Skov. Vosdam employs 48 people."
    assert {"Vosdam makes sails.", "Vosdam employs 48 people."} <= answers_of(text)
    assert list(unread_of(text)) == ["Vosdam may move to Skov."]


def test_a_reason_may_be_left_out_but_a_condition_may_not() -> None:
    assert "Vosdam closed the plant in 2020." in answers_of(
        "Vosdam closed the plant in 2020 because demand fell."
    )
    assert not answers_of("Vosdam closes the plant when demand falls.")


def test_a_list_that_says_it_is_incomplete_is_not_taken_for_the_whole() -> None:
    assert not any(
        "Lyon" in answer for answer in answers_of("Vosdam has offices in cities such as Lyon and Turin.")
    )


def test_an_enumeration_that_is_not_understood_leaves_the_sentence_unread() -> None:
    assert unread_of("Vosdam makes sails, which are red, tarps, and ropes.")


def test_a_description_without_a_name_is_not_a_subject() -> None:
    assert unread_of("The distinctive structure opened in 1888.")
    assert unread_of("The company makes sails.")


@pytest.mark.parametrize(
    ("text", "said", "not_said"),
    [
        (
            "Helix was founded in 1990 and later renamed Vosdam in 1999.",
            "Helix was renamed Vosdam.",
            "Helix renamed Vosdam.",
        ),
        (
            "Vosdam was founded on 19 June 2000, and in January 2001 moved to Skov.",
            "Vosdam was founded on 19 June 2000.",
            "Vosdam was founded on 19 June 2000, and in January 2001.",
        ),
        (
            "Fog can be a nuisance for the sailors of Vosdam.",
            "Fog can be a nuisance for the sailors of Vosdam.",
            "Fog is a nuisance for the sailors of Vosdam.",
        ),
    ],
)
def test_a_second_verb_or_a_modal_changes_what_is_said(text: str, said: str, not_said: str) -> None:
    answers = answers_of(text)
    assert said in answers
    assert not_said not in answers


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("The Zaan flows 805 kilometres.", "What are 805 kilometres flowed by?"),
        ("Vosdam consists of Helix and Heron.", "By what are Helix and Heron consisted of?"),
    ],
)
def test_no_question_is_put_that_nobody_would_ask(text: str, wrong: str) -> None:
    assert wrong not in {pair.question for pair in pairs_of(text)}


def test_what_stands_after_by_is_not_always_who_did_it() -> None:
    text = "Vosdam was formed in 1949 by the name of Helix."
    assert not {answer for answer in answers_of(text) if answer.startswith("The name")}


def test_two_verbs_that_share_their_auxiliary_are_no_noun() -> None:
    text = "Nora Quist has promoted and established Heron Schools."
    assert not [pair for pair in pairs_of(text) if " has and " in pair.question]
