"""Runs with a language model: what is stored, what is paid, and how a run is stopped, paused and shared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from knowledge.forecast import foresee
from knowledge.generation import perform_generation
from knowledge.generators import UnknownGenerator
from knowledge.models import GenerationRun, GenerationUnit, LLMCall, Reflection
from knowledge.services import ingest_text, start_generation
from knowledge.synthesis import plan_passages, retry_failed
from knowledge.synthesis.worker import PASSAGES, Worker
from memosite.endpoints import NoKey
from memosite.errors import Conflict
from memosite.runs import Status, work_on
from tests.factories import CorpusFactory, DocumentFactory, EndpointFactory
from tests.knowledge.test_synthesis_faults import (
    carry_on,
    make_corpus,
    no_heartbeat_within_a_test,
    pairs_by_document,
    run_over,
)
from tests.llm_server import LLMServer, llm_server

pytestmark = pytest.mark.django_db
__all__ = ["no_heartbeat_within_a_test"]


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with llm_server() as running:
        yield running


def test_every_pair_says_where_it_comes_from(server: LLMServer) -> None:
    corpus = make_corpus("origins", 6)
    run = run_over(corpus, server)
    rows = Reflection.objects.filter(corpus=corpus).prefetch_related("source_spans__chunk")
    assert {row.kind for row in rows} == {
        "direct", "indirect", "consolidated", "entity", "cross_document", "unanswerable"
    }  # fmt: skip
    for row in rows:
        assert row.source_spans.all(), row.question
        assert all(span.chunk.text[span.start : span.end].strip() for span in row.source_spans.all())
        assert row.step
        assert row.prompt_version.rpartition("-")[2]
        assert row.model == "test-model"
        assert row.call is not None
        assert (row.call.step, row.call.run) == (row.step, run)


def test_pairs_across_documents_carry_the_spans_of_each_document(server: LLMServer) -> None:
    corpus = make_corpus("across", 6)
    run_over(corpus, server)
    for row in corpus.reflections.filter(kind="cross_document"):
        assert len({chunk.document_id for chunk in row.sources.all()}) > 1


def test_several_wordings_of_a_fact_share_it(server: LLMServer) -> None:
    corpus = make_corpus("wordings", 1)
    run_over(corpus, server)
    wordings = Counter(corpus.reflections.filter(kind="direct").values_list("fact", flat=True))
    assert len(wordings) == 4
    assert max(wordings.values()) == 3


def test_open_questions_are_answered_with_i_dont_know(server: LLMServer) -> None:
    corpus = make_corpus("open", 4)
    run_over(corpus, server)
    rows = corpus.reflections.filter(kind="unanswerable")
    assert rows
    assert set(rows.values_list("answer", flat=True)) == {"I don't know."}


def test_discarded_pairs_are_counted_by_reason(server: LLMServer) -> None:
    run = run_over(make_corpus("counted", 20), server)
    assert run.discarded_for["unsupported"] == run.discarded > 0


def test_a_second_run_over_the_same_documents_pays_for_nothing(server: LLMServer) -> None:
    corpus = make_corpus("twice", 5)
    first = run_over(corpus, server)
    before, asked = pairs_by_document(corpus), server.ledger.calls.total()
    second = carry_on(start_generation(corpus, generator=first.generator))
    assert second.status == "succeeded"
    assert server.ledger.calls.total() == asked
    assert second.spend["calls"] == 0
    assert pairs_by_document(corpus) == before


def test_a_changed_document_is_all_that_a_second_run_pays_for(server: LLMServer) -> None:
    corpus = CorpusFactory(slug="changed")
    texts = {
        f"Person {n}": f"Person {n} was born in 19{n:02d}. Person {n} died in 20{n:02d}." for n in range(9)
    }
    for title, text in texts.items():
        ingest_text(corpus, title, text)
    first = run_over(corpus, server)
    server.ledger.calls.clear()
    ingest_text(
        corpus, "Person 8", "Person 8 was born in Oslo in 1908. Person 8 sailed twice. Person 8 died."
    )
    carry_on(start_generation(corpus, generator=first.generator))
    assert server.ledger.calls["direct"] == 1
    assert not corpus.reflections.filter(retired=False, sources__document__is_current=False).exists()


def test_a_run_over_chosen_passages_asks_anew_and_leaves_the_rest_as_it_is(server: LLMServer) -> None:
    corpus = make_corpus("chosen", 3)
    first = run_over(corpus, server)
    before = corpus.reflections.filter(retired=False).count()
    server.ledger.calls.clear()
    chunk = corpus.documents.get(title="Person 001").chunks.get()
    run = carry_on(start_generation(corpus, generator=first.generator, chunks=[chunk]))
    assert (run.status, server.ledger.calls["direct"], server.ledger.calls["synthesize"]) == (
        "succeeded",
        1,
        0,
    )
    assert corpus.reflections.filter(retired=False).count() == before


def test_a_budget_pauses_the_run_before_it_is_exceeded_and_a_higher_one_lets_it_go_on(
    server: LLMServer,
) -> None:
    corpus = make_corpus("budget", 12)
    endpoint = EndpointFactory(base_url=server.url, concurrency=2, input_price=10, output_price=10)
    run = carry_on(start_generation(corpus, generator=endpoint.name, budget=Decimal("0.20")))
    assert run.status == "paused"
    assert "budget" in run.error
    assert Decimal("0.1") < run.spend["cost"] <= Decimal("0.20")
    GenerationRun.objects.filter(pk=run.pk).update(budget=Decimal(50))
    run.refresh_from_db()
    run.resume()
    assert carry_on(run).status == "succeeded"
    assert server.ledger.calls.total() == LLMCall.objects.filter(run=run).count()


def test_a_paused_run_keeps_what_it_has_paid_for(server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = make_corpus("paused", 20)
    endpoint = EndpointFactory(base_url=server.url, concurrency=2)
    run = start_generation(corpus, generator=endpoint.name)
    stop_after(monkeypatch, 15, lambda: GenerationRun.objects.get(pk=run.pk).request_pause())
    assert carry_on(run).status == "paused"
    assert not run.units.filter(status=Status.RUNNING).exists()
    run.resume()
    assert carry_on(run).status == "succeeded"
    assert server.ledger.bodies.most_common(1)[0][1] == 1, "a call was paid for twice"


def test_a_cancelled_run_makes_no_further_call(server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = make_corpus("cancelled", 20)
    endpoint = EndpointFactory(base_url=server.url, concurrency=2)
    run = start_generation(corpus, generator=endpoint.name)
    stop_after(monkeypatch, 10, lambda: GenerationRun.objects.get(pk=run.pk).request_cancel())
    assert carry_on(run).status == "cancelled"
    assert server.ledger.calls.total() < 60
    assert LLMCall.objects.filter(run=run).count() >= 10


def stop_after(monkeypatch: pytest.MonkeyPatch, calls: int, stop: Any) -> None:
    """Do ``stop`` once so many calls are kept, and let every report look at the run."""
    from knowledge.synthesis.calls import RowStore

    keep = RowStore._keep

    def keep_and_stop(self: RowStore, *args: Any) -> None:
        keep(self, *args)
        if self._calls == calls:
            stop()

    monkeypatch.setattr(RowStore, "_keep", keep_and_stop)
    monkeypatch.setattr("knowledge.synthesis.worker.TICK_SECONDS", 0.001)


def test_a_unit_is_claimed_by_one_worker_only(server: LLMServer) -> None:
    corpus = make_corpus("shared", 10)
    run = start_generation(corpus, generator=EndpointFactory(base_url=server.url).name)
    plan_passages(run)
    one, other = Worker(run), Worker(run, is_helper=True)
    claimed = [worker._claim(PASSAGES) for worker in (one, other) * 4]
    keys = [unit.pk for unit in claimed if unit]
    assert len(keys) == len(set(keys)) == GenerationUnit.objects.count()


def test_a_unit_that_another_worker_took_over_is_not_stored_twice(server: LLMServer) -> None:
    from knowledge.pipeline.synthesis import Synthesis

    corpus = make_corpus("taken", 2)
    run = start_generation(corpus, generator=EndpointFactory(base_url=server.url).name)
    plan_passages(run)
    slow, quick = Worker(run), Worker(run)
    unit = slow._claim(PASSAGES)
    assert unit
    GenerationUnit.objects.filter(pk=unit.pk).update(lease=quick.lease)
    slow._store(unit, Synthesis())
    assert GenerationUnit.objects.get(pk=unit.pk).status == Status.RUNNING


def test_a_missing_key_is_told_before_the_run_starts(
    server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = make_corpus("keyless", 1)
    endpoint = EndpointFactory(base_url=server.url, key_variable="A_KEY_OF_NOBODY")
    with pytest.raises(NoKey, match="A_KEY_OF_NOBODY"):
        start_generation(corpus, generator=endpoint.name)
    assert not corpus.generation_runs.exists()
    monkeypatch.setenv("A_KEY_OF_NOBODY", "sesame")
    carry_on(start_generation(corpus, generator=endpoint.name))
    assert server.keys_seen == {"Bearer sesame"}


def test_a_generator_that_does_not_exist_is_refused_with_those_that_do(server: LLMServer) -> None:
    EndpointFactory(name="large", base_url=server.url)
    EndpointFactory(name="a judge", role="judge", base_url=server.url)
    with pytest.raises(UnknownGenerator, match=r"Choose one of: rules, large\."):
        start_generation(make_corpus("unknown", 1), generator="a judge")


def test_the_corpus_says_which_generator_is_used(server: LLMServer) -> None:
    corpus = make_corpus("own", 1)
    assert start_generation(corpus).generator == "rules"
    GenerationRun.objects.all().delete()
    corpus.generator = EndpointFactory(base_url=server.url)
    assert start_generation(corpus).endpoint == corpus.generator


def test_a_paused_run_stands_in_the_way_of_another(server: LLMServer) -> None:
    corpus = make_corpus("waiting", 1)
    start_generation(corpus).request_pause()
    with pytest.raises(Conflict, match="paused"):
        start_generation(corpus)


def test_the_forecast_is_near_what_a_run_takes_and_learns_from_it(server: LLMServer) -> None:
    corpus = make_corpus("foreseen", 30)
    endpoint = EndpointFactory(base_url=server.url, input_price=1, output_price=2)
    first = foresee(corpus, endpoint)
    run = carry_on(start_generation(corpus, generator=endpoint.name))
    spent = run.spend
    assert 0.5 < first.calls / spent["calls"] < 2
    assert not first.is_measured
    second = foresee(corpus, endpoint)
    assert second.is_measured
    assert second.prompt_tokens == pytest.approx(spent["prompt_tokens"], rel=0.02)
    assert second.dollars == pytest.approx(spent["cost"], rel=Decimal("0.02"))


def test_a_run_whose_endpoint_was_deleted_says_so(server: LLMServer) -> None:
    corpus = make_corpus("gone", 1)
    run = start_generation(corpus, generator=EndpointFactory(name="gone", base_url=server.url).name)
    run.endpoint.delete()
    run.refresh_from_db()
    work_on(run, perform_generation)
    run.refresh_from_db()
    assert run.status == "failed"
    assert "deleted" in run.error


def test_what_two_documents_say_alike_becomes_one_pair_with_the_sources_of_both(server: LLMServer) -> None:
    corpus = CorpusFactory(slug="alike")
    text = "The Gull Mill burnt down in 1931. Ada Marsh rebuilt it. Bo Lind paid for it. It stands in Oslo."
    for name in ("one.md", "two.md"):
        DocumentFactory(corpus=corpus, name=name, title="Gull Mill", text=text + f" <{name}>")
    run = run_over(corpus, server)
    rows = corpus.reflections.filter(retired=False, question="What does fact 1 of Gull Mill tell?")
    assert {chunk.document.name for chunk in rows.get().sources.all()} == {"one.md", "two.md"}

    third = DocumentFactory(
        corpus=corpus, name="three.md", title="Gull Mill", text=text.replace("Gull Mill", "gull mill")
    )
    run = carry_on(start_generation(corpus, generator=run.generator))
    assert run.discarded_for["near duplicate"] > 0
    assert {chunk.document.name for chunk in rows.get().sources.all()} == {"one.md", "two.md", third.name}
    assert run.pairs == corpus.reflections.filter(retired=False).count()


def test_a_unit_that_is_done_again_doubles_no_source(server: LLMServer) -> None:
    corpus = make_corpus("redone", 2)
    run = run_over(corpus, server)
    spans = list(corpus.reflections.values_list("pk", "source_spans__chunk", "source_spans__start"))
    run.units.update(status=Status.FAILED)
    retry_failed(run)
    carry_on(run)
    assert list(corpus.reflections.values_list("pk", "source_spans__chunk", "source_spans__start")) == spans
