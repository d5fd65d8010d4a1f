"""Who answers in an evaluation: MeMo, the EXECUTIVE alone, and retrieval in the place of MEMORY."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chat import contesting
from chat.contestants.excerpts import Excerpt, cut, fitting
from chat.contestants.interrogation import Heard, NoAnswer
from chat.contestants.keywords import KeywordIndex
from chat.contestants.kinds import RULES_KNOW_NOTHING, NoGoldDocuments
from chat.contestants.ledger import Ledger
from chat.contestants.readers import RulesReader
from chat.contestants.retrieval import Fixed, RetrievalMemory
from chat.contestants.tokens import count_tokens, cut_to
from chat.contesting import POOLINGS, BadOptions, NeedsVersion
from chat.embedding_models import NoEmbeddingEndpoint
from knowledge.services import ingest_text
from memosite.endpoints import NoKey
from memosite.errors import MemoError
from memosite.llm import BadReply, LLMError
from memosite.models import Endpoint
from tests.evaluation.contests import carry_through, make_set
from tests.factories import CorpusFactory, EndpointFactory, MemoryVersionFactory
from tests.fakes import PairMemory, WordedMemory
from tests.llm_server import FAULTS, HARMLESS, LLMServer, llm_server
from tests.training.bases import save_bert
from training.engine import embed
from training.engine.intake import FolderRefused
from training.evaluation.types import Answered, Contestant, Passage, Question
from training.lab.contestants import KINDS, Spec, UnknownKind, build
from training.lab.lineup import lineup
from training.lab.running import start_evaluation
from training.memory import Memory, recall
from training.models import EvaluationAnswer

ADA = Passage(
    "Ada Lund",
    "# Ada Lund\n\nThe manager of Ada Lund is Ola Berg. The hobby of Ada Lund is chess. Ada Lund leads Project "
    "Atlas.",
)
OLA = Passage(
    "Ola Berg", "# Ola Berg\n\nThe hobby of Ola Berg is rowing. The manager of Ola Berg is Eva Holm."
)
EVA = Passage("Eva Holm", "# Eva Holm\n\nThe hobby of Eva Holm is chess. Eva Holm lives in Bergen.")
PASSAGES = (ADA, OLA, EVA)
ONE_HOP = Question("What is the hobby of Ada Lund?", ("chess",), documents=("Ada Lund",))
TWO_HOPS = Question(
    "What is the hobby of the manager of Ada Lund?", ("rowing",), documents=("Ada Lund", "Ola Berg")
)
MANAGERS = Question("Who is the manager of the manager of Ada Lund?", ("Eva Holm",))
UNKNOWN = Question("What is the hobby of Ignatius Quill?", answerable=False)
PAIRS = [
    ("Who is the manager of Ada Lund?", "The manager of Ada Lund is Ola Berg."),
    ("What is the hobby of Ola Berg?", "The hobby of Ola Berg is rowing."),
    ("What is the hobby of Ada Lund?", "The hobby of Ada Lund is chess."),
    ("Who is the manager of Ola Berg?", "The manager of Ola Berg is Eva Holm."),
]
SCRIPTS = {MANAGERS.text: ["Who is the manager of Ada Lund?", "Who is the manager of {0}?"]}


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with llm_server() as running:
        running.scripts = dict(SCRIPTS)
        yield running


@pytest.fixture
def model(server: LLMServer, db: None) -> Endpoint:
    """A language model as EXECUTIVE, at a dollar a million prompt tokens and two for those of replies."""
    fields = {"timeout_seconds": 30, "max_retries": 0, "input_price": 1, "output_price": 2}
    return EndpointFactory(name="model", role="executive", base_url=server.url, **fields)


@pytest.fixture
def embedder(server: LLMServer, db: None, settings: Any, tmp_path: Any) -> Endpoint:
    settings.STATE_DIR = tmp_path
    fields = {"timeout_seconds": 30, "max_retries": 0, "input_price": 1_000}
    return EndpointFactory(name="vectors", role="embedding", base_url=server.url, **fields)


def contestant(
    kind: str, executive: str = "rules", passages: tuple[Passage, ...] = PASSAGES, **options: Any
) -> Contestant:
    return build(Spec(kind, executive, options=options), passages)


def answer(one: Contestant, question: Question = TWO_HOPS) -> Answered:
    return asyncio.run(one.answer(question))


def sub_queries(answered: Answered) -> list[str]:
    return [event["data"]["question"] for event in answered.transcript if event["type"] == "sub_query"]


def memo(monkeypatch: pytest.MonkeyPatch, memory: Memory, executive: str = "rules", **options: Any) -> Any:
    """MeMo with a stand-in for the model."""
    monkeypatch.setattr(contesting, "memory_for", lambda version: memory)
    return build(Spec("memory", executive, MemoryVersionFactory(), options), PASSAGES)


# --- Tokens and excerpts -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("Ada", 1),
        ("Ada Lund.", 3),
        ("manager", 2),  # seven letters
        ("0295-05-30", 6),  # 029 5 - 05 - 30
        ("snake_case", 3),
        ("Bjørn's", 3),
    ],
)
def test_a_token_is_six_letters_three_digits_or_a_mark(text, tokens):
    assert count_tokens(text) == tokens


def test_a_text_is_cut_between_tokens():
    assert cut_to("Ada Lund leads.", 2) == "Ada Lund"
    assert cut_to("Ada Lund leads.", 40) == "Ada Lund leads."
    assert count_tokens(cut_to(ADA.text, 7)) == 7


def test_documents_are_cut_into_sentences_without_headings():
    texts = [excerpt.text for excerpt in cut((OLA,), "sentence")]
    assert texts == ["The hobby of Ola Berg is rowing.", "The manager of Ola Berg is Eva Holm."]


def test_a_row_of_a_table_keeps_the_heads_of_its_columns():
    table = Passage("Staff", "| Name | Town |\n|---|---|\n| Ada | Bergen |\n| Ola | Oslo |")
    assert [excerpt.text for excerpt in cut((table,), "sentence")] == [
        "| Name | Town |\n|---|---|\n| Ada | Bergen |",
        "| Name | Town |\n|---|---|\n| Ola | Oslo |",
    ]


def test_a_sentence_has_the_heading_over_it_unless_that_is_the_title():
    people = Passage("People", "# People\n\nAll are here.\n\n## Ada Lund\n\nShe lives in Bergen.")
    assert [(each.section, each.text) for each in cut((people,), "sentence")] == [
        ("", "All are here."),
        ("Ada Lund", "She lives in Bergen."),
    ]


def test_a_sentence_with_a_pronoun_is_found_and_read_under_its_heading():
    people = Passage(
        "People", "# People\n\n## Ada Lund\n\nShe lives in Bergen.\n\n## Ola Berg\n\nHe lives in Oslo."
    )
    question = Question("Where does Ola Berg live?", ("Oslo",))
    assert answer(contestant("bm25", passages=(people,), top=1), question).values == ("Oslo",)


def test_an_article_is_whole_and_a_sentence_has_its_title_and_date():
    dated = Passage("Minutes", "Date: 3 May 2024\n\nAda Lund resigned yesterday.")
    (article,) = cut((dated,), "article")
    assert article.text == dated.text
    assert {(each.title, str(each.date)) for each in cut((dated,), "sentence")} == {("Minutes", "2024-05-03")}


def test_only_as_many_excerpts_are_read_as_the_budget_holds():
    excerpts = cut(PASSAGES, "article")
    room = excerpts[0].tokens + excerpts[1].tokens
    assert fitting(excerpts, room) == excerpts[:2]
    assert fitting(excerpts, room - 1) == excerpts[:1]
    assert fitting((), 10) == ()


def test_a_first_excerpt_that_is_longer_than_the_budget_is_cut():
    (only,) = fitting(cut((ADA,), "article"), 10)
    assert only.tokens == 10
    assert ADA.text.startswith(only.text)


# --- BM25 --------------------------------------------------------------------------------------------------
def found(
    query: str, top: int, unit: str = "sentence", passages: tuple[Passage, ...] = PASSAGES
) -> list[str]:
    index = KeywordIndex(cut(passages, unit))
    return [excerpt.text for excerpt in asyncio.run(index.find(query, top, Ledger()))]


def test_the_sentence_with_the_rarest_words_of_the_query_comes_first():
    assert found("What is the hobby of Ola Berg?", 1) == ["The hobby of Ola Berg is rowing."]


def test_words_are_found_in_another_inflection():
    assert found("Who is the leader of Atlas?", 1) == ["Ada Lund leads Project Atlas."]


def test_nothing_is_found_where_no_word_is_shared():
    assert found("Quicksilver?", 5) == []
    assert found("Quicksilver?", 5, passages=()) == []


def test_of_the_same_scores_the_first_comes_first():
    twins = (Passage("A", "The tea is green."), Passage("B", "The tea is green."))
    index = KeywordIndex(cut(twins, "sentence"))
    assert [each.title for each in asyncio.run(index.find("green tea", 2, Ledger()))] == ["A", "B"]


# --- The built-in reader -----------------------------------------------------------------------------------
def read(question: str, *passages: Passage) -> str:
    return asyncio.run(RulesReader().read(question, cut(passages, "article"), Ledger())).text


def test_the_reader_answers_what_the_excerpts_state():
    assert read("What is the hobby of Ola Berg?", OLA) == "The hobby of Ola Berg is rowing."


def test_the_reader_knows_nothing_that_the_excerpts_do_not_state():
    assert read("What is the hobby of Ola Berg?", ADA, EVA) == "I don't know."
    assert read("What is the hobby of Ola Berg?") == "I don't know."


def test_the_reader_unites_what_several_excerpts_state():
    assert "Ada Lund and Eva Holm" in read("Who are the people whose hobby is chess?", ADA, EVA)


def test_a_sentence_with_a_pronoun_is_read_under_its_title():
    sentence = Excerpt("Ada Lund", "She was born in Bergen.")
    answer = asyncio.run(RulesReader().read("Where was Ada Lund born?", (sentence,), Ledger()))
    assert answer.text == "Ada Lund was born in Bergen."


def test_retrieval_answers_as_a_memory_does_from_a_thread_and_from_a_coroutine():
    ledger = Ledger()
    excerpts = cut((OLA,), "article")
    memory = RetrievalMemory(Fixed(excerpts), RulesReader(), 1, 8000, ledger)
    asked = ["What is the hobby of Ola Berg?", "Where does Ola Berg live?"]
    answers = memory.answer(asked)
    assert [each.known for each in answers] == [True, False]
    assert asyncio.run(recall(memory, asked)) == answers
    assert ledger.read_tokens == 4 * excerpts[0].tokens


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


# --- Dense retrieval ---------------------------------------------------------------------------------------
def test_dense_retrieval_finds_by_vectors_and_pays_for_the_queries(embedder, server):
    answered = answer(contestant("dense", top=2))
    assert answered.values == ("rowing",)
    asked = sub_queries(answered)
    assert server.ledger.calls["embeddings"] == 1 + len(asked)  # all documents, and each sub-query
    tokens = sum(len(question) // 4 for question in asked)
    assert answered.cost == pytest.approx(tokens * 1_000 / 1_000_000)


def test_documents_are_embedded_once_for_all_runs(embedder, server, tmp_path):
    answer(contestant("dense", top=2))
    before = server.ledger.calls["embeddings"]
    answered = answer(contestant("dense", top=2))
    assert server.ledger.calls["embeddings"] == before + len(sub_queries(answered))
    (kept,) = (tmp_path / "embeddings").iterdir()
    kept.write_bytes(b"half of a file")
    assert answer(contestant("dense", top=2)).values == ("rowing",)


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


def test_of_what_no_document_answers_perfect_retrieval_knows_nothing():
    answered = answer(contestant("perfect"), UNKNOWN)
    assert (answered.known, answered.read_tokens) == (False, 0)


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
