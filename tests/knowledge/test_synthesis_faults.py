"""A server that misbehaves in ten ways: good documents come through, bad ones are named, a retry heals them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from knowledge.generation import perform_generation
from knowledge.models import Corpus, GenerationRun, Reflection
from knowledge.synthesis import retry_failed
from memosite.errors import Conflict
from memosite.runs import work_on
from tests.factories import CorpusFactory, DocumentFactory, EndpointFactory, GenerationRunFactory
from tests.llm_server import FAULTS, HARMLESS, LLMServer, llm_server

pytestmark = pytest.mark.django_db
DOCUMENTS = 100


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with llm_server() as running:
        yield running


@pytest.fixture(autouse=True)
def no_heartbeat_within_a_test(settings) -> None:  # its thread would wait for the test's own transaction
    settings.RUN_LEASE_SECONDS = 600


def text_about(name: str, number: int) -> str:
    town = ("Oslo Harbour", "Lima Gardens", "Quito Fields")[number % 3]
    return (
        f"{name} was born in {town} in {1900 + number}. {name} worked as a baker for {number + 2} years. "
        f"{name} wrote {number + 3} books about bread. {name} died in {1970 + number}."
    )


def make_corpus(slug: str, documents: int = DOCUMENTS) -> Corpus:
    corpus = CorpusFactory(slug=slug)
    for number in range(documents):
        name = f"Person {number:03d}"
        DocumentFactory(corpus=corpus, name=f"{number:03d}.md", title=name, text=text_about(name, number))
    return corpus


def run_over(corpus: Corpus, server: LLMServer, **endpoint: object) -> GenerationRun:
    row = EndpointFactory(name=corpus.slug, base_url=server.url, **endpoint)
    run = GenerationRunFactory(corpus=corpus, generator=row.name, endpoint=row)
    return carry_on(run)


def carry_on(run: GenerationRun) -> GenerationRun:
    work_on(run, perform_generation)
    run.refresh_from_db()
    return run


def pairs_by_document(corpus: Corpus, *, without: str = "") -> dict[str, set[tuple[str, str, str]]]:
    """The pairs that one document alone supports, by its title."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    rows = (
        Reflection.objects.filter(corpus=corpus, retired=False)
        .exclude(kind=without)
        .prefetch_related("sources__document")
    )
    for row in rows:
        titles = {chunk.document.title for chunk in row.sources.all()}
        if len(titles) == 1:
            found.setdefault(titles.pop(), set()).add((row.question, row.answer, row.kind))
    return found


def test_ten_kinds_of_fault_on_a_hundred_documents(server: LLMServer) -> None:
    whole = make_corpus("whole")
    assert run_over(whole, server).status == "succeeded"
    expected = pairs_by_document(whole)
    checked_alone = pairs_by_document(
        whole, without="unanswerable"
    )  # those are checked against other documents

    hit = {f"Person {10 * number + 5:03d}": fault for number, fault in enumerate(FAULTS)}
    assert len(hit) == 10
    server.faults = hit
    corpus = make_corpus("faulty")
    run = run_over(corpus, server, timeout_seconds=1.0, max_retries=1)
    bad = {title for title, fault in hit.items() if fault not in HARMLESS}

    assert run.status == "with_errors"
    assert {failure["document"] for failure in run.item_errors} == bad
    assert all(failure["step"] and failure["error"] for failure in run.item_errors)
    found = pairs_by_document(corpus, without="unanswerable")
    for title, pairs in checked_alone.items():
        if title not in bad:
            assert found[title] == pairs, f"{title} lost pairs"

    paid = run.spend["calls"]
    server.faults = {}
    retry_failed(run)
    assert carry_on(run).status == "succeeded"
    assert run.item_errors == []
    assert pairs_by_document(corpus) == expected
    assert run.spend["calls"] - paid < paid / 2, "a retry asks what failed, not everything"


def test_what_went_wrong_is_told_in_words(server: LLMServer) -> None:
    corpus = make_corpus("told", 6)
    server.faults = dict(
        zip(
            (f"Person {number:03d}" for number in range(6)),
            ("429", "500", "hang", "reset", "refusal", "wrong keys"),
            strict=True,
        )
    )
    run = run_over(corpus, server, timeout_seconds=1.0, max_retries=0)
    told = {
        failure["document"]: failure["error"] for failure in run.item_errors if failure["step"] == "direct"
    }
    words = (
        "status 429",
        "status 500",
        "did not answer within 1 s",
        "cannot be reached",
        "refused",
        "question_text",
    )
    for (title, error), word in zip(sorted(told.items()), words, strict=True):
        assert word in error, f"{title}: {error}"


def test_the_pairs_of_a_document_that_fails_this_time_are_not_retired(server: LLMServer) -> None:
    corpus = make_corpus("again", 4)
    run_over(corpus, server)
    before = pairs_by_document(corpus)
    server.faults = {"Person 002": "500"}
    again = GenerationRunFactory(
        corpus=corpus, generator="again", endpoint=corpus.generation_runs.get().endpoint, fresh=True
    )
    again.endpoint.max_retries = 0
    again.endpoint.save()
    assert carry_on(again).status == "with_errors"
    assert pairs_by_document(corpus)["Person 002"] == before["Person 002"]


def test_there_is_nothing_to_retry_in_a_run_that_succeeded(server: LLMServer) -> None:
    run = run_over(make_corpus("fine", 2), server)
    with pytest.raises(Conflict, match="Nothing failed"):
        retry_failed(run)
