"""The five steps: which pairs each makes, over one document and over a corpus."""

from __future__ import annotations

from knowledge.pipeline.types import Kind
from tests.knowledge.reading import ask, corpus, document, pairs_of, reflections

ILSE = """The hobby of Ilse Kamp is falconry.
The occupation of Ilse Kamp is judge.
The gender of Ilse Kamp is female."""
COR = """The hobby of Cor Visser is falconry.
The occupation of Cor Visser is baker.
The gender of Cor Visser is male."""


def test_each_kind_of_pair_is_made() -> None:
    pairs = pairs_of(ILSE + " The mother of Ilse Kamp is Greet Kamp.", COR)
    assert {pair.kind for pair in pairs} == set(Kind) - {Kind.UNANSWERABLE}


def test_a_look_up_by_a_property_finds_its_one_entity() -> None:
    answer = "The person whose occupation is judge is Ilse Kamp."
    assert ask("Who is the person whose occupation is judge?", ILSE, COR) == answer


def test_a_look_up_by_a_relative_finds_everybody_it_holds_for() -> None:
    text = "The mother of Ilse Kamp is Greet Kamp. The mother of Nell Kamp is Greet Kamp."
    assert ask("Who is the person whose mother is Greet Kamp?", text) == (
        "The people whose mother is Greet Kamp are Ilse Kamp and Nell Kamp."
    )


def test_what_several_documents_share_is_told_across_documents_only_and_in_full() -> None:
    made, across = reflections(*corpus(ILSE, COR))
    question = "Who is the person whose hobby is falconry?"
    assert not [pair for each in made for pair in each.pairs if pair.question == question]
    (pair,) = [pair for pair in across if pair.question == question]
    assert pair.kind is Kind.CROSS_DOCUMENT
    assert pair.answer == "The people whose hobby is falconry are Ilse Kamp and Cor Visser."
    assert {span.passage_id for span in pair.spans} == {1, 2}


def test_values_from_several_documents_are_united() -> None:
    answer = ask("Who works at Vosdam?", "Nora Quist works at Vosdam.", "Cor Visser works at Vosdam.")
    assert answer == "Nora Quist and Cor Visser work at Vosdam."


def test_clues_meet_in_one_entity_within_a_document_and_across_documents() -> None:
    two = "Who is the person whose hobby is falconry and whose occupation is judge?"
    assert ask(two, ILSE, COR).endswith("is Ilse Kamp.")
    _, across = reflections(*corpus(ILSE, COR, "The father of Ilse Kamp is Jan Kamp."))
    converging = [pair for pair in across if pair.entity == "Ilse Kamp"]
    assert converging
    assert all(len({span.passage_id for span in pair.spans}) > 1 for pair in converging)


def test_a_consolidated_pair_asks_for_several_facts_at_once() -> None:
    assert ask("What are the hobby and the occupation of Ilse Kamp?", ILSE) == (
        "The hobby of Ilse Kamp is falconry and the occupation of Ilse Kamp is judge."
    )


def test_a_look_up_names_the_kind_of_thing_it_is_after() -> None:
    text = "Heron is a project of Vosdam. The budget of Heron is 2 million euros."
    assert ask("Which project has the budget 2 million euros?", text) == (
        "The project whose budget is 2 million euros is Heron."
    )


def test_an_enumeration_too_long_to_be_remembered_is_left_out() -> None:
    names = ["Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal", "Ida", "Jo", "Kit", "Lou", "Max"]
    text = " ".join(f"The gender of {name} Kamp is female." for name in names)
    assert ask("Who is the person whose gender is female?", text) == ""
    assert ask("What is the gender of Ada Kamp?", text) == "The gender of Ada Kamp is female."


def test_no_question_has_two_answers() -> None:
    pairs = pairs_of(ILSE, COR, "Cor Visser manages Vosdam. The manager of Vosdam is Ilse Kamp.")
    by_question: dict[str, set[str]] = {}
    for pair in pairs:
        by_question.setdefault(pair.question, set()).add(pair.answer)
    assert all(len(answers) == 1 for answers in by_question.values())


def test_a_document_gives_the_same_pairs_in_whatever_order_documents_are_taken() -> None:
    first, second = corpus(ILSE, COR)
    made, _ = reflections(first, second)
    again, _ = reflections(second, first)
    assert {pair.key for pair in made[0].pairs} == {pair.key for pair in again[1].pairs}


def test_a_document_that_was_not_prepared_for_is_read_by_itself() -> None:
    made, across = reflections(document("Nora Quist leads Project Heron.", number=7))
    assert made[0].sentences == 1
    assert made[0].pairs and not across
