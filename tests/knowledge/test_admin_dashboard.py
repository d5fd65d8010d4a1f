"""The corpus page as a dashboard: figures, coverage, what to do next."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from knowledge.flagging import flag_corpus
from knowledge.models import Corpus, Document, GenerationRun, LLMCall, Reflection, Role
from knowledge.services import ingest_text, remove_document, review
from tests.factories import (
    CorpusFactory,
    DocumentFactory,
    GenerationRunFactory,
    MemoryVersionFactory,
    ReflectionFactory,
    TrainedPairFactory,
)
from tests.workbench import browser_of, make_document, make_pair, make_person
from training.models import EvaluationSet

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


@pytest.fixture
def desk(corpus: Corpus) -> Client:
    """The admin as a curator uses it."""
    return browser_of(make_person("ann", corpus, Role.CURATOR))


def page_of(corpus: Corpus, name: str = "change") -> str:
    return reverse(f"admin:knowledge_corpus_{name}", args=[corpus.pk])


def board(desk: Client, corpus: Corpus) -> Any:
    return desk.get(page_of(corpus)).context


def steps(desk: Client, corpus: Corpus) -> list[tuple[str, str]]:
    return [(step.text, step.deed) for step in board(desk, corpus)["next_steps"]]


def long_document(corpus: Corpus, name: str = "long.md") -> Document:
    """A document of several passages."""
    paragraphs = [f"Paragraph {number}. " + "Ada Marsh leads the Harbour. " * 60 for number in range(6)]
    return make_document(corpus, "\n\n".join(paragraphs), name=name, title=name)


# --- Figures -----------------------------------------------------------------------------------------------
def test_pairs_are_counted_by_kind_and_status_with_a_way_to_each_list(corpus, desk):
    make_document(corpus)
    rows = [make_pair(corpus, f"Question {number}?") for number in range(4)]
    Reflection.objects.filter(pk=rows[0].pk).update(kind="entity", status="approved")
    Reflection.objects.filter(pk=rows[1].pk).update(retired=True)
    (direct, cells), (entity, _) = board(desk, corpus)["kinds"]
    assert (direct.label, direct.counts) == ("direct", {"pending": 2, "approved": 0, "rejected": 0})
    assert (entity.label, entity.total) == ("entity", 1)
    listed = desk.get(cells[0].url).context["cl"].result_list
    assert [row.pk for row in listed] == [rows[2].pk, rows[3].pk]


def test_flags_lead_to_the_pairs_that_carry_them(corpus, desk):
    make_document(corpus)
    pair = ReflectionFactory(corpus=corpus, question="Who leads it?", answer="He does.", status="pending")
    flag_corpus(corpus)
    ((label, count, url),) = board(desk, corpus)["flags"]
    assert (label, count) == ("not self-contained", 1)
    assert [row.pk for row in desk.get(url).context["cl"].result_list] == [pair.pk]


def test_spend_is_told_by_step_and_together(corpus, desk):
    for number, step in enumerate(["extract", "extract", "verify"]):
        LLMCall.objects.create(
            corpus=corpus,
            key=str(number),
            step=step,
            prompt_tokens=1000,
            completion_tokens=10,
            cost=Decimal("0.25"),
        )
    spend = board(desk, corpus)["spend"]
    assert [(row.step, row.calls, row.cost) for row in spend.steps] == [
        ("extract", 2, Decimal("0.5")),
        ("verify", 1, Decimal("0.25")),
    ]
    assert (spend.total.prompt_tokens, spend.total.cost) == (3000, Decimal("0.75"))


def test_the_page_asks_the_same_number_of_queries_however_large_the_corpus_is(
    corpus: Corpus, desk: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def grow(first: int, last: int) -> None:
        for number in range(first, last):
            chunk = DocumentFactory(corpus=corpus, name=f"{number}.md").chunks.get()
            make_pair(corpus, f"Who leads number {number}?", (chunk, 0, 3))
        version = MemoryVersionFactory(corpus=corpus)
        TrainedPairFactory(version=version, reflection=corpus.reflections.first())

    grow(0, 1)
    desk.get(page_of(corpus))
    with django_assert_num_queries(28):
        desk.get(page_of(corpus))
    grow(1, 40)
    with django_assert_num_queries(28):
        desk.get(page_of(corpus))


# --- Coverage ----------------------------------------------------------------------------------------------
def test_coverage_names_the_least_covered_document_first(corpus, desk):
    covered, bare = (
        make_document(corpus, name="a.md", title="A"),
        make_document(corpus, name="b.md", title="B"),
    )
    make_pair(corpus, "Who?", (covered.chunks.get(), 0, 3))
    context = board(desk, corpus)
    assert (context["coverage"].covered, context["coverage"].passages) == (1, 2)
    assert [(row.document, row.bare) for row in context["documents_covered"]] == [
        (bare.pk, 1),
        (covered.pk, 0),
    ]
    assert desk.get(page_of(corpus, "coverage")).context["documents_covered"] == context["documents_covered"]


def test_a_passage_with_rejected_or_retired_pairs_only_is_not_covered(corpus, desk):
    document = make_document(corpus)
    pair = make_pair(corpus, "Who?", (document.chunks.get(), 0, 3))
    review(corpus.reflections.all(), "rejected", None)
    assert board(desk, corpus)["coverage"].covered == 0
    Reflection.objects.filter(pk=pair.pk).update(status="approved", retired=True)
    assert board(desk, corpus)["coverage"].covered == 0


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The passages that generations were started for."""
    asked: list[list[int]] = []

    def start(corpus: Corpus, person: Any, *, chunks: list[int]) -> GenerationRun:
        asked.append(chunks)
        return GenerationRunFactory(corpus=corpus, status="succeeded")

    monkeypatch.setattr("knowledge.admin.dashboard.services.start_generation", start)
    return asked


