"""Retrieval by the meaning that an endpoint or a model of this machine finds."""

from __future__ import annotations

import asyncio
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chat.contestants.excerpts import Excerpt
from chat.contestants.interrogation import NoAnswer
from chat.contestants.vectors import VectorIndex
from chat.contesting import POOLINGS
from chat.embedding_models import NoEmbeddingEndpoint
from knowledge.services import ingest_text
from memosite.endpoints import settings_of
from memosite.errors import MemoError
from memosite.llm import LLMError
from memosite.llm.embedding import Embedder
from tests.chat.contestants.answering import (
    PASSAGES,
    TWO_HOPS,
    answer,
    contestant,
    sub_queries,
)
from tests.evaluation.contests import carry_through, make_set
from tests.factories import CorpusFactory, EndpointFactory
from tests.training.bases import save_bert
from training.engine import embed
from training.engine.intake import FolderRefused
from training.lab.runs.contestants import KINDS, Spec
from training.lab.runs.lineup import lineup
from training.lab.runs.running import start_evaluation
from training.models import EvaluationAnswer


# --- Dense retrieval ---------------------------------------------------------------------------------------
def test_dense_retrieval_finds_by_vectors_and_pays_for_the_queries(embedder, server):
    answered = answer(contestant("dense", top=2))
    assert answered.values == ("rowing",)
    asked = sub_queries(answered)
    assert server.ledger.calls["embeddings"] == 1 + len(asked)  # all documents, and each sub-query
    tokens = sum(len(question) // 4 for question in asked)
    assert answered.cost == pytest.approx(tokens * 1_000 / 1_000_000)


def test_documents_are_embedded_before_the_clock_of_the_first_question_runs(embedder, server):
    one = contestant("dense", top=2)
    asyncio.run(one.prepare())
    assert server.ledger.calls["embeddings"] == 1
    answered = answer(one)
    assert server.ledger.calls["embeddings"] == 1 + len(sub_queries(answered))


def test_what_a_server_of_vectors_cannot_prepare_is_told(embedder, server):
    server.fault_of_vectors = "too few"
    with pytest.raises(LLMError, match="vectors for 7 texts"):
        asyncio.run(contestant("dense").prepare())


def test_documents_go_to_an_endpoint_and_not_to_a_model_of_this_machine(embedder, offered):
    sends = KINDS["dense"].sends_documents
    assert sends(Spec("dense"))
    assert not sends(Spec("dense", options={"model": offered}))
    assert not KINDS["bm25"].sends_documents(Spec("bm25"))


def test_documents_are_embedded_once_for_all_runs(embedder, server, tmp_path):
    answer(contestant("dense", top=2))
    before = server.ledger.calls["embeddings"]
    answered = answer(contestant("dense", top=2))
    assert server.ledger.calls["embeddings"] == before + len(sub_queries(answered))
    (kept,) = (tmp_path / "embeddings").glob("*/*")
    kept.write_bytes(b"half of a file")
    assert answer(contestant("dense", top=2)).values == ("rowing",)


def test_what_was_embedded_before_the_server_failed_is_not_paid_for_again(embedder, server, tmp_path):
    excerpts = [Excerpt("Ada Lund", f"Ada Lund has {number} boats.") for number in range(6)]

    def index() -> VectorIndex:
        client = Embedder(settings_of(embedder))
        return VectorIndex(
            excerpts, lambda: client, kept=tmp_path / "kept", price=lambda tokens: Decimal(0), at_once=2
        )

    asyncio.run(index().prepare())
    lost, *others = sorted((tmp_path / "kept").iterdir())
    lost.unlink()
    before = server.ledger.calls["embeddings"]
    server.fault_of_vectors = "too few"
    with pytest.raises(LLMError):
        asyncio.run(index().prepare())
    server.fault_of_vectors = ""
    asyncio.run(index().prepare())
    assert server.ledger.calls["embeddings"] == before + 2  # the one that failed, and the same again
    assert len(others) == 2


def test_a_server_of_vectors_that_fails_is_told_as_an_error(embedder, server):
    server.fault_of_vectors = "too few"
    with pytest.raises(NoAnswer, match="vectors for 7 texts"):
        answer(contestant("dense"))


def test_a_model_that_was_changed_has_the_documents_embedded_anew(embedder, server, monkeypatch):
    one = contestant("dense", top=2)
    answer(one)
    monkeypatch.setattr("tests.llm_server.VECTOR", 32)
    with pytest.raises(NoAnswer, match="32 numbers where the documents have 64"):
        answer(one)
    assert answer(one).values == ("rowing",)


@pytest.mark.django_db
def test_without_an_embedding_endpoint_there_is_no_dense_retrieval():
    with pytest.raises(NoEmbeddingEndpoint, match="add one under Endpoints with the role “embedding”"):
        contestant("dense")


def test_of_several_embedding_endpoints_one_has_to_be_named(embedder):
    EndpointFactory(name="other vectors", role="embedding", base_url=embedder.base_url)
    with pytest.raises(NoEmbeddingEndpoint, match=r"Say which .* “other vectors”, “vectors”"):
        contestant("dense")
    with pytest.raises(NoEmbeddingEndpoint, match="no embedding endpoint “none”"):
        contestant("dense", endpoint="none")
    assert answer(contestant("dense", endpoint="vectors", top=2)).values == ("rowing",)


# --- Dense retrieval with a model of this machine ---
@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder with weights made at random."""
    return save_bert(tmp_path_factory.mktemp("encoder"), [passage.text for passage in PASSAGES])


@pytest.fixture
def offered(encoder: Path, settings: Any, tmp_path: Path) -> str:
    settings.STATE_DIR = tmp_path
    settings.EMBEDDING_MODELS = [str(encoder), "some/encoder", f"other/encoder@{'a' * 40}"]
    return str(encoder)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_model_of_this_machine_finds_by_meaning_and_costs_nothing(offered, tmp_path, pooling):
    answered = answer(contestant("dense", model=offered, pooling=pooling, top=7))  # all of the sentences
    assert (answered.values, answered.cost, answered.calls) == (("rowing",), 0, 0)
    assert len(list((tmp_path / "embeddings").iterdir())) == 1


def test_the_poolings_are_those_of_the_engine():
    assert POOLINGS == embed.POOLINGS


def test_another_pooling_and_other_weights_are_another_contestant(offered, encoder, settings, tmp_path):
    marks = [contestant("dense", model=offered, pooling=pooling).fingerprint for pooling in POOLINGS]
    other = tmp_path / "other"
    shutil.copytree(encoder, other)
    with (other / "config.json").open("a") as file:
        file.write("\n")
    settings.EMBEDDING_MODELS = [str(other)]
    marks.append(contestant("dense", model=str(other)).fingerprint)
    assert len(set(marks)) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"model": "/etc"},
            "“/etc” is not offered here. .* EMBEDDING_MODELS; there is: “.*”, “some/encoder”",
        ),
        ({"model": "some/encoder"}, "without its commit"),
        ({"model": "other/encoder", "endpoint": "vectors"}, "an endpoint or a model, not both"),
        ({"model": "other/encoder", "pooling": "max"}, "pooling: choose one of: mean, cls"),
        ({"pooling": "cls"}, "name it with model="),
    ],
)
def test_a_model_that_cannot_be_used_is_refused_before_a_run_is_stored(offered, options, words):
    with pytest.raises(MemoError, match=words) as refusal:
        lineup((), against=[("dense", options)])
    assert refusal.value.status == 422


def test_a_model_on_the_hub_is_checked_without_loading_it(offered):
    (spec,) = lineup((), against=[("dense", {"model": "other/encoder"})])
    assert spec.options == {"model": "other/encoder"}


def test_a_folder_that_could_run_code_is_refused(offered, settings, encoder, tmp_path):
    folder = tmp_path / "with code"
    shutil.copytree(encoder, folder)
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    settings.EMBEDDING_MODELS = [str(folder)]
    with pytest.raises(FolderRefused, match="could run code"):
        lineup((), against=[("dense", {"model": str(folder)})])


@pytest.mark.django_db
def test_a_run_asks_dense_retrieval_with_a_model_of_this_machine(offered):
    corpus = CorpusFactory()
    for passage in PASSAGES:
        ingest_text(corpus, passage.title, passage.text)
    asked = make_set(corpus)
    asked.questions.all().delete()
    asked.questions.create(text=TWO_HOPS.text, answers=["rowing"])
    specs = lineup((), against=[("dense", {"model": offered, "top": "7"})])
    run = carry_through(start_evaluation(asked, specs))
    (given,) = EvaluationAnswer.objects.all()
    assert (run.status, run.error, given.error, given.exact) == ("succeeded", "", "", True)
