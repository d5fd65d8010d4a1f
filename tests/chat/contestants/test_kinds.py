"""The kinds of contestants with their options, and what makes two contestants the same."""

from __future__ import annotations

import pytest

from chat.contesting import BadOptions
from memosite.endpoints import NoKey
from memosite.errors import MemoError
from memosite.llm import BadReply
from memosite.models import Endpoint
from tests.chat.contestants.answering import (
    ADA,
    PAIRS,
    PASSAGES,
    answer,
    contestant,
    memo,
)
from tests.factories import EndpointFactory, MemoryVersionFactory
from tests.fakes import PairMemory
from training.lab.runs.contestants import KINDS, Spec, UnknownKind, build
from training.lab.runs.lineup import lineup


# --- The table of kinds ------------------------------------------------------------------------------------
def test_the_kinds_are_those_of_the_documentation_with_their_defaults():
    assert list(KINDS) == ["memory", "closed_book", "bm25", "dense", "perfect"]
    assert [kind.name for kind in KINDS.values() if kind.needs_version] == ["memory"]
    retrieval = {"token_budget": 8000, "decompose": True, "unit": "sentence", "top": 5}
    assert KINDS["bm25"].options == retrieval
    assert KINDS["dense"].options == {**retrieval, "endpoint": "", "model": "", "pooling": "mean"}
    assert KINDS["memory"].options == {"token_budget": 8000}
    assert KINDS["closed_book"].options == {}


def test_an_unknown_kind_is_refused_with_those_there_are():
    with pytest.raises(UnknownKind, match="bm25, closed_book, dense, memory, perfect"):
        contestant("oracle")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"top": 0}, "top: Input should be greater than or equal to 1"),
        ({"top": "many"}, "top: Input should be a valid integer"),
        ({"unit": "page"}, "unit: .*choose one of: sentence, chunk, article"),
        ({"tops": 3}, "tops: Extra inputs are not permitted. It has: token_budget, decompose, unit, top"),
        ({"token_budget": -1}, "token_budget"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, words):
    with pytest.raises(BadOptions, match=words):
        contestant("bm25", **options)


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("bm25", {"top": "0"}, "top: Input should be greater than or equal to 1"),
        ("bm25", {"unit": "foo"}, r"unit: choose one of: sentence, chunk, article\. It has: token_budget,"),
        ("bm25", {"decompose": "perhaps"}, "decompose: Input should be a valid boolean"),
        ("bm25", {"depth": "2"}, "has no option “depth”. Its options: token_budget, decompose, unit, top"),
        ("closed_book", {"top": "3"}, "has no option “top”. Its options: none"),
        ("dense", {}, "add one under Endpoints with the role “embedding”"),
    ],
)
@pytest.mark.django_db
def test_a_run_with_options_that_cannot_be_used_is_refused_before_it_is_stored(kind, options, words):
    with pytest.raises(MemoError, match=words) as refusal:
        lineup((), against=[(kind, options)])
    assert refusal.value.status == 422


@pytest.mark.django_db
def test_an_embedding_endpoint_without_its_key_is_refused_before_a_run_is_stored():
    EndpointFactory(name="vectors", role="embedding", key_variable="NO_SUCH_KEY")
    with pytest.raises(NoKey, match="NO_SUCH_KEY"):
        lineup((), against=[("dense", {})])


def test_options_may_come_as_the_texts_of_a_form():
    answered = answer(contestant("bm25", top="1", decompose="true", token_budget="100"))
    assert answered.values == ("rowing",)


@pytest.mark.django_db
def test_an_executive_that_is_gone_is_told():
    with pytest.raises(MemoError, match="no longer there"):
        contestant("bm25", "gone")


# --- Fingerprints ------------------------------------------------------------------------------------------
def test_the_same_contestant_has_the_same_fingerprint(model):
    for executive in ("rules", "model"):
        one, other = (contestant("bm25", executive).fingerprint for _ in range(2))
        assert one == other
        assert len(one) == 64


def test_whatever_may_change_an_answer_changes_the_fingerprint(model, settings):
    marks = [
        contestant("bm25").fingerprint,
        contestant("perfect").fingerprint,
        contestant("closed_book").fingerprint,
        contestant("bm25", top=1).fingerprint,
        contestant("bm25", passages=(ADA,)).fingerprint,
        contestant("bm25", "model").fingerprint,
    ]
    Endpoint.objects.update(model="another-model")
    marks.append(contestant("bm25", "model").fingerprint)
    settings.SUB_QUERY_BUDGET = 3
    marks.append(contestant("bm25").fingerprint)
    assert len(set(marks)) == len(marks)


@pytest.mark.django_db
def test_another_version_has_another_fingerprint_and_the_documents_do_not_matter(monkeypatch):
    memory = PairMemory(PAIRS)
    one, other = memo(monkeypatch, memory), memo(monkeypatch, memory)
    assert one.fingerprint != other.fingerprint
    version = MemoryVersionFactory()
    marks = {build(Spec("memory", version=version), passages).fingerprint for passages in ((), PASSAGES)}
    assert len(marks) == 1


def test_a_reply_without_an_answer_is_asked_for_again_and_then_refused(model, server, monkeypatch):
    monkeypatch.setattr(
        "tests.contestant_script.told", lambda values, text: {"known": True, "answer": " ", "values": []}
    )
    with pytest.raises(BadReply, match='"answer" is empty'):
        answer(contestant("closed_book", "model"))
    assert server.ledger.calls["closed_book"] == 2
