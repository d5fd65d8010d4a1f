"""Reviewing by sample: drawn from a list, judged one by one, decided for the whole batch."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from knowledge import sampling
from knowledge.models import Corpus, Reflection, Role, SampleReview
from knowledge.pipeline.confidence import wilson
from knowledge.services import review, revise
from memosite.errors import Conflict
from tests.factories import CorpusFactory
from tests.workbench import browser_of, make_document, make_pair, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


@pytest.fixture
def ann(corpus: Corpus) -> Any:
    return make_person("ann", corpus, Role.CURATOR)


@pytest.fixture
def desk(ann: Any) -> Client:
    return browser_of(ann)


@pytest.fixture
def rows(corpus: Corpus) -> list[Reflection]:
    return [make_pair(corpus, f"Who is number {number}?") for number in range(40)]


def drawn(corpus: Corpus, **choices: Any) -> SampleReview:
    return sampling.draw(corpus, corpus.reflections.all(), None, **{"size": 10, "seed": 1, **choices})


def judge_all(sample: SampleReview, wrong: int = 0) -> list[int]:
    """Judge every pair, the first so many as wrong; returns the keys of the wrong ones."""
    pairs = list(sample.pairs.select_related("sample"))
    for place, pair in enumerate(pairs):
        sampling.judge(pair, is_right=place >= wrong)
    return [pair.reflection_id for pair in pairs[:wrong]]


# --- What a sample is worth --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wrong", "judged", "least", "most"),
    [
        (0, 50, 0.0, 0.0713),
        (0, 10, 0.0, 0.2775),
        (5, 50, 0.0435, 0.2136),
        (1, 1, 0.2065, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilsons_interval_is_that_of_the_tables(wrong, judged, least, most):
    share = wilson(wrong, judged)
    assert (share.least, share.most) == pytest.approx((least, most), abs=1e-4)


def test_more_wrong_ones_than_were_judged_are_a_mistake():
    with pytest.raises(ValueError, match="cannot be wrong"):
        wilson(2, 1)


# --- Drawing -----------------------------------------------------------------------------------------------
def test_a_sample_is_random_but_repeatable_and_from_pending_pairs_only(corpus, rows):
    review(Reflection.objects.filter(pk=rows[0].pk), "approved", None)
    first, again, other = (drawn(corpus, seed=seed) for seed in (1, 1, 2))
    keys = [list(sample.pairs.values_list("reflection", flat=True)) for sample in (first, again, other)]
    assert keys[0] == keys[1] != keys[2]
    assert len(set(keys[0])) == 10
    assert len(first.population) == 39


def test_a_small_batch_is_judged_whole(corpus, rows):
    assert drawn(corpus, size=100).size == 40


def test_a_list_without_pending_pairs_gives_no_sample(corpus):
    with pytest.raises(Conflict, match="waits for review"):
        drawn(corpus)


def test_allowing_every_pair_to_be_wrong_is_refused(corpus, rows):
    with pytest.raises(Conflict, match="let everything pass"):
        drawn(corpus, allowed_errors=10)


# --- Deciding ----------------------------------------------------------------------------------------------
def test_a_sample_that_passes_approves_its_batch_and_rejects_what_was_wrong(corpus, ann, rows):
    sample = drawn(corpus, allowed_errors=2)
    wrong = judge_all(sample, wrong=2)
    assert sampling.approve_batch(sample, ann) == sampling.Decided(approved=38, rejected=2, left_out=0)
    assert set(corpus.reflections.filter(status="rejected").values_list("pk", flat=True)) == set(wrong)
    assert corpus.reflections.approved().filter(reviewed_by=ann).count() == 38
    sample.refresh_from_db()
    assert sample.outcome == "approved"


def test_pairs_that_changed_or_were_decided_since_are_left_out_and_counted(corpus, ann, rows):
    sample = drawn(corpus)
    revise(rows[0], {"answer": "Somebody else."}, ann)
    review(Reflection.objects.filter(pk=rows[1].pk), "rejected", ann)
    late = make_pair(corpus, "Who came in late?")
    judge_all(sample)
    assert sampling.approve_batch(sample, ann) == sampling.Decided(approved=38, rejected=0, left_out=2)
    late.refresh_from_db(), rows[0].refresh_from_db()
    assert (late.status, rows[0].status) == ("pending", "pending")


def test_a_sample_that_fails_leaves_the_batch_pending_and_rejects_what_was_wrong(corpus, ann, rows):
    sample = drawn(corpus)
    judge_all(sample, wrong=3)
    with pytest.raises(Conflict, match="has not passed"):
        sampling.approve_batch(sample, ann)
    assert sampling.refuse_batch(sample, ann).rejected == 3
    assert corpus.reflections.counts() == {"pending": 37, "approved": 0, "rejected": 3}


def test_a_sample_is_decided_once_and_then_closed_to_judgements(corpus, ann, rows):
    sample = drawn(corpus)
    judge_all(sample)
    sampling.approve_batch(sample, ann)
    with pytest.raises(Conflict, match="decided already"):
        sampling.approve_batch(sample, ann)
    sample.refresh_from_db()
    with pytest.raises(Conflict, match="is decided"):
        judge_all(sample)


def test_an_unfinished_sample_decides_nothing(corpus, ann, rows):
    sample = drawn(corpus)
    for decide in (sampling.approve_batch, sampling.refuse_batch):
        with pytest.raises(Conflict):
            decide(sample, ann)


# --- The pages ---------------------------------------------------------------------------------------------
def page_of(sample: SampleReview, name: str = "change") -> str:
    return reverse(f"admin:knowledge_samplereview_{name}", args=[sample.pk])


DRAW = "/admin/knowledge/reflection/sample/"


def test_the_list_leads_to_a_sample_of_what_is_filtered(corpus, desk, rows):
    Reflection.objects.filter(pk__in=[row.pk for row in rows[:15]]).update(kind="entity")
    page = desk.get("/admin/knowledge/reflection/?kind__exact=entity").content.decode()
    assert f'href="{DRAW}?kind__exact=entity"' in page
    assert desk.get(f"{DRAW}?kind__exact=entity").context["count"] == 15
    response = desk.post(f"{DRAW}?kind__exact=entity", {"size": 5, "allowed_errors": 0})
    sample = SampleReview.objects.get()
    assert response["Location"] == page_of(sample)
    assert (sample.size, len(sample.population), sample.query) == (5, 15, "kind__exact=entity")


def test_the_form_tells_what_a_sample_is_worth(corpus, desk, rows):
    assert (50, "7 %") in desk.get(DRAW).context["worth"]


def test_pairs_of_several_corpora_have_to_be_filtered_first(corpus, rows):
    other = CorpusFactory(slug="other")
    make_pair(other, "Who?")
    desk = browser_of(make_person("root", is_superuser=True))
    assert "Filter it by one corpus first" in desk.get(DRAW).content.decode()
    desk.post(DRAW, {"size": 5, "allowed_errors": 0})
    assert not SampleReview.objects.exists()


def test_judging_goes_from_pair_to_pair_beside_its_passage_and_then_to_the_decision(corpus, desk):
    chunk = make_document(corpus, "Ada Marsh leads the Harbour.").chunks.get()
    for number in range(3):
        make_pair(corpus, f"Who is number {number}?", (chunk, 0, 9))
    sample = drawn(corpus)
    for position in (1, 2, 3):
        page = desk.get(page_of(sample, "judge"))
        assert "<mark>Ada Marsh</mark>" in page.content.decode()
        assert page.context["pair"].position == position
        response = desk.post(page_of(sample, "judge"), {"position": position, "verdict": "right"})
    assert response["Location"] == page_of(sample)
    assert "The sample passed" in desk.get(page_of(sample)).content.decode()
    page = desk.post(page_of(sample, "decide"), follow=True).content.decode()
    assert "3 pairs are approved" in page
    assert corpus.reflections.counts()["approved"] == 3


def test_a_failed_sample_says_so_and_offers_no_approval(corpus, desk, rows):
    sample = drawn(corpus)
    judge_all(sample, wrong=1)
    page = desk.get(page_of(sample)).content.decode()
    assert "The sample failed" in page
    assert "Approve the batch" not in page
    desk.post(page_of(sample, "decide"))
    assert "the batch stayed pending" in desk.get(page_of(sample)).content.decode()


def test_a_sample_of_a_foreign_corpus_is_not_found(corpus, rows):
    sample = drawn(corpus)
    stranger = browser_of(make_person("bob", CorpusFactory(slug="foreign"), Role.OWNER))
    assert stranger.get(page_of(sample, "judge")).status_code == 404
    assert stranger.post(page_of(sample, "decide")).status_code == 404
    assert stranger.get(DRAW).context["count"] == 0


def test_an_old_judgement_can_be_looked_at_and_taken_back(corpus, desk, rows):
    sample = drawn(corpus)
    judge_all(sample, wrong=1)
    assert "You said: wrong" in desk.get(f"{page_of(sample, 'judge')}?position=1").content.decode()
    desk.post(page_of(sample, "judge"), {"position": 1, "verdict": "right"})
    assert sampling.standing(sample).has_passed
