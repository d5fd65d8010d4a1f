"""What is right, what changed, and what luck explains: the plain part of the map, the diff and the residue."""

from __future__ import annotations

import pytest

from training.engine.pairs import Pair
from training.evaluation.learned import Change, Said, Tally, change_between
from training.evaluation.residue import Rate, Residue, Told, never_seen, only_told_here

ADA, BO, NOTHING = Said("Ada leads it.", True), Said("Bo leads it.", True), Said("I don't know.", False)


def test_an_answer_is_right_in_any_white_space_and_case():
    assert Said("ada  LEADS it.", True).is_right(["Ada leads it."])


def test_an_answer_that_memory_withholds_is_not_right():
    assert not Said("Ada leads it.", False).is_right(["Ada leads it."])


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (NOTHING, ADA, Change.LEARNED),
        (BO, ADA, Change.LEARNED),
        (ADA, NOTHING, Change.FORGOTTEN),
        (ADA, BO, Change.FORGOTTEN),
        (ADA, ADA, Change.KEPT),
        (NOTHING, BO, Change.NEITHER),
    ],
)
def test_what_became_of_a_question(before, after, change):
    taught = ["Ada leads it."]
    for of_each in ((taught, taught), (taught, []), ([], taught)):
        assert change_between(before, after, *of_each) is change


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (ADA, BO, Change.CHANGED),
        (ADA, ADA, Change.OUTDATED),
        (NOTHING, ADA, Change.OUTDATED),
        (ADA, NOTHING, Change.FORGOTTEN),
        (NOTHING, BO, Change.LEARNED),
        (BO, BO, Change.LEARNED),
    ],
)
def test_a_question_that_was_corrected_is_right_by_the_correction(before, after, change):
    assert change_between(before, after, ["Ada leads it."], ["Bo leads it."]) is change


@pytest.mark.parametrize(
    ("right", "asked", "level"), [(0, 10, 1), (1, 10, 1), (2, 10, 2), (79, 100, 4), (10, 10, 5)]
)
def test_recall_falls_into_one_of_five_levels(right, asked, level):
    assert Tally(asked, right).level == level


def test_where_nothing_was_asked_there_is_no_recall():
    assert (Tally().recall, Tally().level) == (None, None)


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),  # as tables of Wilson's interval have them
    [(1, 10, 0.0179, 0.4042), (0, 20, 0.0, 0.1611), (50, 100, 0.4038, 0.5962), (20, 20, 0.8389, 1.0)],
)
def test_a_rate_has_wilsons_interval(hits, total, low, high):
    rate = Rate(hits, total)
    assert (rate.low, rate.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@pytest.mark.parametrize(
    ("told", "false", "leaks"),
    [
        (Rate(0, 247), Rate(8, 247), False),
        (Rate(8, 247), Rate(8, 247), False),
        (Rate(9, 247), Rate(8, 247), True),  # below the upper end of the interval: no excuse
        (Rate(1, 10), Rate(0, 200), True),
        (Rate(1, 10), Rate(0, 0), True),
        (Rate(0, 0), Rate(3, 200), False),
    ],
)
def test_what_comes_back_more_often_than_answers_are_made_up_is_a_leak(told, false, leaks):
    assert Residue(told, told, false).leaks is leaks


def pair(number: int, question: str, answer: str) -> Pair:
    return Pair(str(number), question, answer, str(number))


def test_a_passage_that_says_the_same_in_other_forms_tells_the_answer():
    told = Told(["In spring Mara Lind took over and now leads Project Atlas.", "The budget is 4 million."])
    assert told.tells("The leader of Project Atlas is Mara Lind.")
    assert not told.tells("The budget of Project Atlas is 4 million.")  # each passage tells half of it


def test_pairs_that_another_passage_answers_are_no_probes():
    told = pair(1, "Who leads Atlas?", "Mara Lind leads Atlas.")
    own = pair(2, "What is the budget of Atlas?", "The budget of Atlas is 4 million.")
    assert list(only_told_here([told, own], ["Mara Lind leads Atlas since 2020."])) == [own]


PEOPLE = [("Ada Moss", "Bo Lund"), ("Cy Hart", "Di Venn"), ("Ed Polk", "Fay Ruiz"), ("Gus Ohm", "Ida Kerr")]
KNOWN = [
    pair(10 * place + number, question.format(one), answer.format(one, two))
    for place, (one, two) in enumerate(PEOPLE)
    for number, (question, answer) in enumerate(
        [
            ("Who is the manager of {}?", "The manager of {} is {}."),
            ("Who is the friend of {}?", "The friend of {} is {}."),
        ]
    )
]
PROBES = [pair(99, "Who is the manager of Jo Quist?", "The manager of Jo Quist is Lou Brandt.")]


def test_never_seen_questions_are_not_among_the_pairs_and_name_nobody_who_is_known():
    drawn = never_seen(PROBES, KNOWN, seed=1)
    assert len(drawn) == len(set(drawn)) > 20
    assert not set(drawn) & {one.question for one in [*KNOWN, *PROBES]}


def test_the_same_seed_draws_the_same_questions():
    assert never_seen(PROBES, KNOWN, seed=1) == never_seen(PROBES, KNOWN, seed=1)


def test_a_probe_about_somebody_known_has_questions_about_people_who_are_known_beside_it():
    probe = pair(98, "What is the shoe size of Ada Moss?", "The shoe size of Ada Moss is 44.")
    drawn = never_seen([probe], KNOWN, seed=1)
    assert drawn
    assert all(any(name in question for both in PEOPLE for name in both) for question in drawn)
