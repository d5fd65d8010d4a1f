"""What holds of every pair, whatever the text."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.pipeline.self_contained import objection
from knowledge.pipeline.types import Kind
from tests.knowledge.reading import document, reflections

PEOPLE = ["Nora Quist", "Cor Visser", "Ilse Kamp", "Bo Vos"]
THINGS = ["Project Heron", "Heron Museum", "Vosdam", "Zaanwijk"]
FRAMES = [
    "The {noun} of {person} is {other}.",
    "{person} leads {thing}.",
    "{person} joined {thing} in {year} and moved to {place}.",
    "{thing} was founded by {person} in {year}.",
    "{person}, a {role} from {place}, lives in {place}.",
    "She reports to {other}.",
    "It opened on 3 May {year}.",
    "{thing} does not employ {person}.",
    "The company has a budget of 3 million euros.",
    "{person} and {other} own {thing}.",
    "- Owner: {person}",
    "## {thing}",
    "He was born in {place} on 3 May {year}, where he met {other}.",
    "Founded in {year}, {thing} makes sails, ropes and tents.",
]
SENTENCES = st.builds(
    str.format,
    st.sampled_from(FRAMES),
    noun=st.sampled_from(["mother", "hobby", "friend", "date of birth"]),
    person=st.sampled_from(PEOPLE),
    other=st.sampled_from(PEOPLE),
    thing=st.sampled_from(THINGS),
    place=st.sampled_from(["Turin", "Skov", "Lyon"]),
    role=st.sampled_from(["painter", "baker"]),
    year=st.integers(1850, 2020),
)
_PRONOUN = re.compile(r"\b(?:he|she|it|they|his|her|its|their|him|them)\b")
_TEXTS = st.lists(SENTENCES, min_size=1, max_size=8).map("\n".join)


@settings(max_examples=60, deadline=None)
@given(_TEXTS)
def test_every_pair_is_supported_self_contained_and_a_question_with_an_answer(text: str) -> None:
    source = document(text)
    made, across = reflections(source)
    for pair in [*made[0].pairs, *across]:
        assert pair.question.endswith("?") and pair.answer.endswith(".")
        assert pair.spans
        assert all(
            text[span.start : span.end].strip() == text[span.start : span.end] != "" for span in pair.spans
        )
        assert not _PRONOUN.search(pair.answer)
        assert not objection(pair.question, pair.answer)
        if pair.kind is Kind.ENTITY and pair.entity:
            assert pair.entity.casefold() not in pair.question.casefold()


@settings(max_examples=60, deadline=None)
@given(_TEXTS)
def test_every_sentence_is_either_read_or_listed(text: str) -> None:
    made, _ = reflections(document(text))
    prose = [line for line in text.splitlines() if not line.startswith("#")]
    assert made[0].sentences == len(prose)
    assert len(made[0].unread) <= made[0].sentences
    assert all(each.text == text[each.span.start : each.span.end] and each.reason for each in made[0].unread)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all_is_read_without_failing(text: str) -> None:
    made, _ = reflections(document(text))
    assert all(pair.question.endswith("?") for pair in made[0].pairs)
