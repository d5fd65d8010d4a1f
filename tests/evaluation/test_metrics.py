"""Scores against figures worked out by hand, and against the definition that SQuAD published."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation.metrics import (
    Score,
    Scored,
    Summary,
    exact_match,
    normalise,
    score,
    set_exact,
    set_f1,
    summarise,
    token_f1,
)
from training.evaluation.types import Answered, Question

WHO = Question("Who leads Atlas?", ("Ann Lee", "Dr. Ann Lee"))
SONS = Question("Who are Bo's sons?", ("Cy Bo", "Di Bo", "Ed Bo"), is_set=True)
NOBODY = Question("Who leads Zeus?", answerable=False)
REFUSED = Answered("I don't know.")


def said(text: str, *values: str, **cost: float) -> Answered:
    return Answered(text, values, known=True, **cost)  # type: ignore[arg-type]


# --- SQuAD -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("Denver Broncos", "denver broncos"),  # lower case
        ("The Denver Broncos", "denver broncos"),  # articles
        ("an apple and a pear", "apple and pear"),
        ("Theatre, anthem, area", "theatre anthem area"),  # an article is a whole word
        ("Santa Clara, California.", "santa clara california"),  # punctuation
        ("Levi's Stadium", "levis stadium"),  # which leaves no gap
        ("a-b", "ab"),  # and goes before the articles
        ("$1.2 million", "12 million"),
        ("  two \t words\n", "two words"),  # white space
        ("The", ""),
        ("«Œuvre» – Ünïcode", "«œuvre» – ünïcode"),  # punctuation is that of ASCII
    ],
)
def test_texts_are_normalised_as_squad_defines(text, normalised):
    assert normalise(text) == normalised


@given(st.text(max_size=40))
def test_normalising_keeps_no_capital_no_ascii_punctuation_and_no_double_space(text):
    found = normalise(text)
    assert "  " not in found
    assert not set(found) & set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
    assert found == found.strip()


@pytest.mark.parametrize(
    ("given", "accepted", "exact", "f1"),
    [  # the two figures are those that torchmetrics 1.9.0 (functional.text.squad) gives
        ("1976", "1976", True, 1.0),
        ("Denver Broncos", "The Denver Broncos!", True, 1.0),
        ("the Broncos of Denver", "Denver Broncos", False, 0.8),
        ("Santa Clara, California", "Levi's Stadium in Santa Clara", False, 0.5),
        ("two two one", "two one one", False, 0.666667),
        ("$1,234", "1234", True, 1.0),
        ("co-op", "co op", False, 0.0),
        ("U.S.", "US", True, 1.0),
        ("naïve «x»", "naive x", False, 0.0),
        ("10%", "10 percent", False, 0.666667),
        ("a man and an idea", "the man, the idea", False, 0.8),
        ("February 7, 2016", "7 February 2016", False, 1.0),
        ("don't know", "dont know", True, 1.0),
        ("Theatre", "The atre", False, 0.0),
    ],
)
def test_exact_match_and_f1_are_those_of_an_outside_implementation_of_squad(given, accepted, exact, f1):
    assert exact_match(given, [accepted]) is exact
    assert token_f1(given, [accepted]) == pytest.approx(f1, abs=1e-6)


def test_exact_match_takes_any_alias():
    assert exact_match("the ann lee!", WHO.answers)
    assert exact_match("Dr Ann Lee", WHO.answers)
    assert not exact_match("Ann", WHO.answers)
    assert not exact_match("Ann Lee", ())


def test_an_answer_that_is_an_article_is_still_an_answer():
    assert exact_match("A", ["a"])
    assert not exact_match("the", ["A"])
    assert token_f1("The", ["A"]) == 0.0


@pytest.mark.parametrize(
    ("given", "accepted", "f1"),
    [
        ("Ann Lee", ["Ann Lee"], 1.0),
        ("Ann", ["Ann Lee"], 2 / 3),  # precision 1, recall 1/2
        ("The leader is Ann Lee", ["Ann Lee"], 2 * 0.5 * 1 / 1.5),  # precision 2/4, recall 1
        ("Bob", ["Ann Lee"], 0.0),
        ("Ann", ["Bob", "Ann Lee", "Dr Ann X Lee"], 2 / 3),  # the best alias
        ("one one two", ["one two two"], 2 / 3),  # repeats count: one and two are shared once each
        ("", ["Ann"], 0.0),
    ],
)
def test_token_f1_is_the_best_over_the_aliases(given, accepted, f1):
    assert token_f1(given, accepted) == pytest.approx(f1)


# --- Sets --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "exact", "f1"),
    [
        (["Ed Bo", "cy bo", "The Di Bo"], True, 1.0),
        (["Ed Bo", "Ed Bo.", "Cy Bo", "Di Bo"], True, 1.0),  # twice the same is once
        (["Ed Bo", "Cy Bo"], False, 2 * 2 / 5),
        (["Ed Bo", "Cy Bo", "Di Bo", "Flo"], False, 2 * 3 / 7),
        (["Flo"], False, 0.0),
        ([], False, 0.0),
    ],
)
def test_sets_are_compared_value_by_value(given, exact, f1):
    assert set_exact(given, SONS.answers) is exact
    assert set_f1(given, SONS.answers) == pytest.approx(f1)


def test_two_empty_sets_are_the_same():
    assert set_exact([], [""])
    assert set_f1([], []) == 1.0


# --- Questions ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("question", "answered", "expected"),
    [
        (WHO, said("Ann Lee"), Score(True, 1.0)),
        (WHO, said("Ann Lee leads Atlas.", "Ann Lee"), Score(True, 1.0)),  # the value of the sentence
        (WHO, said("Ann Lee", "Ann", "Lee"), Score(True, 1.0)),  # or the text of the values
        (WHO, said("Ann Lee and Bob Ray", "Ann Lee", "Bob Ray"), Score(False, 2 / 3)),  # no hedging
        (WHO, REFUSED, Score(False, 0.0)),
        (WHO, Answered("Ann Lee"), Score(False, 0.0)),  # said, but not as known
        (SONS, said("They are three.", "Cy Bo", "Di Bo", "Ed Bo"), Score(True, 1.0)),
        (SONS, said("They are two.", "Cy Bo", "Di Bo"), Score(False, 0.8)),
        (Question("Only one?", ("Cy Bo",), is_set=True), said("Cy Bo"), Score(True, 1.0)),
        (NOBODY, REFUSED, Score(True, 1.0)),
        (NOBODY, said("Ann Lee", "Ann Lee"), Score(False, 0.0)),
    ],
)
def test_an_answer_is_scored_by_what_its_question_asks(question, answered, expected):
    found = score(question, answered)
    assert found.exact is expected.exact
    assert found.f1 == pytest.approx(expected.f1)


# --- Many questions ----------------------------------------------------------------------------------------
def scored(question: Question, answered: Answered) -> Scored:
    return Scored(question, answered, score(question, answered))


TABLE = [  # right, f1
    scored(WHO, said("Ann Lee", calls=2, prompt_tokens=100, cost=0.01, seconds=1.0)),  # yes, 1
    scored(WHO, said("Ann", calls=4, prompt_tokens=300, completion_tokens=8, seconds=3.0)),  # no, 2/3
    scored(WHO, REFUSED),  # no, 0: a false refusal
    scored(SONS, said("", "Cy Bo", "Di Bo", read_tokens=60)),  # no, 0.8
    scored(NOBODY, REFUSED),  # yes, 1
    scored(NOBODY, REFUSED),  # yes, 1
    scored(NOBODY, said("Bob")),  # no, 0: a false answer
    scored(NOBODY, REFUSED),  # yes, 1
]


def test_the_summary_is_the_one_worked_out_by_hand():
    summary = summarise(TABLE)
    assert summary.questions == 8
    assert summary.exact == pytest.approx(4 / 8)
    assert summary.f1 == pytest.approx((4 + 2 / 3 + 0.8) / 8)
    assert summary.abstention_precision == pytest.approx(3 / 4)  # four refusals, three of them due
    assert summary.abstention_recall == pytest.approx(3 / 4)  # four questions with no answer
    assert summary.false_answers == pytest.approx(1 / 4)
    assert summary.false_refusals == pytest.approx(1 / 4)
    assert summary.calls == pytest.approx(6 / 8)
    assert summary.prompt_tokens == pytest.approx(400 / 8)
    assert summary.completion_tokens == pytest.approx(1)
    assert summary.read_tokens == pytest.approx(60 / 8)
    assert summary.cost == pytest.approx(0.01 / 8)
    assert summary.seconds == pytest.approx(0.5)


def test_what_could_not_be_asked_is_wrong_but_neither_an_abstention_nor_cheap():
    down = Answered("")
    found = summarise(
        [
            scored(WHO, said("Ann Lee", calls=4, cost=0.02, seconds=2.0)),
            Scored(WHO, down, Score(False, 0.0), failed=True),
            Scored(NOBODY, down, Score(False, 0.0), failed=True),
        ]
    )
    assert (found.questions, found.exact) == (3, pytest.approx(1 / 3))
    assert (found.abstention_precision, found.abstention_recall, found.false_answers) == (None, None, None)
    assert found.false_refusals == 0.0
    assert (found.calls, found.cost, found.seconds) == (4, 0.02, 2.0)


def test_the_intervals_hold_the_means():
    summary = summarise(TABLE)
    assert 0 < summary.exact_low < summary.exact < summary.exact_high < 1
    assert 0 < summary.f1_low < summary.f1 < summary.f1_high < 1


def test_a_share_of_nothing_is_none():
    summary = summarise([scored(WHO, said("Ann Lee"))])
    assert summary.abstention_precision is None
    assert summary.abstention_recall is None
    assert summary.false_answers is None
    assert summary.false_refusals == 0.0


def test_the_summary_of_no_question_claims_nothing():
    summary = summarise([])
    assert summary.questions == 0
    assert (summary.exact_low, summary.exact_high) == (0.0, 1.0)


def test_a_summary_survives_json():
    summary = summarise(TABLE)
    assert Summary(**json.loads(json.dumps(summary.as_dict()))) == summary
