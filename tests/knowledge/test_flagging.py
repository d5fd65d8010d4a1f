"""Flags as rows: kept in step with pairs, decisions and documents."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from knowledge.flagging import flag_corpus, flag_pairs
from knowledge.generation import perform_generation
from knowledge.models import Corpus, Reflection, ReflectionFlag
from knowledge.services import ingest_text, remove_document, review, revise
from tests.factories import CorpusFactory, GenerationRunFactory, ReflectionFactory, UserFactory
from tests.workbench import make_document, make_pair

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


def make(corpus: Corpus, question: str, answer: str, **fields: Any) -> Reflection:
    return ReflectionFactory(
        corpus=corpus, question=question, answer=answer, **{"status": "pending", **fields}
    )


def flags(row: Reflection) -> set[str]:
    return set(row.flags.values_list("flag", flat=True))


def contradicting(corpus: Corpus) -> tuple[Reflection, Reflection]:
    one = make(corpus, "Who leads the Harbour?", "Ada Marsh does.")
    other = make(corpus, "Who leads the harbour?", "Bo Stern does.")
    flag_corpus(corpus)
    return one, other


def test_flagging_again_changes_no_row(corpus):
    contradicting(corpus)
    before = set(ReflectionFlag.objects.values_list("pk", "note"))
    assert flag_corpus(corpus) == len(before) == 2
    assert set(ReflectionFlag.objects.values_list("pk", "note")) == before


def test_a_corpus_is_flagged_in_few_queries(corpus, django_assert_max_num_queries: DjangoAssertNumQueries):
    for number in range(50):
        make(corpus, f"Who leads it in {number}?", "He does.")
    with django_assert_max_num_queries(10):
        flag_corpus(corpus)
    assert ReflectionFlag.objects.count() == 50


def test_pairs_of_other_corpora_are_not_held_against_each_other(corpus):
    make(corpus, "Who leads the Harbour?", "Ada Marsh does.")
    elsewhere = CorpusFactory(slug="elsewhere")
    make(elsewhere, "Who leads the Harbour?", "Bo Stern does.", key="other")
    flag_corpus(corpus), flag_corpus(elsewhere)
    assert not ReflectionFlag.objects.exists()


def test_rejected_and_retired_pairs_are_out_of_play(corpus):
    make(corpus, "Who leads it?", "He does.", status="rejected")
    make(corpus, "Who led it?", "He did.", retired=True)
    assert flag_corpus(corpus) == 0


def test_an_edit_that_resolves_a_contradiction_clears_both_sides(corpus):
    one, other = contradicting(corpus)
    assert flags(one) == flags(other) == {"contradiction"}
    revise(other, {"answer": "Ada Marsh does."}, UserFactory())
    assert "contradiction" not in flags(one) | flags(other)


def test_an_edit_that_makes_a_contradiction_flags_both_sides(corpus):
    one = make(corpus, "Who leads the Harbour?", "Ada Marsh does.")
    other = make(corpus, "Who leads the Quay?", "Bo Stern does.")
    revise(other, {"question": "Who leads the Harbour?"}, UserFactory())
    assert flags(one) == flags(other) == {"contradiction"}


def test_rejecting_one_side_clears_the_other_and_taking_it_back_flags_again(corpus):
    one, other = contradicting(corpus)
    chosen = Reflection.objects.filter(pk=other.pk)
    review(chosen, "rejected", UserFactory())
    assert flags(one) == flags(other) == set()
    review(chosen, "pending", UserFactory())
    assert flags(one) == flags(other) == {"contradiction"}


def test_rejecting_many_at_once_clears_their_flags_and_those_they_stood_against(corpus):
    kept = make(corpus, "Who leads the Harbour?", "Ada Marsh does.")
    for number in range(30):
        make(corpus, "Who leads the Harbour?", f"Bo Stern the {number}th does.", key=str(number))
    flag_corpus(corpus)
    review(corpus.reflections.exclude(pk=kept.pk), "rejected", UserFactory())
    assert not ReflectionFlag.objects.exists()


def test_many_pairs_are_flagged_by_looking_at_their_corpus_once(corpus):
    rows = [make(corpus, f"Who leads it in {number}?", "He does.") for number in range(30)]
    flag_pairs([row.pk for row in rows])
    assert ReflectionFlag.objects.count() == 30


# --- Documents that change ---------------------------------------------------------------------------------
def generated(corpus: Corpus) -> None:
    perform_generation(_claimed(corpus))


def _claimed(corpus: Corpus) -> Any:
    run = GenerationRunFactory(corpus=corpus)
    run.report = lambda **fields: None
    return run


def test_generation_flags_the_pairs_that_it_made(corpus, monkeypatch):
    looked_at: list[Corpus] = []
    monkeypatch.setattr("knowledge.generation.flag_corpus", looked_at.append)
    make_document(corpus)
    generated(corpus)
    assert looked_at == [corpus]


def test_a_removed_document_marks_its_pairs_with_its_name(corpus):
    document = make_document(corpus)
    pair = make_pair(corpus, "Who?", (document.chunks.get(), 0, 3))
    remove_document(document)
    (flag,) = pair.flags.filter(flag="document_changed")
    assert flag.note == "“Harbour” was taken out of the corpus."


def test_a_pair_that_the_new_version_gives_again_is_no_longer_stale(corpus):
    ingest_text(corpus, "Harbour", "Ada Marsh leads Project Atlas. Bo Stern leads Project Orion.")
    generated(corpus)
    corpus.generation_runs.update(status="succeeded")
    ingest_text(corpus, "Harbour", "Ada Marsh leads Project Atlas. Cy Holt leads Project Orion.")
    stale = ReflectionFlag.objects.filter(flag="document_changed")
    assert stale.count() == corpus.reflections.count()
    generated(corpus)
    assert not stale.filter(reflection__retired=False).exists()
    assert stale.filter(reflection__answer__contains="Bo Stern").exists()


def test_a_decision_after_the_change_takes_the_flag_away_for_good(corpus):
    document = make_document(corpus)
    pair = make_pair(corpus, "Who leads the Harbour?", (document.chunks.get(), 0, 28))
    remove_document(document)
    review(corpus.reflections.all(), "approved", UserFactory())
    flag_corpus(corpus)
    assert "document_changed" not in flags(pair)
