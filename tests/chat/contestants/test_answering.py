"""Who answers in an evaluation: MeMo, the EXECUTIVE alone, and retrieval in the place of MEMORY."""

from __future__ import annotations

from typing import Any

import pytest

from chat.contestants.excerpts import Excerpt, cut
from chat.contestants.interrogation import Heard, NoAnswer
from chat.contestants.kinds import RULES_KNOW_NOTHING, NoGoldDocuments
from chat.contestants.ledger import Ledger
from chat.contestants.tokens import count_tokens
from chat.contesting import NeedsVersion
from memosite.errors import MemoError
from memosite.llm import LLMError
from memosite.models import Endpoint
from tests.chat.contestants.answering import (
    ADA,
    EVA,
    MANAGERS,
    OLA,
    ONE_HOP,
    PAIRS,
    PASSAGES,
    TWO_HOPS,
    UNKNOWN,
    answer,
    contestant,
    memo,
    sub_queries,
)
from tests.fakes import PairMemory, WordedMemory
from tests.llm_server import FAULTS, HARMLESS
from training.evaluation.types import Passage, Question


# --- MeMo --------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_memo_interrogates_its_memory_and_counts_what_it_hears(monkeypatch):
    answered = answer(memo(monkeypatch, PairMemory(PAIRS)))
    assert (answered.values, answered.known, answered.calls) == (("rowing",), True, 0)
    assert sub_queries(answered) == ["Who is the manager of Ada Lund?", "What is the hobby of Ola Berg?"]
    assert answered.read_tokens == sum(count_tokens(said) for _, said in PAIRS[:2])
    assert answered.transcript[-1]["type"] == "final"
    assert "heartbeat" not in {event["type"] for event in answered.transcript}


@pytest.mark.django_db
def test_memo_hears_no_more_than_its_token_budget(monkeypatch):
    first = count_tokens(PAIRS[0][1])
    answered = answer(memo(monkeypatch, PairMemory(PAIRS), token_budget=first))
    assert not answered.known
    assert answered.read_tokens == first


def test_what_is_over_the_budget_is_not_heard_and_not_counted():
    ledger = Ledger()
    heard = Heard(PairMemory(PAIRS), 12, ledger)
    first, second = heard.answer([PAIRS[0][0], PAIRS[1][0]])
    assert (first.known, second.known) == (True, False)
    assert ledger.read_tokens == count_tokens(PAIRS[0][1])


@pytest.mark.django_db
def test_memo_says_that_it_does_not_know(monkeypatch):
    answered = answer(memo(monkeypatch, PairMemory(PAIRS)), UNKNOWN)
    assert (answered.values, answered.known) == ((), False)


@pytest.mark.django_db
def test_a_memory_that_fails_is_told_as_an_error(monkeypatch):
    class Broken:
        def answer(self, questions: Any) -> Any:
            raise MemoError("The artifact is missing. Restore it.")

    with pytest.raises(NoAnswer, match=r"The artifact is missing\. Restore it\."):
        answer(memo(monkeypatch, Broken()))


@pytest.mark.django_db
def test_memo_needs_a_version():
    with pytest.raises(NeedsVersion, match="Choose the memory version"):
        contestant("memory")


def test_a_language_model_leads_memo_and_its_calls_are_paid(monkeypatch, model, server):
    answered = answer(memo(monkeypatch, WordedMemory(PairMemory(PAIRS)), "model"), MANAGERS)
    assert answered.values == ("Eva Holm",)
    assert answered.calls == 3  # the plan, the next question, the answer
    assert answered.prompt_tokens == sum(server.ledger.prompt_tokens.values())
    expected = (answered.prompt_tokens + 2 * answered.completion_tokens) / 1_000_000
    assert answered.cost == pytest.approx(expected)
    assert answered.seconds > 0


@pytest.mark.parametrize("question", [MANAGERS, UNKNOWN], ids=["with an answer", "without one"])
def test_an_executive_that_is_down_is_told_as_an_error_and_is_no_abstention(
    monkeypatch, model, server, question
):
    server.faults_of_stage = dict.fromkeys(("plan", "next", "answer"), "500")
    with pytest.raises(NoAnswer, match="not asked again for this question"):
        answer(memo(monkeypatch, WordedMemory(PairMemory(PAIRS)), "model"), question)


def test_a_failure_that_the_executive_gets_over_is_none(monkeypatch, model, server):
    server.faults_of_stage = {"plan": "500"}
    answered = answer(memo(monkeypatch, WordedMemory(PairMemory(PAIRS)), "model"), ONE_HOP)
    assert answered.known


# --- Closed book -------------------------------------------------------------------------------------------
def test_the_built_in_rules_know_nothing_by_themselves_and_say_so():
    answered = answer(contestant("closed_book"))
    assert (answered.text, answered.known, answered.calls) == (RULES_KNOW_NOTHING, False, 0)


def test_a_language_model_is_asked_outright(model, server):
    server.known = {TWO_HOPS.text: ["rowing"]}
    answered = answer(contestant("closed_book", "model"))
    assert (answered.values, answered.known, answered.calls, answered.read_tokens) == (
        ("rowing",),
        True,
        1,
        0,
    )
    assert server.ledger.calls == {"closed_book": 1}
    assert not answer(contestant("closed_book", "model"), ONE_HOP).known


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_misbehaves_gives_an_answer_or_an_error_in_words(model, server, fault):
    server.known = {TWO_HOPS.text: ["rowing"]}
    server.faults_of_stage = {"closed_book": fault}
    if fault == "hang":
        Endpoint.objects.update(timeout_seconds=0.5)
    if fault in HARMLESS | {"truncated", "wrong keys"}:  # either the answer or its values can be read
        assert answer(contestant("closed_book", "model")).known
    else:
        with pytest.raises(LLMError, match=r"\w+ \w+"):
            answer(contestant("closed_book", "model"))


