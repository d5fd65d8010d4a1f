"""Several wordings of one sub-query, and how their answers vote."""

from __future__ import annotations

import pytest

from chat.language_model.repeats import is_nearly_the_same
from chat.protocol.voting import vote
from training.memory import DONT_KNOW, MemoryAnswer

WORDINGS = ["Who leads Project Atlas?", "Who is the lead of Project Atlas?", "Who runs Project Atlas?"]
ADA = "Ada Lund leads Project Atlas."
ADA_AGAIN = "The lead of Project Atlas is Ada Lund."
OLA = "Ola Berg runs Project Atlas."


def said(*answers: tuple[str, float] | None) -> list[MemoryAnswer]:
    return [
        MemoryAnswer(DONT_KNOW, 0.2, known=False)
        if each is None
        else MemoryAnswer(each[0], each[1], known=True)
        for each in answers
    ]


def test_one_wording_counts_as_it_is():
    assert vote(WORDINGS[:1], said((ADA, 0.7))).answer.confidence == 0.7


def test_answers_that_add_the_same_agree_whatever_their_words():
    voted = vote(WORDINGS, said((ADA, 0.9), (ADA_AGAIN, 0.9), ("Ada Lund runs Project Atlas.", 0.9)))
    assert voted.agreement == 1.0
    assert voted.answer.text == ADA
    assert voted.answer.confidence == pytest.approx(0.9)


def test_who_said_something_else_lowers_the_confidence():
    voted = vote(WORDINGS, said((ADA, 0.9), (ADA_AGAIN, 0.9), (OLA, 0.9)))
    assert (voted.answer.text, voted.agreement) == (ADA, pytest.approx(2 / 3))
    assert voted.answer.confidence == pytest.approx(0.6)


def test_the_question_itself_is_outvoted_by_its_paraphrases():
    voted = vote(WORDINGS, said((OLA, 0.5), (ADA, 0.9), (ADA_AGAIN, 0.9)))
    assert voted.answer.text in (ADA, ADA_AGAIN)
    assert voted.answer.known


def test_what_less_than_half_of_the_wordings_say_is_not_known():
    voted = vote(WORDINGS, said((ADA, 0.9), None, None))
    assert (voted.answer.text, voted.answer.known) == (DONT_KNOW, False)


def test_where_nobody_knows_all_agree():
    voted = vote(WORDINGS, said(None, None, None))
    assert (voted.answer.known, voted.agreement) == (False, 1.0)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Who leads Project Atlas?", "who leads project atlas", True),
        ("Who leads Project Atlas?", "Who is leading Project Atlas?", True),
        ("In which city does Ada Lund live?", "In which cities does Ada Lund live?", True),
        ("Who leads Project Atlas?", "Who leads Project Borealis?", False),
        ("Where does Ada Lund live?", "When was Ada Lund born?", False),
        ("What happened in 2019?", "What happened in 2020?", False),
        ("Who manages Ada Lund?", "Who does Ada Lund manage?", False),
        ("Where did Ada Lund work?", "When did Ada Lund work?", False),
        ("Who works for Ada Lund?", "Who works with Ada Lund?", False),
        ("Who leads Project Atlas?", "Who led Project Atlas?", False),
        ("Who is the leader of Project Atlas?", "Who leads Project Atlas?", True),
    ],
)
def test_near_identical_wordings_are_one_question(one, other, same):
    assert is_nearly_the_same(one, other) is same