def test_one_click_asks_for_more_pairs_of_a_documents_bare_passages(corpus, desk, started):
    document, other = long_document(corpus), long_document(corpus, "other.md")
    first, *rest = document.chunks.all()
    make_pair(corpus, "Who?", (first, 0, 3))
    response = desk.post(page_of(corpus, "more"), {"all": "1", "document": document.pk})
    assert started == [[chunk.pk for chunk in rest]]
    assert response["Location"] == reverse(
        "admin:knowledge_generationrun_change", args=[GenerationRun.objects.get().pk]
    )
    desk.post(page_of(corpus, "more"), {"all": "1"})
    assert len(started[1]) == len(rest) + other.chunks.count()


def test_only_bare_passages_of_the_corpus_can_be_chosen(corpus, desk, started):
    first, second, *_ = long_document(corpus).chunks.all()
    make_pair(corpus, "Who?", (first, 0, 3))
    foreign = make_document(CorpusFactory(slug="foreign")).chunks.get()
    desk.post(page_of(corpus, "more"), {"passages": [first.pk, second.pk, foreign.pk, "nonsense"]})
    assert started == [[second.pk]]


def test_without_a_choice_nothing_starts_and_the_page_says_so(corpus, desk, started):
    long_document(corpus)
    response = desk.post(page_of(corpus, "more"), follow=True)
    assert started == []
    assert "Choose at least one passage" in response.content.decode()


def test_passages_without_a_pair_are_shown_to_be_chosen(corpus, desk):
    document = long_document(corpus)
    page = desk.get(f"{page_of(corpus, 'passages')}?document={document.pk}").content.decode()
    assert page.count('name="passages"') == document.chunks.count()
    make_pair(corpus, "Who?", *((chunk, 0, 3) for chunk in document.chunks.all()))
    assert (
        "Every passage has given at least one pair" in desk.get(page_of(corpus, "passages")).content.decode()
    )


