"""Reflections over REST: filtered, edited with history, reviewed in bulk."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from knowledge.models import Reflection, ReviewStatus
from knowledge.services import remove_document
from tests.factories import CorpusFactory, DocumentFactory, ReflectionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus():
    return CorpusFactory(slug="handbook")


@pytest.fixture
def curator(corpus) -> APIClient:
    client = APIClient()
    client.force_authenticate(UserFactory(username="cleo", curates=corpus))
    return client


@pytest.fixture
def pending(corpus):
    return ReflectionFactory(corpus=corpus, question="Who leads Atlas?", status=ReviewStatus.PENDING)


def test_pairs_are_filtered_by_status_and_by_text(curator, corpus, pending):
    ReflectionFactory(corpus=corpus, question="Who leads Borealis?", status=ReviewStatus.APPROVED)

    def found(query: str) -> list[str]:
        return [
            row["question"]
            for row in curator.get(f"/api/corpora/handbook/reflections/?{query}").json()["results"]
        ]

    assert found("status=pending") == found("search=atlas") == ["Who leads Atlas?"]


def test_pairs_are_filtered_by_flag_reviewer_step_model_length_and_staleness(curator, corpus, pending):
    other = ReflectionFactory(
        corpus=corpus,
        question="Who leads Borealis?",
        answer="Borealis " * 30,
        step="extract",
        model="gpt",
        reviewed_by=UserFactory(username="rita"),
    )
    other.flags.create(flag="very_long")
    chunk = DocumentFactory(corpus=corpus).chunks.first()
    other.source_spans.create(chunk=chunk, start=0, end=3)
    remove_document(chunk.document)
    address = "/api/corpora/handbook/reflections/"
    for query in (
        "flag=very_long",
        "reviewer=rita",
        "step=extract",
        "model=gpt",
        "min_length=100",
        "stale=true",
    ):
        found = curator.get(f"{address}?{query}").json()["results"]
        assert [row["id"] for row in found] == [other.pk], query
    found = curator.get(f"{address}?max_length=99&search=LEADS+atlas&stale=false").json()["results"]
    assert [row["id"] for row in found] == [pending.pk]


def test_a_filter_that_does_not_exist_is_told(curator, pending):
    answer = curator.get("/api/corpora/handbook/reflections/?status=perhaps")
    assert answer.status_code == 400
    assert "status" in answer.json()["errors"]


def test_an_edit_keeps_what_was_before_and_who_made_it(curator, pending):
    answer = curator.patch(f"/api/reflections/{pending.pk}/", {"answer": "Mara Lind.", "status": "approved"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["answer"], body["status"], body["reviewed_by"]) == ("Mara Lind.", "approved", "cleo")
    assert body["edits"][0]["answer"] == "Mara Lind."
    assert body["edits"][-1]["answer"] == pending.answer


def test_bulk_review_changes_all_that_the_filter_lets_through(curator, corpus):
    rows = [ReflectionFactory(corpus=corpus, status=ReviewStatus.PENDING) for _ in range(5)]
    other = ReflectionFactory(status=ReviewStatus.PENDING)
    address = "/api/corpora/handbook/reflections/review/"
    some = {"status": "rejected", "ids": [rows[0].pk, other.pk]}
    assert curator.post(address, some, format="json").json() == {"changed": 1}
    assert curator.post(f"{address}?status=pending", {"status": "approved"}).json() == {"changed": 4}
    other.refresh_from_db()
    assert other.status == ReviewStatus.PENDING
    assert corpus.reflections.counts() == {"pending": 0, "approved": 4, "rejected": 1}


def test_a_stale_edit_is_refused_with_both_texts(curator, pending):
    address = f"/api/reflections/{pending.pk}/"
    seen = curator.get(address).json()["edit"]
    assert curator.patch(address, {"answer": "Theirs.", "edit": seen}).json()["edit"] == seen + 1
    answer = curator.patch(address, {"answer": "Mine.", "edit": seen})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "stale_edit")
    assert problem["yours"] == {"answer": "Mine."}
    assert (problem["theirs"]["answer"], problem["theirs"]["edit"]) == ("Theirs.", seen + 1)
    assert curator.patch(address, {"answer": "Mine.", "edit": seen + 1}).status_code == 200


def test_new_words_for_a_trained_pair_answer_with_its_revision(curator, corpus, pending):
    Reflection.objects.filter(pk=pending.pk).update(trained=True)
    body = curator.patch(f"/api/reflections/{pending.pk}/", {"answer": "Mara Lind."}).json()
    assert (body["revises"], body["edits"][-1]["answer"]) == (pending.pk, pending.answer)
    listed = curator.get("/api/corpora/handbook/reflections/").json()["results"]
    assert [row["id"] for row in listed] == [body["id"]]
    assert curator.get("/api/corpora/handbook/").json()["pairs"] == 1
    assert curator.patch(f"/api/reflections/{pending.pk}/", {"answer": "No."}).status_code == 409


def test_a_pair_tells_what_made_it_and_nobody_can_change_that(curator, pending):
    pending.step, pending.prompt_version, pending.model = "direct", "direct-1234", "small-model"
    pending.save()
    address = f"/api/reflections/{pending.pk}/"
    told = curator.get(address).json()
    assert (told["step"], told["prompt_version"], told["model"], told["call"]) == (
        "direct", "direct-1234", "small-model", None
    )  # fmt: skip
    curator.patch(address, {"model": "another"})
    pending.refresh_from_db()
    assert pending.model == "small-model"
