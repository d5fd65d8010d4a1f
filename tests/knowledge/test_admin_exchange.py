"""Pairs in files from the workbench: the export follows the list, the import names every bad line."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from knowledge.exchange.formats import FORMATS
from knowledge.models import Corpus, Reflection, Role
from tests.factories import CorpusFactory, UserFactory
from tests.workbench import browser_of, make_document, make_pair, make_person

pytestmark = pytest.mark.django_db
LIST = "/admin/knowledge/reflection/"
EXPORT, IMPORT = f"{LIST}export/", f"{LIST}import/"
GOOD = b'{"question": "Who?", "answer": "Ada."}\n'


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour", name="Harbour")


@pytest.fixture
def desk(corpus: Corpus) -> Client:
    """The admin as a curator uses it."""
    return browser_of(make_person("ann", corpus, Role.CURATOR))


def send(desk: Client, data: bytes, name: str = "pairs.jsonl", corpus: str = "harbour", **fields: str) -> Any:
    file = SimpleUploadedFile(name, data)
    return desk.post(IMPORT, {"corpus": corpus, "file": file, "format": "", **fields})


def text_of(page: Any) -> str:
    return unescape(page.content.decode())


def exported(desk: Client, filters: str = "", format: str = "jsonl") -> list[str]:
    answer = desk.get(EXPORT, {"_changelist_filters": filters, "format": format})
    return [json.loads(line)["question"] for line in b"".join(answer.streaming_content).splitlines()]


# --- Export ------------------------------------------------------------------------------------------------
def test_the_list_leads_to_an_export_with_its_filter(corpus: Corpus, desk: Client) -> None:
    make_pair(corpus, "Who leads the Harbour?"), make_pair(corpus, "Who paints?")
    page = text_of(desk.get(f"{LIST}?status__exact=pending&q=Harbour"))
    assert f'href="{EXPORT}?_changelist_filters=status__exact%3Dpending%26q%3DHarbour"' in page
    assert "Export 1 pair" in page
    asked = desk.get(f"{EXPORT}?_changelist_filters=status__exact%3Dpending%26q%3DHarbour")
    assert (asked.context["count"], asked.context["is_filtered"]) == (1, True)
    assert 'value="status__exact=pending&q=Harbour"' in text_of(asked)


def test_an_export_holds_every_page_of_the_filtered_list_and_nothing_of_others(
    corpus: Corpus, desk: Client
) -> None:
    chunk = make_document(corpus).chunks.get()
    for number in range(60):
        make_pair(corpus, f"Question {number}?")
    make_pair(corpus, "Who?", (chunk, 0, 3), (chunk, 4, 9))
    make_pair(CorpusFactory(slug="foreign"), "Theirs?")
    Reflection.objects.filter(question="Question 7?").update(status="approved")
    assert len(exported(desk)) == 61
    assert exported(desk, "status__exact=approved&p=2") == ["Question 7?"]
    assert exported(desk, f"document={chunk.document_id}") == ["Who?"]
    assert exported(desk, "corpus=foreign") == []


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_on_offer_and_named_after_the_corpus(
    corpus: Corpus, desk: Client, format: str
) -> None:
    make_pair(corpus)
    assert FORMATS[format].label in text_of(desk.get(EXPORT))
    answer = desk.get(EXPORT, {"_changelist_filters": "corpus=harbour", "format": format})
    assert f"harbour-pairs-{format}{FORMATS[format].suffix}" in answer["Content-Disposition"]
    assert b"".join(answer.streaming_content)


def test_a_format_that_does_not_exist_asks_again(corpus: Corpus, desk: Client) -> None:
    assert "Select a valid choice" in text_of(desk.get(EXPORT, {"format": "xml"}))


# --- Import ------------------------------------------------------------------------------------------------
def test_a_file_is_stored_and_the_page_tells_the_counts(corpus: Corpus, desk: Client) -> None:
    page = text_of(send(desk, GOOD))
    assert "“pairs.jsonl” is in “Harbour”" in page
    assert "<strong>1</strong> added" in page
    pair = corpus.reflections.get()
    assert (pair.reviewed_by.username, pair.history.get().history_user.username) == ("ann", "ann")
    assert "<strong>1</strong> unchanged" in text_of(send(desk, GOOD))


def test_each_bad_line_is_listed_by_number_and_nothing_is_stored(corpus: Corpus, desk: Client) -> None:
    page = text_of(send(desk, GOOD + b"oops\n{}\n"))
    assert "Nothing of “pairs.jsonl” was stored" in page
    assert '<th scope="row">2</th><td>This line is not JSON' in page
    assert '<th scope="row">3</th><td>The question is missing' in page
    assert not corpus.reflections.exists()
    page = text_of(send(desk, GOOD + b"oops\n", store_good="on"))
    assert "<strong>1</strong> added" in page
    assert corpus.reflections.count() == 1


def test_what_a_bad_line_says_is_shown_and_never_run(corpus: Corpus, desk: Client) -> None:
    line = b'{"question": "Q", "answer": "A", "kind": "<script>alert(1)</script>"}'
    page = send(desk, line, "<script>alert(2)</script>.jsonl").content.decode()
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("data", "name", "format", "reason"),
    [
        (b"", "pairs.csv", "", "The file is empty"),
        (GOOD, "pairs.docx", "", "Choose its format"),
        (GOOD, "pairs.jsonl", "parquet", "no Parquet"),
        (GOOD, "pairs.jsonl", "csv", "one column “question”"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_at_its_field(
    corpus: Corpus, desk: Client, data: bytes, name: str, format: str, reason: str
) -> None:
    assert reason in text_of(send(desk, data, name, format=format))
    assert not corpus.reflections.exists()


def test_no_file_at_all_is_told(corpus: Corpus, desk: Client) -> None:
    assert "This field is required" in text_of(desk.post(IMPORT, {"corpus": "harbour", "format": ""}))


def test_a_table_that_was_exported_edited_and_brought_in_changes_the_pairs(
    corpus: Corpus, desk: Client
) -> None:
    pair = make_pair(corpus, "=Who?")
    answer = desk.get(EXPORT, {"_changelist_filters": "", "format": "csv"})
    table = b"".join(answer.streaming_content).replace(b'"pending"', b'"approved"')
    assert "<strong>1</strong> updated" in text_of(send(desk, table, "pairs.csv"))
    pair.refresh_from_db()
    assert (pair.question, pair.status) == ("=Who?", "approved")


def test_the_corpus_page_leads_to_an_import_into_it(corpus: Corpus, desk: Client) -> None:
    make_person("bo", CorpusFactory(slug="foreign"), Role.CURATOR)
    assert f"{IMPORT}?corpus=harbour" in text_of(
        desk.get(reverse("admin:knowledge_corpus_change", args=[corpus.pk]))
    )
    page = text_of(desk.get(f"{IMPORT}?corpus=harbour"))
    assert 'value="harbour" selected' in page
    assert "foreign" not in page


# --- Who may ------------------------------------------------------------------------------------------------
def test_a_corpus_that_one_does_not_curate_takes_no_file(corpus: Corpus, desk: Client) -> None:
    foreign = CorpusFactory(slug="foreign")
    send(desk, GOOD, corpus="foreign")
    assert not foreign.reflections.exists()


def test_readers_and_people_without_a_corpus_are_kept_out(corpus: Corpus) -> None:
    for person in (make_person("ria", corpus, Role.READER), make_person("nobody")):
        desk = browser_of(person)
        assert desk.get(EXPORT).status_code == 403
        assert send(desk, GOOD).status_code == 403
    assert browser_of(UserFactory(curates=corpus, is_staff=False)).get(EXPORT).status_code == 302
    assert not corpus.reflections.exists()