# --- What to do next ---------------------------------------------------------------------------------------
def test_an_empty_corpus_asks_for_documents_and_then_for_pairs(corpus, desk):
    assert steps(desk, corpus) == [("There are no documents yet.", "Add documents")]
    make_document(corpus)
    assert steps(desk, corpus) == [("There are no pairs yet.", "Generate pairs")]


def test_contradictions_come_before_the_review_of_the_rest(corpus, desk):
    document = make_document(corpus, "Ada Marsh leads the Harbour. Bo Stern leads the Harbour.")
    for answer in ("Ada Marsh leads the Harbour.", "Bo Stern leads the Harbour."):
        pair = ReflectionFactory(
            corpus=corpus, question="Who leads the Harbour?", answer=answer, key=answer, status="pending"
        )
        pair.source_spans.create(chunk=document.chunks.get(), start=0, end=3)
    flag_corpus(corpus)
    assert [text for text, _ in steps(desk, corpus)] == [
        "2 pairs contradict each other.",
        "2 pairs wait for review.",
    ]


def test_approved_pairs_ask_for_a_first_training(corpus, desk):
    document = make_document(corpus)
    make_pair(corpus, "Who?", (document.chunks.get(), 0, 3))
    review(corpus.reflections.all(), "approved", None)
    expected = "1 approved pair waits for a first training."
    assert steps(desk, corpus) == [(expected, "Train")]


def test_a_document_that_changed_since_the_training_asks_for_another_one(corpus, desk):
    ingest_text(corpus, "Harbour", "Ada Marsh leads the Harbour.")
    document = corpus.documents.get()
    pair = make_pair(corpus, "Who leads the Harbour?", (document.chunks.get(), 0, 3))
    version = MemoryVersionFactory(corpus=corpus, live=True)
    TrainedPairFactory(version=version, reflection=pair)
    assert "Train again" not in dict(steps(desk, corpus)).values()
    ingest_text(corpus, "Harbour", "Bo Stern leads the Harbour.")
    told = steps(desk, corpus)
    assert ("1 pair rests on a document that changed.", "Look at them") in told
    assert ("1 document changed since version 1 was trained.", "Train again") in told
    (stale,) = board(desk, corpus)["stale_versions"]
    assert (stale.label, stale.pairs, stale.is_live) == ("v1", 1, True)


def test_the_page_of_a_document_names_the_versions_trained_on_its_pairs(corpus, desk):
    document = make_document(corpus)
    pair = make_pair(corpus, "Who?", (document.chunks.get(), 0, 3))
    version = MemoryVersionFactory(corpus=corpus)
    TrainedPairFactory(version=version, reflection=pair)
    TrainedPairFactory(version=MemoryVersionFactory(corpus=corpus), reflection=pair, held_out=True)
    remove_document(document)
    response = desk.get(reverse("admin:knowledge_document_change", args=[document.pk]))
    assert [each.label for each in response.context["trained_versions"]] == ["v1"]
    assert reverse("admin:training_memoryversion_change", args=[version.pk]) in response.content.decode()


def test_the_page_leads_to_evaluation_sets_and_to_what_the_live_version_learned(corpus, desk):
    learned = "What the live version learned"
    EvaluationSet.objects.create(corpus=corpus, name="Nightly")
    links = {link.label: link for link in board(desk, corpus)["links"]}
    sets = links["Evaluation sets"]
    assert (sets.url, sets.count) == (reverse("evaluation-sets", args=[corpus.slug]), 1)
    assert learned not in links
    version = MemoryVersionFactory(corpus=corpus, live=True)
    links = {link.label: link for link in board(desk, corpus)["links"]}
    map_page = reverse("did-it-learn", args=[corpus.slug, version.number])
    assert links[learned].url == map_page
    for address in (
        reverse("admin:training_memoryversion_change", args=[version.pk]),
        reverse("corpus", args=[corpus.slug]),
    ):
        assert map_page in desk.get(address).content.decode()
