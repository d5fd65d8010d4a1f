"""Edits of pairs: refused when stale, a new pair where a version was trained, and always a way back."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge.generation import store_pairs
from knowledge.models import Corpus, Reflection, Role
from knowledge.pipeline.types import Kind, Pair, Span
from knowledge.services import StaleEdit, Superseded, add_pair, revert, review, revise
from memosite.errors import Conflict
from tests.factories import CorpusFactory, GenerationRunFactory
from tests.workbench import make_document, make_pair, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


@pytest.fixture
def ann(corpus: Corpus) -> Any:
    return make_person("ann", corpus, Role.CURATOR)


@pytest.fixture
def bob(corpus: Corpus) -> Any:
    return make_person("bob", corpus, Role.CURATOR)


def trained(pair: Reflection) -> Reflection:
    Reflection.objects.filter(pk=pair.pk).update(trained=True)
    pair.refresh_from_db()
    return pair


def everything_about(pair: Reflection) -> dict[str, Any]:
    values = Reflection.objects.values().get(pk=pair.pk)
    return {name: value for name, value in values.items() if name != "is_latest"}


# --- Stale edits -------------------------------------------------------------------------------------------
def test_a_stale_edit_is_refused_and_carries_both_texts(corpus: Corpus, ann: Any, bob: Any) -> None:
    pair = make_pair(corpus)
    revise(pair, {"answer": "Ann's."}, ann, seen_edit=0)
    with pytest.raises(StaleEdit) as refused:
        revise(pair, {"answer": "Bob's."}, bob, seen_edit=0)
    assert (refused.value.theirs["answer"], refused.value.yours) == ("Ann's.", {"answer": "Bob's."})
    assert "ann changed pair" in str(refused.value)
    pair.refresh_from_db()
    assert (pair.answer, pair.edit, pair.history.count()) == ("Ann's.", 1, 2)


def test_a_decision_on_many_makes_edits_stale_too(corpus: Corpus, ann: Any, bob: Any) -> None:
    pair = make_pair(corpus)
    review(corpus.reflections.all(), "rejected", ann)
    with pytest.raises(StaleEdit):
        revise(pair, {"status": "approved"}, bob, seen_edit=0)
    assert revise(pair, {"status": "approved"}, bob, seen_edit=1).edit == 2


def test_an_edit_that_changes_nothing_is_not_recorded(corpus: Corpus, ann: Any) -> None:
    pair = make_pair(corpus)
    assert revise(pair, {"question": pair.question}, ann).edit == 0
    assert pair.history.count() == 1


# --- Revisions ---------------------------------------------------------------------------------------------
def test_new_words_for_a_trained_pair_make_a_new_pair_and_leave_the_old_one_alone(
    corpus: Corpus, ann: Any
) -> None:
    chunk = make_document(corpus).chunks.get()
    pair = trained(make_pair(corpus, "Who leads?", (chunk, 0, 3), (chunk, 4, 9)))
    before = everything_about(pair)
    revision = revise(pair, {"question": "Who leads the Harbour?", "status": "approved"}, ann)
    assert everything_about(pair) == before
    assert pair.history.count() == 1
    assert (revision.revises, revision.trained, revision.is_latest) == (pair, False, True)
    assert (revision.fact, revision.kind, revision.answer) == (pair.fact, pair.kind, pair.answer)
    assert (revision.question, revision.status, revision.reviewed_by) == (
        "Who leads the Harbour?",
        "approved",
        ann,
    )
    assert [(one.chunk, one.start, one.end) for one in revision.source_spans.all()] == [
        (chunk, 0, 3),
        (chunk, 4, 9),
    ]
    assert revision.history.get().history_user == ann
    assert list(corpus.reflections.trainable()) == [revision]


def test_a_new_status_of_a_trained_pair_is_written_in_place(corpus: Corpus, ann: Any) -> None:
    pair = trained(make_pair(corpus))
    assert revise(pair, {"status": "rejected"}, ann).pk == pair.pk
    assert corpus.reflections.count() == 1


def test_a_revised_pair_can_no_longer_be_edited_or_reviewed(corpus: Corpus, ann: Any) -> None:
    pair = trained(make_pair(corpus))
    revision = revise(pair, {"answer": "Bo."}, ann)
    with pytest.raises(Superseded, match=f"Edit pair {revision.pk} "):
        revise(pair, {"status": "approved"}, ann)
    assert review(corpus.reflections.all(), "rejected", ann) == 1
    assert corpus.reflections.counts() == {"pending": 0, "approved": 0, "rejected": 1}
    pair.refresh_from_db()
    assert pair.status == "pending"


def test_a_revision_is_edited_in_place_until_it_is_trained_on_too(corpus: Corpus, ann: Any) -> None:
    first = trained(make_pair(corpus))
    second = revise(first, {"answer": "Bo."}, ann)
    assert revise(second, {"answer": "Bo does."}, ann).pk == second.pk
    third = revise(trained(second), {"answer": "Bo leads."}, ann)
    assert third.lineage() == [third.pk, second.pk, first.pk]
    first.refresh_from_db(), second.refresh_from_db()
    assert first.latest_revision() == second.latest_revision() == third


def test_a_revised_pair_does_not_come_back_when_it_is_made_again(corpus: Corpus, ann: Any) -> None:
    chunk = make_document(corpus).chunks.get()
    made = Pair("Who leads?", "Ada.", Kind.DIRECT, fact="leads", spans=(Span(chunk.pk, 0, 3),))
    store_pairs(GenerationRunFactory(corpus=corpus, status="succeeded"), [made])
    pair = trained(corpus.reflections.get())
    revision = revise(pair, {"answer": "Ada Marsh."}, ann)
    before = everything_about(pair)
    again = GenerationRunFactory(corpus=corpus)
    store_pairs(again, [made])
    revision.refresh_from_db()
    assert list(corpus.reflections.present()) == [revision]
    assert (revision.last_run, revision.answer, revision.source_spans.count()) == (again, "Ada Marsh.", 1)
    assert everything_about(pair) == before


def test_adding_a_revised_pair_by_hand_names_its_revision(corpus: Corpus, ann: Any) -> None:
    words = {"question": "Who?", "answer": "Ada.", "kind": "direct", "status": "pending"}
    revision = revise(trained(add_pair(corpus, ann, **words)), {"answer": "Bo."}, ann)
    with pytest.raises(Conflict, match=f"number {revision.pk} "):
        add_pair(corpus, ann, **words)


# --- The way back ------------------------------------------------------------------------------------------
def test_going_back_to_a_former_wording_is_a_new_recorded_change(corpus: Corpus, ann: Any, bob: Any) -> None:
    pair = make_pair(corpus, "Who leads?")
    revise(pair, {"question": "Who leads the Harbour?", "status": "approved"}, ann)
    back = revert(pair, pair.history.earliest().history_id, bob)
    assert (back.question, back.status, back.reviewed_by) == ("Who leads?", "approved", bob)
    assert [state.question for state in pair.history.all()] == [
        "Who leads?",
        "Who leads the Harbour?",
        "Who leads?",
    ]
    assert pair.history.first().history_user == bob


def test_a_revision_goes_back_to_the_words_of_the_pair_that_it_revises(corpus: Corpus, ann: Any) -> None:
    pair = trained(make_pair(corpus, "Who leads?"))
    revision = revise(pair, {"question": "Who leads the Harbour?"}, ann)
    assert revert(revision, pair.history.get().history_id, ann) == revision
    revision.refresh_from_db()
    assert revision.question == "Who leads?"


def test_the_wording_of_another_pair_is_no_former_wording(corpus: Corpus, ann: Any) -> None:
    pair, other = make_pair(corpus, "Who leads?"), make_pair(corpus, "Who follows?")
    with pytest.raises(Conflict, match="no such former wording"):
        revert(pair, other.history.get().history_id, ann)


def test_ten_thousand_pairs_are_reviewed_with_few_queries(
    corpus: Corpus, ann: Any, django_assert_max_num_queries: Any
) -> None:
    first = make_pair(corpus)
    Reflection.objects.bulk_create(
        Reflection(
            corpus=corpus,
            reflection_set=first.reflection_set,
            key=str(number),
            question=f"Question {number}?",
            answer="Ada.",
            kind="direct",
            fact=str(number),
        )
        for number in range(9_999)
    )
    with django_assert_max_num_queries(200):
        assert review(corpus.reflections.all(), "approved", ann) == 10_000
    assert corpus.reflections.filter(edit=1).count() == 10_000
