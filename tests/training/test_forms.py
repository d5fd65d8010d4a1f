"""Questions in the other forms that people make of them."""

from __future__ import annotations

import re
from random import Random

import pytest

from training.engine.augment import Augmenter
from training.engine.forms import Asked, Forms, one_of, take_apart
from training.engine.pairs import Pair
from training.engine.words import STRAY_WORDS, Lexicon, words


def pair(question: str, answer: str) -> Pair:
    return Pair(question, question, answer, question)


FRIENDS = pair("Who are the friends of Ada Moss?", "The friends of Ada Moss are Bo Lee and Cy Fox.")
BORN = pair("What is the date of birth of Ada Moss?", "The date of birth of Ada Moss is 3 May 1971.")
OFFICE = pair("Who is the manager of the Porto office?", "The manager of the Porto office is Bo Lee.")
GENDERS = [
    pair(
        f"What is the gender of Ada {name}?",
        f"The gender of Ada {name} is {'female' if place % 2 else 'male'}.",
    )
    for place, name in enumerate(
        ("Abel", "Bix", "Cole", "Dorn", "Ege", "Falk", "Gamm", "Hale", "Ink", "Jost")
    )
]
PAIRS = [FRIENDS, BORN, OFFICE, *GENDERS]


def drawn(question: str, pairs: list[Pair] = PAIRS) -> set[str]:
    forms, random = Forms(pairs, Lexicon(pairs)), Random(1)
    return {forms.draw(question, random) for _ in range(300)}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (FRIENDS.question, Asked("who", "are", "friends", "Ada Moss")),
        (BORN.question, Asked("what", "is", "date of birth", "Ada Moss")),
        (OFFICE.question, Asked("who", "is", "manager", "the Porto office")),
        ("Who is Ada Moss's manager?", Asked("who", "is", "manager", "Ada Moss")),
        ("Where does Ada Moss live?", None),
        ("Who is the mother of all things?", None),
    ],
)
def test_a_question_for_a_relation_of_something_named_is_taken_apart(
    question: str, expected: Asked | None
) -> None:
    assert take_apart(question, Lexicon(PAIRS)) == expected


def test_every_form_keeps_what_is_asked_and_of_whom() -> None:
    for form in drawn(BORN.question):
        assert "date of birth" in form.lower()
        assert "Ada Moss" in form


def test_forms_range_from_a_sentence_to_two_words() -> None:
    forms = drawn(OFFICE.question)

    assert {"Which manager does the Porto office have?", "The Porto office manager"} <= forms
    assert all(form[0].isupper() for form in forms)


def for_one(question: str) -> set[str]:
    forms, random = Forms(PAIRS, Lexicon(PAIRS)), Random(1)
    return {forms.for_one(question, random) for _ in range(50)}


@pytest.mark.parametrize(
    ("several", "one"),
    [
        (FRIENDS.question, "Who is the friend of Ada Moss?"),
        ("Do you know who Bo Lee's friends are?", "Do you know who Bo Lee's friend is?"),
    ],
)
def test_several_are_asked_for_now_and_then_as_if_there_were_one(several: str, one: str) -> None:
    assert for_one(several) == {several, one}


@pytest.mark.parametrize(
    "question",
    [
        "How many friends are there of Ada Moss?",
        "Where are the offices of Bo Lee?",  # the pairs show no relation “offices”
        "Who are the friends of the friends of Ada Moss?",
        "Who is the manager of the Porto office?",
    ],
)
def test_other_questions_are_not_asked_as_if_for_one(question: str) -> None:
    assert for_one(question) == {question}


def test_the_forms_of_a_question_for_several() -> None:
    assert {"Which friends does Ada Moss have?", "Does Ada Moss have any friends? If so, who?"} <= drawn(
        FRIENDS.question
    )


@pytest.mark.parametrize(
    ("several", "one"),
    [("account managers", "account manager"), ("wives", "wife"), ("boss", "boss"), ("gender", "gender")],
)
def test_the_singular_of_a_relation(several: str, one: str) -> None:
    assert one_of(several) == one


def test_a_choice_is_offered_where_all_answers_are_one_of_a_few_words() -> None:
    assert {"Is the gender of Ada Abel male or female?", "Ada Abel, female or male?"} <= drawn(
        GENDERS[0].question
    )


def test_no_choice_is_offered_of_many_values_or_of_few_subjects() -> None:
    hobbies = [
        pair(f"What is the hobby of Ada {n}?", f"The hobby of Ada {n} is hob{n.lower()}.") for n in "BCDE"
    ]

    assert not any("hobc" in form for form in drawn(hobbies[0].question, hobbies))
    assert not any("male" in form for form in drawn(GENDERS[0].question, GENDERS[:4]))


def test_words_that_ask_for_nothing_stand_around_what_is_asked() -> None:
    framed = [
        form
        for form in drawn(BORN.question)
        if re.fullmatch(r"[A-Z][a-z ]+ Ada Moss's date of birth, .+", form)
    ]

    assert len(framed) > 10
    assert all(set(words(form)) - set(words(BORN.question)) <= {*STRAY_WORDS, "s"} for form in framed)


def test_other_questions_stay_as_they_are() -> None:
    assert drawn("Where does Ada Moss live?") == {"Where does Ada Moss live?"}


def test_training_meets_these_forms_among_its_rewordings() -> None:
    augmenter, random = Augmenter(PAIRS, Lexicon(PAIRS)), Random(1)
    met = {augmenter.reword(FRIENDS.question, random) for _ in range(2_000)}

    assert {"Ada Moss's friend?", "Who does Ada Moss have as friend?", "Look up Ada Moss's friends."} <= met
