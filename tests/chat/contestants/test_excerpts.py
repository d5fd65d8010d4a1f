"""What is read of documents, what is found in them by words, and what the built-in reader makes of it."""

from __future__ import annotations

import asyncio

import pytest

from chat.contestants.excerpts import Excerpt, cut, fitting
from chat.contestants.keywords import KeywordIndex
from chat.contestants.ledger import Ledger
from chat.contestants.readers import RulesReader
from chat.contestants.retrieval import Fixed, RetrievalMemory
from chat.contestants.tokens import count_tokens, cut_to
from tests.chat.contestants.answering import (
    ADA,
    EVA,
    OLA,
    PASSAGES,
    answer,
    contestant,
)
from training.evaluation.types import Passage, Question
from training.memory import recall


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
