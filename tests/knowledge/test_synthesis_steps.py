"""The steps of synthesis with a language model, each by itself. No Django, no database, no server."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.pipeline.candidates import Candidate, Source
from knowledge.pipeline.evidence import find
from knowledge.pipeline.groups import DOCUMENTS, make_groups, shared_names
from knowledge.pipeline.lookup import PassageIndex
from knowledge.pipeline.prompts import FOLDER, prompt
from knowledge.pipeline.steps.consolidate import consolidate
from knowledge.pipeline.steps.extract import extract_direct, extract_indirect
from knowledge.pipeline.steps.leave_open import leave_open
from knowledge.pipeline.steps.surface import surface
from knowledge.pipeline.steps.synthesize import Group, GroupFact, synthesize
from knowledge.pipeline.steps.verify import verify
from knowledge.pipeline.synthesis import make_bundles, reflect_on_bundle
from knowledge.pipeline.types import Kind, Origin, Passage, SourceDocument, Span
from tests.fakes import ScriptedLLM

TEXT = "Ada Marsh built the North Bridge in 1931. Bo Lind paid for the North Bridge."
ADA = Source(1, "North Bridge", "1950-05-01", Passage(10, TEXT))
OTHER = Source(2, "Bo Lind", "", Passage(20, "Bo Lind was born in Turin. Bo Lind owned the Gull Mill."))
FACT = {
    "question": "Who built the North Bridge?",
    "other_wordings": ["By whom was the North Bridge built?", "  "],
    "answer": "Ada Marsh built the North Bridge.",
    "evidence": ["Ada Marsh built the North Bridge in 1931."],
    "entities": ["Ada Marsh", "North Bridge"],
}


def fact(number: int, *, source: Source = ADA, entities: tuple[str, ...] = ("North Bridge",)) -> Candidate:
    spans = (Span(source.passage.id, 0, 10 + number),)
    return Candidate(
        (f"Question {number}?",), f"Answer {number}.", Kind.DIRECT, spans, Origin(), "", entities
    )


def keep_all(user: str) -> list[dict[str, Any]]:
    numbers = range(1, user.rpartition("Pairs\n")[2].count("\n") + 2)
    return [{"pair": number, "verdict": "keep"} for number in numbers]


def run(work: Any) -> Any:
    return asyncio.run(work)


# --- Step 1 ------------------------------------------------------------------------------------------------
def test_the_prompt_shows_title_and_date_before_the_passage() -> None:
    llm = ScriptedLLM(direct=[FACT])
    run(extract_direct(ADA, llm))
    assert llm.asked[0].user == f"Title: North Bridge\nDate of the document: 1950-05-01\nPassage:\n{TEXT}"
    document = SourceDocument(3, "Diary", (), date(2020, 2, 29))
    assert Source.of(document, Passage(1, "x")).date == "2020-02-29"


def test_the_fixed_text_comes_first_and_is_the_same_for_every_passage() -> None:
    llm = ScriptedLLM(direct=[FACT])
    run(extract_direct(ADA, llm))
    run(extract_direct(OTHER, llm))
    one, other = llm.asked
    assert one.system == other.system == prompt("direct").text


def test_a_fact_keeps_its_wordings_its_span_and_its_origin() -> None:
    (made,), reply = run(extract_direct(ADA, ScriptedLLM(direct=[FACT])))
    assert made.questions == ("Who built the North Bridge?", "By whom was the North Bridge built?")
    assert made.spans == (Span(10, 0, 41),)
    assert made.origin == Origin("direct", prompt("direct").version, "scripted", reply.call)
    assert {pair.fact for pair in made.pairs()} == {made.pairs()[0].fact}
    assert len(made.pairs()) == 2


def test_an_indirect_fact_carries_every_sentence_it_rests_on() -> None:
    item = FACT | {"evidence": ["Ada Marsh built the North Bridge", "Bo Lind paid for the North Bridge."]}
    (made,), _ = run(extract_indirect(ADA, ScriptedLLM(indirect=[item])))
    assert made.kind == Kind.INDIRECT
    assert [TEXT[span.start : span.end] for span in made.spans] == item["evidence"]


@pytest.mark.parametrize("name", [path.stem for path in FOLDER.glob("*.md")])
def test_a_prompt_asks_for_json_and_its_version_follows_its_text(name: str) -> None:
    assert "Reply with JSON only" in prompt(name).text
    assert len(prompt(name).version) <= 20


# --- Evidence ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "quotation",
    [
        "built the North Bridge in 1931",
        "“built the North Bridge in 1931”",
        "built  the\nNorth Bridge in 1931",
        "Built the north bridge in 1931",
        "built the North Brigde in 1931",
    ],
)
def test_a_quotation_is_found_however_it_was_copied(quotation: str) -> None:
    span = find(quotation, ADA.passage)
    assert span is not None
    assert "built the North" in TEXT[span.start : span.end]


def test_what_the_passage_does_not_say_has_no_place_in_it() -> None:
    assert find("Ada Marsh tore down the South Tower in 1964", ADA.passage) is None


@given(st.text(min_size=12, max_size=200), st.integers(0, 100), st.integers(8, 60))
def test_every_stretch_of_a_passage_is_found_where_it_reads_the_same(
    text: str, start: int, size: int
) -> None:
    quotation = text[start : start + size]
    span = find(quotation, Passage(1, text))
    if len(quotation.strip().strip('"“”')) >= 8:
        assert span is not None
        assert quotation.strip().strip('"“”') in text[span.start : span.end]


# --- Steps 2 and 4 -----------------------------------------------------------------------------------------
def test_a_merged_pair_unites_the_sources_of_its_facts() -> None:
    merged = {"question": "Who built it and who paid?", "answer": "Both.", "facts": [1, 2], "entity": "X"}
    (made,), _ = run(consolidate([fact(1), fact(2)], ScriptedLLM(consolidate=[merged])))
    assert made.spans == (*fact(1).spans, *fact(2).spans)
    assert made.kind == Kind.CONSOLIDATED


def test_one_fact_alone_is_not_sent_to_be_merged() -> None:
    llm = ScriptedLLM()
    assert run(consolidate([fact(1)], llm)) == ([], None)
    assert llm.asked == []


def test_a_pair_of_facts_that_are_not_there_is_left_out() -> None:
    made_up = {"question": "What?", "answer": "This.", "facts": [1, 7]}
    assert run(consolidate([fact(1), fact(2)], ScriptedLLM(consolidate=[made_up])))[0] == []


def test_a_look_up_that_gives_its_name_away_is_left_out() -> None:
    fair = {
        "question": "Who built the North Bridge?",
        "answer": "Ada Marsh.",
        "facts": [1],
        "entity": "Ada Marsh",
    }
    unfair = fair | {"question": "Who is the ada marsh of the bridge?"}
    hidden = fair | {"other_wordings": ["Which bridge did Ada Marsh build?"]}
    nameless = fair | {"entity": ""}
    made, _ = run(surface([fact(1)], ScriptedLLM(surface=[fair, unfair, hidden, nameless])))
    assert [each.question for each in made] == ["Who built the North Bridge?"]


def test_a_name_within_a_longer_word_is_not_given_away() -> None:
    item = {"question": "Who wrote the Adamant Letters?", "answer": "Ada.", "facts": [1], "entity": "Ada"}
    assert len(run(surface([fact(1)], ScriptedLLM(surface=[item])))[0]) == 1


# --- Step 3 ------------------------------------------------------------------------------------------------
SOURCES = {10: ADA, 20: OTHER}


def test_many_pairs_are_checked_in_one_call_with_each_passage_once() -> None:
    llm = ScriptedLLM(verify=keep_all)
    checked = run(verify([fact(number) for number in range(20)], SOURCES, llm))
    assert len(checked.kept) == 20
    assert len(llm.asked) == 1
    assert llm.asked[0].user.count(TEXT) == 1


def test_an_unsupported_pair_is_discarded_and_counted() -> None:
    verdicts = [{"pair": 1, "verdict": "drop", "reason": "unsupported"}, {"pair": 2, "verdict": "keep"}]
    checked = run(verify([fact(1), fact(2)], SOURCES, ScriptedLLM(verify=verdicts)))
    assert [each.question for each in checked.kept] == ["Question 2?"]
    assert checked.discarded == {"unsupported": 1}


def test_a_pair_whose_evidence_was_not_found_is_unsupported_without_a_call() -> None:
    llm = ScriptedLLM()
    loose = Candidate(("Who?",), "Ada.", Kind.DIRECT, (), Origin())
    assert run(verify([loose], SOURCES, llm)).discarded == {"unsupported": 1}
    assert llm.asked == []


def test_a_rewritten_pair_is_checked_again_and_keeps_its_source() -> None:
    def verdicts(user: str) -> list[dict[str, Any]]:
        if "What is the age of Ada Marsh?" in user:
            return [{"pair": 1, "verdict": "keep"}]
        new = {"question": "What is the age of Ada Marsh?", "answer": "Ada Marsh is 40."}
        return [{"pair": 1, "verdict": "rewrite", "reason": "ambiguous", **new}]

    llm = ScriptedLLM(verify=verdicts)
    (kept,) = run(verify([fact(1)], SOURCES, llm)).kept
    assert (kept.question, kept.spans) == ("What is the age of Ada Marsh?", fact(1).spans)
    assert len(llm.asked) == 2


def test_a_pair_that_stays_ambiguous_is_given_up_after_a_few_rounds() -> None:
    again = [{"pair": 1, "verdict": "rewrite", "question": "Who is he?", "answer": "He is Bo."}]
    llm = ScriptedLLM(verify=again)
    checked = run(verify([fact(1)], SOURCES, llm))
    assert (checked.kept, checked.discarded) == ([], {"ambiguous": 1})
    assert len(llm.asked) == 3


def test_a_rewriting_that_gives_away_the_name_of_a_look_up_is_discarded() -> None:
    given = [{"pair": 1, "verdict": "rewrite", "question": "Who is Ada Marsh?", "answer": "Ada Marsh."}]
    look_up = Candidate(("Who?",), "Ada Marsh.", Kind.ENTITY, (Span(10, 0, 9),), Origin(), "Ada Marsh")
    checked = run(verify([look_up], SOURCES, ScriptedLLM(verify=given)))
    assert checked.discarded == {"ambiguous": 1}


def test_pairs_without_a_verdict_are_asked_about_again_and_never_kept_unseen() -> None:
    def first_only(user: str) -> list[dict[str, Any]]:
        return [{"pair": 1, "verdict": "keep"}]

    llm = ScriptedLLM(verify=first_only)
    assert len(run(verify([fact(1), fact(2), fact(3)], SOURCES, llm)).kept) == 3
    assert len(llm.asked) == 3
    checked = run(verify([fact(1)], SOURCES, ScriptedLLM(verify=[])))
    assert checked.kept == []
    assert checked.failed == [(fact(1), "The verifier gave no verdict on the pair.")]


def test_one_bad_pair_in_a_batch_takes_no_other_with_it() -> None:
    bad = "Question 3?"

    def verdicts(user: str) -> list[dict[str, Any]]:
        if bad in user:
            raise ScriptedLLM.failure("out of order")
        return keep_all(user)

    checked = run(verify([fact(number) for number in range(8)], SOURCES, ScriptedLLM(verify=verdicts)))
    assert len(checked.kept) == 7
    assert [candidate.question for candidate, _ in checked.failed] == [bad]


# --- Step 5 ------------------------------------------------------------------------------------------------
def test_documents_that_share_a_name_make_a_group() -> None:
    facts = {
        1: [fact(1, entities=("The North Bridge", "Ada Marsh"))],
        2: [fact(2, source=OTHER, entities=("north bridge",))],
        3: [fact(3, entities=("Gull Mill",))],
    }
    (group,) = make_groups(facts)
    assert group.names == ("The North Bridge",)
    assert [each.document_id for each in group.facts] == [1, 2]


def test_names_that_share_the_same_facts_make_one_group() -> None:
    facts = {n: [fact(n, entities=("Ada Marsh", "North Bridge"))] for n in (1, 2)}
    (group,) = make_groups(facts)
    assert group.names == ("Ada Marsh", "North Bridge")


def test_a_name_of_many_documents_is_dealt_out_and_the_groups_grow_with_the_names() -> None:
    facts = {n: [fact(n, entities=("Oslo", f"Pair {n // 2}"))] for n in range(100)}
    groups = make_groups(facts)
    assert max(len({each.document_id for each in group.facts}) for group in groups) <= DOCUMENTS
    assert len(groups) == 50 + 13


def test_a_pair_that_one_document_could_answer_is_not_made_across_documents() -> None:
    group = Group(
        ("Bo Lind",), (GroupFact(1, fact(1)), GroupFact(1, fact(2)), GroupFact(2, fact(3, source=OTHER)))
    )
    one = {"question": "A?", "answer": "A.", "facts": [1, 2]}
    both = {"question": "B?", "answer": "B.", "facts": [1, 3]}
    (made,), _ = run(synthesize(group, ScriptedLLM(synthesize=[one, both])))
    assert made.question == "B?"
    assert {span.passage_id for span in made.spans} == {10, 20}


def test_shared_names_are_foreseen_from_the_texts() -> None:
    texts = {1: "Ada Marsh built the North Bridge.", 2: "The North Bridge fell.", 3: "Nothing here."}
    assert shared_names(texts) == [2]


# --- Open questions ----------------------------------------------------------------------------------------
def test_a_question_that_another_document_answers_is_not_left_open() -> None:
    asked = [
        {"question": "Where was Bo Lind born?", "entity": "Bo Lind"},
        {"question": "What did Bo Lind weigh?", "entity": "Bo Lind"},
    ]
    answered = [{"question": 1, "is_answered": True}, {"question": 2, "is_answered": False}]
    llm = ScriptedLLM(open_questions=asked, answered=answered)
    (made,) = run(leave_open([ADA], PassageIndex([ADA, OTHER]).lookup, llm)).candidates
    assert (made.question, made.answer, made.kind) == (
        "What did Bo Lind weigh?",
        "I don't know.",
        Kind.UNANSWERABLE,
    )
    assert "born in Turin" in llm.asked[1].user, "the passage of another document was looked at"


def test_a_question_about_a_name_that_nobody_mentions_is_no_pair() -> None:
    asked = [{"question": "What did Cy Ott weigh?", "entity": "Cy Ott"}, {"question": "Who?", "entity": ""}]
    llm = ScriptedLLM(open_questions=asked)
    assert run(leave_open([ADA], PassageIndex([ADA]).lookup, llm)).candidates == []
    assert len(llm.asked) == 1, "nothing is left to check, so no call is made"


def test_a_question_without_a_verdict_counts_as_answered() -> None:
    asked = [{"question": "What did Bo Lind weigh?", "entity": "Bo Lind"}]
    llm = ScriptedLLM(open_questions=asked, answered=[])
    assert run(leave_open([ADA], PassageIndex([ADA]).lookup, llm)).candidates == []


# --- All of it ---------------------------------------------------------------------------------------------
def test_bundles_hold_every_passage_once_in_order() -> None:
    sources = [
        Source(n, "T", "", Passage(n, "x" * size))
        for n, size in enumerate((10, 4990, 20, 20, 20, 20, 20, 9000))
    ]
    bundles = make_bundles(sources)
    assert [source for bundle in bundles for source in bundle] == sources
    assert [len(bundle) for bundle in bundles] == [2, 4, 1, 1]


def test_a_document_that_fails_is_reported_and_the_other_comes_through() -> None:
    def direct(user: str) -> list[dict[str, Any]]:
        if "Title: Bo Lind" in user:
            raise ScriptedLLM.failure("out of order")
        return [FACT]

    llm = ScriptedLLM(direct=direct, verify=keep_all)
    made = run(reflect_on_bundle([ADA, OTHER], PassageIndex([ADA, OTHER]).lookup, llm))
    assert [each.question for each in made.candidates] == ["Who built the North Bridge?"]
    ((failure),) = made.failures
    assert (failure.document_id, failure.step, failure.passages) == (2, "direct", (20,))
