"""The demo's questions: what an employee would ask of the demo corpus, with the answers it gives."""

from __future__ import annotations

import html
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from chat.protocol.events import FinalAnswer
from chat.protocol.state import same_question_key
from chat.protocol.stream import blocking, interrogate
from chat.rules.executive import RulesExecutive
from knowledge import demo
from tests.fakes import PairMemory
from tests.knowledge.reading import pairs_in

DOCUMENTS = Path(demo.__file__).parent / "documents"
HERE = Path(__file__).parent


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


QUESTIONS = lines("demo_questions.jsonl")
UNKNOWN = lines("demo_unknown.jsonl")


def plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def sections(document: str) -> list[str]:
    """The parts of a document below each heading, or its paragraphs where it has no headings."""
    text = (DOCUMENTS / document).read_text(encoding="utf-8")
    return [
        plain(part) for part in re.split(r"\n## |<h2>" if "#" in text or "<h2>" in text else r"\n\n", text)
    ]


TEXTS = {path.name: plain(path.read_text(encoding="utf-8")) for path in sorted(DOCUMENTS.iterdir())}


def chain(question: dict[str, Any]) -> list[list[str]]:
    """The entities on the way from what the question names to its answers, one list for each hop."""
    return [split_list(step) for step in question["why"].split(" -> ")]


def split_list(step: str) -> list[str]:
    return re.split(r", (?!\d{3}\b)", step)


def stated_together(one: str, other: str, documents: list[str]) -> bool:
    """True if a section of one of the documents mentions both."""
    together = (part for document in documents for part in sections(document))
    return any(one.casefold() in part.casefold() and other.casefold() in part.casefold() for part in together)


def by_question(question: dict[str, Any]) -> str:
    return str(question["question"])


every_question = pytest.mark.parametrize("question", QUESTIONS, ids=by_question)


def test_there_are_enough_documents_and_three_formats_among_them() -> None:
    assert len(TEXTS) >= 14
    assert {Path(name).suffix for name in TEXTS} == {".md", ".html", ".txt"}


@pytest.mark.parametrize("document", TEXTS)
def test_a_document_is_dated_and_short(document: str) -> None:
    assert re.search(r"Date: \d{1,2} [A-Z][a-z]+ 20\d\d\b", TEXTS[document])
    assert 150 <= len(TEXTS[document].split()) <= 350


def test_most_questions_need_several_documents() -> None:
    counts = [len(set(question["documents"])) for question in QUESTIONS]
    assert len(counts) >= 36
    assert sum(count >= 2 for count in counts) >= 26
    assert sum(count >= 3 for count in counts) >= 8


def test_several_questions_have_several_answers() -> None:
    assert sum(len(question["answers"]) > 1 for question in QUESTIONS) >= 5


def test_no_question_is_there_twice() -> None:
    keys = [same_question_key(by_question(question)) for question in [*QUESTIONS, *UNKNOWN]]
    assert len(set(keys)) == len(keys)


def test_every_document_is_needed_by_some_question() -> None:
    assert {name for question in QUESTIONS for name in question["documents"]} == set(TEXTS)


@every_question
def test_the_chain_of_a_question_ends_in_its_answers(question: dict[str, Any]) -> None:
    steps = chain(question)
    assert set(steps[-1]) == set(question["answers"])
    assert len(steps) - 1 == question["hops"]


@every_question
def test_every_hop_is_stated_in_one_place_of_a_named_document(question: dict[str, Any]) -> None:
    for sources, targets in pairwise(chain(question)):
        for target in targets:
            assert any(stated_together(source, target, question["documents"]) for source in sources), target


@every_question
def test_a_question_needs_each_document_it_names(question: dict[str, Any]) -> None:
    hops = [
        (source, target)
        for sources, targets in pairwise(chain(question))
        for source in sources
        for target in targets
    ]
    for document in question["documents"]:
        assert any(stated_together(*hop, [document]) for hop in hops), document


@every_question
def test_a_question_does_not_give_its_answer_away(question: dict[str, Any]) -> None:
    assert not [answer for answer in question["answers"] if answer in by_question(question)]


def test_unanswerable_questions_are_told_apart_by_a_reason() -> None:
    assert len(UNKNOWN) >= 12
    assert all(question["why"] for question in UNKNOWN)


@pytest.fixture(scope="module")
def demo_memory() -> PairMemory:
    """A memory that holds every pair of the demo's documents by heart."""
    return PairMemory(pairs_in(DOCUMENTS))


def answers_given(question: dict[str, Any], memory: PairMemory) -> set[str]:
    events = blocking(interrogate(by_question(question), RulesExecutive(), memory))
    final = next(event.data for event in events if isinstance(event.data, FinalAnswer))
    return {value.casefold() for value in final.values} if final.known else set()


def test_nine_of_ten_questions_over_several_documents_are_answered_from_the_pairs(
    demo_memory: PairMemory,
) -> None:
    several = [question for question in QUESTIONS if len(set(question["documents"])) > 1]
    wrong = [
        by_question(question)
        for question in several
        if answers_given(question, demo_memory) != {answer.casefold() for answer in question["answers"]}
    ]
    assert len(wrong) <= len(several) // 10, wrong


def test_no_question_of_the_file_is_a_pair_that_was_trained(demo_memory: PairMemory) -> None:
    several = [question for question in QUESTIONS if len(set(question["documents"])) > 1]
    assert not [question for question in several if demo_memory.holds(by_question(question))]


@pytest.mark.parametrize("question", UNKNOWN, ids=by_question)
def test_what_the_documents_do_not_say_is_not_answered(
    question: dict[str, Any], demo_memory: PairMemory
) -> None:
    assert answers_given(question, demo_memory) == set()
