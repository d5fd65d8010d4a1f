"""The lists of the workbench ask a fixed number of queries, however many rows there are."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from knowledge import sampling
from knowledge.models import Corpus, Reflection, ReflectionFlag, ReflectionSource, Role
from tests.factories import CorpusFactory, DocumentFactory, GenerationRunFactory, MemoryVersionFactory
from tests.workbench import browser_of, make_pair, make_person

pytestmark = pytest.mark.django_db
PAIRS = "/admin/knowledge/reflection/"
FEW, MANY = 3, 300


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


@pytest.fixture
def desk(corpus: Corpus) -> Client:
    return browser_of(make_person("ann", corpus, Role.CURATOR))


def fill(corpus: Corpus, first: int, last: int) -> None:
    """Pairs with sources, flags and reviewers; a document for every tenth of them."""
    made = corpus.reflection_sets.first() or make_pair(corpus).reflection_set
    reviewer = make_person(f"reviewer{first}", corpus, Role.CURATOR)
    rows = Reflection.objects.bulk_create(
        Reflection(
            corpus=corpus, reflection_set=made, key=str(number), question=f"Who has number {number}?",
            answer="Ada.", kind="direct", fact=str(number), model=f"model {number % 3}", step="extract",
            reviewed_by=reviewer,
        )
        for number in range(first, last)
    )  # fmt: skip
    for start in range(0, len(rows), 10):
        chunk = DocumentFactory(corpus=corpus, name=f"{first + start}.md").chunks.get()
        some = rows[start : start + 10]
        ReflectionSource.objects.bulk_create(
            ReflectionSource(reflection=row, chunk=chunk, start=0, end=3) for row in some
        )
        ReflectionFlag.objects.bulk_create(ReflectionFlag(reflection=row, flag="very_short") for row in some)
    GenerationRunFactory(corpus=corpus, status="succeeded")
    MemoryVersionFactory(corpus=corpus)
    sampling.draw(corpus, corpus.reflections.all(), None)


def queries(desk: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert desk.get(url).status_code == 200, url
    return len(asked)


def addresses(corpus: Corpus) -> list[str]:
    document = corpus.documents.first()
    board = [
        reverse(f"admin:knowledge_corpus_{name}", args=[corpus.pk])
        for name in ("change", "coverage", "passages")
    ]
    models = ("corpus", "document", "reflection", "generationrun", "unreadsentence", "samplereview")
    filters = (
        "kind__exact=direct", "status__exact=pending", "flag=any", "flag=none", "flag=very_short",
        "reviewer=nobody", "length=short", "model=model 1", "step=extract", "stale=0", "stale=1",
        "origin=feedback", "origin=generated",
        "retired__exact=0", f"document={document.pk}", "corpus=harbour", "q=number", "q=who+has+number", "o=2",
    )  # fmt: skip
    return [
        *(f"/admin/knowledge/{model}/" for model in models),
        *(f"{PAIRS}?{query}" for query in filters),
        f"{PAIRS}sample/",
        "/admin/training/memoryversion/",
        *board,
    ]


#: The most queries that a list or filter may ask: session, person, roles, filters, count, rows, what rows show.
MOST, MOST_OF_DASHBOARD = 18, 28


def test_no_list_filter_or_dashboard_asks_more_queries_for_more_rows(corpus: Corpus, desk: Client) -> None:
    fill(corpus, 0, FEW)
    desk.get(PAIRS)  # what is cached from now on
    few = {url: queries(desk, url) for url in addresses(corpus)}
    fill(corpus, FEW, MANY)
    many: dict[str, Any] = {url: queries(desk, url) for url in few}
    grown = {url: (few[url], many[url]) for url in few if many[url] > few[url]}
    assert grown == {}
    dashboard = reverse("admin:knowledge_corpus_change", args=[corpus.pk])
    over = {
        url: count for url, count in many.items() if count > (MOST_OF_DASHBOARD if url == dashboard else MOST)
    }
    assert over == {}


def test_what_the_document_filter_offers_is_looked_up_in_pages(corpus: Corpus, desk: Client) -> None:
    fill(corpus, 0, MANY)
    url = "/admin/autocomplete/?term=&app_label=knowledge&model_name=chunk&field_name=document"
    answer = desk.get(url).json()
    assert len(answer["results"]) == 20
    assert answer["pagination"]["more"]
    assert queries(desk, url) <= 6
