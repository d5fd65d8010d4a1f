"""What is noticed about pairs, in plain values."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.pipeline.flags import Judged, day_in_words, findings
from knowledge.pipeline.near_duplicates import merge_near_duplicates
from knowledge.pipeline.types import Kind, Pair, Span

PASSAGE = "Ada Marsh leads the Harbour since 2019. It has 12 boats and a red crane."


def judged(
    question: str = "Who leads the Harbour?", answer: str = "Ada Marsh leads the Harbour.", **fields
) -> Judged:
    return Judged(
        **{
            "id": 1,
            "question": question,
            "answer": answer,
            "kind": "direct",
            "fact": "",
            "passages": (PASSAGE,),
            **fields,
        }
    )


def flags_of(*pairs: Judged) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {pair.id: set() for pair in pairs}
    for finding in findings(pairs):
        found[finding.pair].add(finding.flag)
    return found


def numbered(*texts: tuple[str, str]) -> list[Judged]:
    """Pairs of several facts, without demands on their sources."""
    return [
        judged(question, answer, id=number, fact=f"fact {number}", needs_source=False, passages=())
        for number, (question, answer) in enumerate(texts)
    ]


# --- A pair by itself --------------------------------------------------------------------------------------
def test_a_good_pair_has_no_flag():
    assert findings([judged()]) == []


def test_a_pronoun_without_a_name_is_flagged_with_the_word():
    (finding,) = findings([judged("Who leads it?", "Ada Marsh leads the Harbour.")])
    assert (finding.flag, finding.note) == ("not_self_contained", "pronoun without a name: it")


def test_not_knowing_is_no_pronoun_without_a_name():
    assert flags_of(
        judged("Who owns the Harbour?", "I don't know.", kind=Kind.UNANSWERABLE, passages=())
    ) == {1: set()}


@pytest.mark.parametrize(
    "answer",
    [
        "Bo Stern leads the Harbour.",
        "The Harbour began in 2018.",
        "The Harbour has 120 boats.",
        "Everybody admires beautiful mountains.",
    ],
)
def test_an_answer_that_the_passage_does_not_bear_out_is_flagged(answer):
    assert flags_of(judged(answer=answer)) == {1: {"unsupported_span"}}


@pytest.mark.parametrize(
    "answer",
    ["The leader of the Harbour is Ada Marsh.", "The Harbour has twelve boats.", "The crane is red."],
)
def test_other_words_for_what_the_passage_says_are_fine(answer):
    assert flags_of(judged(answer=answer)) == {1: set()}


def test_a_date_made_absolute_from_the_documents_day_is_borne_out():
    passages = ("The crane came last month.", day_in_words(date(2024, 5, 3)))
    assert flags_of(
        judged("When did the crane come?", "The crane came in April 2024.", passages=passages)
    ) == {1: set()}


def test_a_pair_without_a_passage_is_flagged_unless_a_person_wrote_it():
    assert flags_of(judged(passages=())) == {1: {"unsupported_span"}}
    assert flags_of(judged(passages=(), needs_source=False)) == {1: set()}


def test_very_long_and_very_short_pairs_are_flagged():
    assert "very_long" in flags_of(judged(answer="Ada Marsh leads the Harbour. " * 20))[1]
    assert flags_of(judged(answer="Ada")) == {1: {"very_short"}}


# --- Pairs beside each other -------------------------------------------------------------------------------
def test_almost_the_same_pair_of_another_fact_is_flagged_on_both_sides():
    pairs = numbered(
        ("Who is the leader of the Harbour?", "The leader of the Harbour is Ada Marsh."),
        ("Who was the leader of the Harbour?", "The leader of the Harbour is Ada Marsh."),
    )
    assert {(each.pair, each.flag, each.other) for each in findings(pairs)} == {
        (0, "near_duplicate", 1),
        (1, "near_duplicate", 0),
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who led Project Atlas in 2019?", "Who led Project Atlas in 2018?"),
        ("Who led Project Atlas in May?", "Who led Project Orion in May?"),
        ("Who may enter the Harbour at night?", "Who may not enter the Harbour at night?"),
        ("Who has two boats in the Harbour?", "Who has three boats in the Harbour?"),
    ],
)
def test_another_number_name_or_negation_makes_another_pair(one, other):
    pairs = numbered((one, "Ada Marsh, as the book says."), (other, "Ada Marsh, as the book says."))
    assert findings(pairs) == []


def test_wordings_of_one_fact_are_no_duplicates():
    one = judged("Who is the leader of the Harbour?", id=1, fact="leader")
    other = judged("Who was the leader of the Harbour?", id=2, fact="leader")
    assert findings([one, other]) == []


def test_the_same_question_with_another_answer_is_a_contradiction_told_on_both():
    pairs = numbered(
        ("Who leads the Harbour?", "Ada Marsh does."), ("Who leads the harbour?", "Bo Stern does.")
    )
    assert {(each.pair, each.flag, each.note) for each in findings(pairs)} == {
        (0, "contradiction", "#1 answers the same question: “Bo Stern does.”"),
        (1, "contradiction", "#0 answers the same question: “Ada Marsh does.”"),
    }


@pytest.mark.parametrize(
    "answer", ["Ada Marsh.", "Ada Marsh is who leads it.", "the harbour is led by Ada Marsh"]
)
def test_another_wording_of_the_answer_is_no_contradiction(answer):
    pairs = numbered(
        ("Who leads the Harbour?", "Ada Marsh leads the Harbour."), ("Who leads the Harbour?", answer)
    )
    assert "contradiction" not in set().union(*flags_of(*pairs).values())


def test_an_answer_that_denies_what_the_other_says_is_a_contradiction():
    pairs = numbered(
        ("May boats moor at night?", "Boats may moor."), ("May boats moor at night?", "Boats may not moor.")
    )
    assert flags_of(*pairs) == {0: {"contradiction"}, 1: {"contradiction"}}


# --- Merging -----------------------------------------------------------------------------------------------
def pair(question: str, answer: str = "Ada Marsh leads the Harbour.", passage: int = 1) -> Pair:
    return Pair(question, answer, Kind.DIRECT, "leader", (Span(passage, 0, 4),))


def test_the_same_words_are_merged_and_their_spans_united():
    merged = merge_near_duplicates([pair("Who leads the Harbour?"), pair("Who leads Harbour ?", passage=2)])
    assert [(each.question, each.spans) for each in merged] == [
        ("Who leads the Harbour?", (Span(1, 0, 4), Span(2, 0, 4)))
    ]


@pytest.mark.parametrize(
    "other",
    [
        pair("Who is leading the Harbour?"),
        pair("Who leads the Harbour?", "Ada Marsh leads the Harbour, not Bo."),
        pair("Who leads the Harbour 2?"),
        pair("Who does not lead the Harbour?"),
    ],
)
def test_other_words_are_never_merged(other):
    pairs = [pair("Who leads the Harbour?"), other]
    assert merge_near_duplicates(pairs) == pairs


def test_the_land_us_is_not_the_word_us():
    pairs = [pair("Who likes the US?"), pair("Who likes us?")]
    assert len(merge_near_duplicates(pairs)) == 2
