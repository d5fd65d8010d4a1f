"""The five steps in order, and the check that a pair can be understood by itself."""

from __future__ import annotations

import pytest

from knowledge.pipeline.run import reflect_across_documents, reflect_on_document, unique
from knowledge.pipeline.self_contained import objection
from knowledge.pipeline.types import Kind, Pair, Span
from knowledge.rules.generator import RulesGenerator
from tests.knowledge.reading import corpus


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who leads Vosdam?", "Nora Quist leads Vosdam."),
        ("Can you tell me who leads Vosdam?", "Nora Quist leads Vosdam."),
        ("Who is it that leads Vosdam?", "Nora Quist leads Vosdam."),
        ("Who works in IT at Vosdam?", "Nora Quist works in IT at Vosdam."),
        ("Who is the wife of Art Giles?", "The wife of Art Giles is My Giles."),
    ],
)
def test_a_pair_that_names_what_it_speaks_of_is_self_contained(question: str, answer: str) -> None:
    assert objection(question, answer) == ""


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        ("Who leads it?", "Nora Quist leads Vosdam.", "pronoun"),
        ("Who leads Vosdam?", "She leads Vosdam.", "pronoun"),
        ("Who leads the company?", "Nora Quist leads the company.", "definite"),
        ("What happened last year?", "Vosdam moved last year.", "relative time"),
        ("When did Vosdam move?", "Vosdam moved two years ago.", "relative time"),
        ("What does this show?", "This shows sails.", "points"),
        ("Who leads Vosdam according to the document?", "Nora Quist leads Vosdam.", "document"),
        ("", "Nora Quist leads Vosdam.", "empty"),
        ("Who leads Vosdam?", " ", "empty"),
        ("Nora Quist leads Vosdam.", "Nora Quist leads Vosdam.", "not a question"),
        ("Who leads Vosdam?", "Nora Quist " * 60, "too long"),
    ],
)
def test_a_pair_that_needs_its_context_is_objected_to_with_the_reason(
    question: str, answer: str, reason: str
) -> None:
    assert reason in objection(question, answer)


def test_the_same_question_and_answer_is_kept_once() -> None:
    span = (Span(1, 0, 5),)
    first = Pair("Who leads Vosdam?", "Nora Quist leads Vosdam.", Kind.DIRECT, "a", span)
    same = Pair("Who  leads Vosdam?", "Nora Quist leads Vosdam.", Kind.ENTITY, "b", span)
    assert unique([first, same]) == [first]


def test_steps_one_to_four_work_on_a_document_and_step_five_on_the_corpus() -> None:
    documents = corpus("The hobby of Ilse Kamp is judo.", "The hobby of Cor Visser is judo. They may meet.")
    generator = RulesGenerator()
    generator.prepare(documents)
    made = [reflect_on_document(each, generator) for each in documents]
    assert [each.sentences for each in made] == [1, 2]
    assert [len(each.unread) for each in made] == [0, 1]
    (across,) = reflect_across_documents(documents, generator)
    assert {pair.kind for pair in across} == {Kind.CROSS_DOCUMENT}


def test_pairs_that_fail_verification_are_left_out_and_counted() -> None:
    class Careless(RulesGenerator):
        def verify(self, document, pairs):  # type: ignore[no-untyped-def]
            return [pair for pair in pairs if "falconry" not in pair.answer]

    made = reflect_on_document(corpus("The hobby of Ilse Kamp is falconry.")[0], Careless())
    assert made.pairs == ()
    assert made.discarded > 0