# --- Retrieval with the built-in EXECUTIVE -----------------------------------------------------------------
def test_bm25_is_interrogated_in_the_same_stages_as_a_memory():
    answered = answer(contestant("bm25", top=1))
    assert answered.values == ("rowing",)
    assert sub_queries(answered) == ["Who is the manager of Ada Lund?", "What is the hobby of Ola Berg?"]
    read = [Excerpt("Ada Lund", "The manager of Ada Lund is Ola Berg.")]
    read += [Excerpt("Ola Berg", "The hobby of Ola Berg is rowing.")]
    assert answered.read_tokens == sum(excerpt.tokens for excerpt in read)


@pytest.mark.parametrize("unit", ["sentence", "chunk", "article"])
def test_every_unit_answers(unit):
    answered = answer(contestant("bm25", unit=unit, top=2))
    assert answered.values == ("rowing",)


def test_what_retrieval_does_not_find_is_not_known():
    answered = answer(contestant("bm25", passages=(ADA, EVA)))
    assert (answered.known, answered.values) == (False, ())
    assert not answer(contestant("bm25"), UNKNOWN).known


def test_without_decomposition_only_what_the_whole_question_finds_is_read():
    whole = contestant("bm25", unit="article", top=1, decompose=False)
    assert not answer(whole).known  # the article on Ada, not the one on Ola
    assert answer(contestant("bm25", unit="article", top=2, decompose=False)).values == ("rowing",)


def test_the_token_budget_bounds_what_is_read_at_once():
    answered = answer(contestant("bm25", unit="article", top=3, token_budget=12))
    assert not answered.known
    assert answered.read_tokens <= 12 * len(sub_queries(answered))


# --- Retrieval with a language model -----------------------------------------------------------------------
def test_a_language_model_reads_for_itself_and_its_reading_is_paid(model, server):
    answered = answer(contestant("bm25", "model", top=1), MANAGERS)
    assert answered.values == ("Eva Holm",)
    assert server.ledger.calls == {"plan": 1, "next": 1, "answer": 1, "read": 2}
    assert answered.calls == 5
    assert answered.prompt_tokens == sum(server.ledger.prompt_tokens.values())
    assert answered.completion_tokens == sum(server.ledger.completion_tokens.values())


def test_a_passage_is_read_once_a_sub_query_and_not_for_each_paraphrase(model, server):
    answered = answer(contestant("bm25", "model", top=1), MANAGERS)
    wordings = [event["data"]["wordings"] for event in answered.transcript if event["type"] == "sub_query"]
    assert wordings == [[], []]


def test_a_reader_that_fails_is_told_as_an_error(model, server):
    server.faults_of_stage = {"read": "500"}
    with pytest.raises(NoAnswer, match="answered with status 500"):
        answer(contestant("bm25", "model"))


def test_one_shot_gives_a_language_model_the_passages_in_one_call(model, server):
    answered = answer(contestant("bm25", "model", unit="article", top=2, decompose=False))
    assert (answered.values, answered.calls) == (("rowing",), 1)
    assert server.ledger.calls == {"one_shot": 1}
    assert answered.read_tokens == sum(each.tokens for each in cut((ADA, OLA), "article"))
    assert answered.prompt_tokens > answered.read_tokens
    assert answered.transcript == ()


def test_one_shot_reads_no_more_than_its_token_budget(model):
    one = contestant("bm25", "model", unit="article", top=3, decompose=False, token_budget=40)
    assert answer(one).read_tokens <= 40


@pytest.mark.parametrize("fault", ["no choices", "refusal", "500"])
def test_one_shot_fails_in_words(model, server, fault):
    server.faults_of_stage = {"one_shot": fault}
    with pytest.raises(LLMError, match=r"\w+ \w+"):
        answer(contestant("bm25", "model", decompose=False))


# --- Perfect retrieval -------------------------------------------------------------------------------------
def test_perfect_retrieval_reads_the_documents_that_the_question_names_and_no_others():
    answered = answer(contestant("perfect"))
    assert answered.values == ("rowing",)
    read = sum(each.tokens for each in cut((ADA, OLA), "article"))
    assert answered.read_tokens == len(sub_queries(answered)) * read


def test_a_language_model_gets_the_gold_documents_at_once_if_it_shall(model):
    answered = answer(contestant("perfect", "model", decompose=False))
    assert (answered.values, answered.calls) == (("rowing",), 1)


@pytest.mark.parametrize(
    ("documents", "words"), [((), "does not say which documents"), (("Nobody",), "not there: “Nobody”")]
)
def test_a_question_without_gold_documents_cannot_be_retrieved_perfectly(documents, words):
    with pytest.raises(NoGoldDocuments, match=words):
        answer(contestant("perfect"), Question("Who?", ("Ada",), documents=documents))


def test_a_distractor_with_the_title_of_a_gold_document_is_not_read():
    double = Passage("Ola Berg", "The hobby of Ola Berg is chess.", is_noise=True)
    answered = answer(contestant("perfect", passages=(*PASSAGES, double)))
    assert answered.values == ("rowing",)


def test_of_what_no_document_answers_perfect_retrieval_knows_nothing():
    answered = answer(contestant("perfect"), UNKNOWN)
    assert (answered.known, answered.read_tokens) == (False, 0)
