"""The corpus page and the documents pages of the admin."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from pytest_django import Settings

from knowledge.models import Corpus, Document, GenerationRun, Role
from knowledge.services import review
from memosite.runs import Status
from tests.factories import CorpusFactory, GenerationRunFactory, UnreadSentenceFactory
from tests.workbench import POSTED_FROM, browser_of, make_document, make_pair, make_person

pytestmark = pytest.mark.django_db
UPLOAD = "/admin/knowledge/document/upload/"


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


@pytest.fixture
def owner(corpus: Corpus) -> Any:
    return make_person("olga", corpus, Role.OWNER)


@pytest.fixture
def desk(owner: Any) -> Client:
    """The admin as the owner uses it."""
    return browser_of(owner)


def page_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def deed(corpus: Corpus, name: str) -> str:
    return reverse(f"admin:knowledge_corpus_{name}", args=[corpus.pk])


def messages_of(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


# --- The corpus --------------------------------------------------------------------------------------------
def test_the_list_counts_documents_and_pairs_and_names_what_is_at_work(
    corpus: Corpus, owner: Any, desk: Client
) -> None:
    for name in ("one.md", "two.md"):
        make_document(corpus, name=name)
    make_document(corpus, name="old.md", is_current=False)
    for number in range(3):
        make_pair(corpus, f"Question {number}?")
    review(corpus.reflections.filter(question="Question 0?"), "approved", owner)
    GenerationRunFactory(corpus=corpus)
    row = desk.get(reverse("admin:knowledge_corpus_changelist")).context["cl"].result_list[0]
    assert (row.n_documents, row.n_pending, row.n_approved, row.n_rejected) == (2, 2, 1, 0)
    page = desk.get(reverse("admin:knowledge_corpus_changelist")).content.decode()
    assert ">generation<" in page


def test_generate_queues_a_run_in_the_name_of_the_person_and_shows_it(
    corpus: Corpus, owner: Any, desk: Client
) -> None:
    make_document(corpus)
    response = desk.post(deed(corpus, "generate"))
    run = GenerationRun.objects.get()
    assert (run.corpus, run.created_by, run.go_live) == (corpus, owner, False)
    assert response["Location"] == page_of(run)


def test_build_and_go_live_asks_for_the_whole_way(corpus: Corpus, desk: Client) -> None:
    make_document(corpus)
    desk.post(deed(corpus, "build"))
    assert GenerationRun.objects.get().go_live


def test_what_cannot_start_says_why_on_the_page_it_was_asked_on(corpus: Corpus, desk: Client) -> None:
    response = desk.post(deed(corpus, "generate"), follow=True)
    assert response.redirect_chain[0][0] == POSTED_FROM
    assert "Add a document first" in messages_of(response)
    make_document(corpus)
    GenerationRunFactory(corpus=corpus)
    assert "already at work" in messages_of(desk.post(deed(corpus, "generate"), follow=True))


def test_the_page_shows_running_runs_with_progress_and_no_finished_ones(corpus: Corpus, desk: Client) -> None:
    done = GenerationRunFactory(corpus=corpus, status=Status.SUCCEEDED)
    running = GenerationRunFactory(
        corpus=corpus, status=Status.RUNNING, phase="reading documents", done=3, total=12
    )
    page = desk.get(page_of(corpus)).content.decode()
    assert str(running) in page
    assert 'value="25"' in page
    assert "reading documents" in page
    assert str(done) not in page


def test_curators_see_the_people_of_a_corpus_and_only_owners_a_form(corpus: Corpus, owner: Any) -> None:
    curator = make_person("cara", corpus, Role.CURATOR)
    as_curator, as_owner = (browser_of(person).get(page_of(corpus)) for person in (curator, owner))
    assert [[str(person) for person in group.people] for group in as_curator.context["members"]] == [
        [],
        ["cara"],
        ["olga"],
    ]
    assert deed(corpus, "add_person") in as_owner.content.decode()
    assert deed(corpus, "add_person") not in as_curator.content.decode()
    assert deed(corpus, "build") not in as_curator.content.decode()


def test_an_owner_gives_a_role_in_place_of_the_one_before(corpus: Corpus, desk: Client) -> None:
    ben = make_person("ben", corpus, Role.READER, is_staff=False)
    desk.post(deed(corpus, "add_person"), {"username": "ben", "role": "curator"})
    ben.refresh_from_db()
    assert list(ben.groups.all()) == [corpus.curator_group]
    assert ben.is_staff  # the way into the workbench
    assert not ben.is_superuser


def test_a_reader_is_not_let_into_the_workbench(corpus: Corpus, desk: Client) -> None:
    ben = make_person("ben", is_staff=False)
    desk.post(deed(corpus, "add_person"), {"username": "ben", "role": "reader"})
    ben.refresh_from_db()
    assert corpus.allows(ben, Role.READER)
    assert not ben.is_staff


def test_an_owner_removes_a_person_from_the_corpus_and_from_nothing_else(
    corpus: Corpus, desk: Client
) -> None:
    other = CorpusFactory(slug="other")
    ben = make_person("ben", corpus, Role.CURATOR)
    ben.groups.add(other.reader_group)
    desk.post(deed(corpus, "remove_person"), {"username": "ben"})
    assert list(ben.groups.all()) == [other.reader_group]


@pytest.mark.parametrize(
    ("name", "data"),
    [("remove_person", {"username": "olga"}), ("add_person", {"username": "olga", "role": "reader"})],
)
def test_a_corpus_keeps_its_last_owner(
    corpus: Corpus, owner: Any, desk: Client, name: str, data: Any
) -> None:
    assert "only owner" in messages_of(desk.post(deed(corpus, name), data, follow=True))
    assert corpus.allows(owner, Role.OWNER)


def test_a_name_that_nobody_has_is_refused(corpus: Corpus, desk: Client) -> None:
    response = desk.post(deed(corpus, "add_person"), {"username": "nobody", "role": "owner"}, follow=True)
    assert "no active person" in messages_of(response)


def test_a_person_of_another_corpus_cannot_be_removed_through_this_one(corpus: Corpus, desk: Client) -> None:
    stranger = make_person("sam", CorpusFactory(slug="other"), Role.READER)
    assert desk.post(deed(corpus, "remove_person"), {"username": "sam"}).status_code == 404
    assert stranger.groups.exists()


def test_only_superusers_make_corpora_and_the_slug_stays(corpus: Corpus, desk: Client) -> None:
    address = reverse("admin:knowledge_corpus_add")
    data = {"name": "Pier", "slug": "pier", "description": ""}
    assert desk.post(address, data).status_code == 403
    browser_of(make_person("root", is_superuser=True)).post(address, data)
    assert Corpus.objects.filter(slug="pier").exists()
    desk.post(page_of(corpus), {"name": "Quay", "slug": "quay", "description": "Boats."})
    corpus.refresh_from_db()
    assert (corpus.name, corpus.slug, corpus.description) == ("Quay", "harbour", "Boats.")


def test_a_curator_does_not_rename_the_corpus(corpus: Corpus) -> None:
    browser = browser_of(make_person("cara", corpus, Role.CURATOR))
    assert browser.post(page_of(corpus), {"name": "Mine", "description": ""}).status_code == 403


# --- Documents ---------------------------------------------------------------------------------------------
def files(**named: bytes) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(f"{name}.md", content) for name, content in named.items()]


def test_several_files_go_in_at_once_and_each_says_what_became_of_it(
    corpus: Corpus, owner: Any, desk: Client
) -> None:
    several = files(good=b"# Pier\n\nAda leads the pier.", empty=b"", binary=b"\x00\x01\x02" * 50)
    response = desk.post(UPLOAD, {"files-corpus": "harbour", "files-documents": several, "upload": ""})
    outcomes = {result.name: result.outcome for result in response.context["results"]}
    assert outcomes == {"good.md": "added", "empty.md": "refused", "binary.md": "refused"}
    page = response.content.decode()
    assert all(escape(result.message) in page for result in response.context["results"])
    document = corpus.documents.get()
    assert (document.title, document.uploaded_by) == ("Pier", owner)


def test_a_file_that_is_too_large_is_refused_and_the_others_go_in(
    corpus: Corpus, desk: Client, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    several = files(large=b"Ada leads the pier. " * 100, small=b"Ada leads the pier.")
    response = desk.post(UPLOAD, {"files-corpus": "harbour", "files-documents": several, "upload": ""})
    assert [result.outcome for result in response.context["results"]] == ["refused", "added"]


def test_the_upload_asks_for_a_file(corpus: Corpus, desk: Client) -> None:
    response = desk.post(UPLOAD, {"files-corpus": "harbour", "upload": ""})
    assert "Choose at least one file." in response.content.decode()


def test_pasted_text_becomes_a_document_under_its_title(corpus: Corpus, desk: Client) -> None:
    data = {
        "text-corpus": "harbour",
        "text-title": "Pier news",
        "text-text": "Ada leads the pier.",
        "paste": "",
    }
    response = desk.post(UPLOAD, data)
    assert response.context["results"][0].outcome == "added"
    assert corpus.documents.get().title == "Pier news"


def test_documents_cannot_be_put_into_a_foreign_corpus(corpus: Corpus, desk: Client) -> None:
    foreign = CorpusFactory(slug="foreign")
    desk.post(UPLOAD, {"files-corpus": "foreign", "files-documents": files(x=b"Ada leads."), "upload": ""})
    desk.post(UPLOAD, {"text-corpus": "foreign", "text-title": "X", "text-text": "Ada leads.", "paste": ""})
    assert not foreign.documents.exists()


def test_the_add_button_leads_to_the_upload_page(corpus: Corpus, desk: Client) -> None:
    assert desk.get(reverse("admin:knowledge_document_add"))["Location"] == UPLOAD


def test_a_document_shows_its_text_escaped_and_its_versions(corpus: Corpus, desk: Client) -> None:
    old = make_document(corpus, "Old.", is_current=False)
    new = make_document(corpus, "<script>alert(1)</script> New.", version=2)
    page = desk.get(page_of(new)).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; New." in page
    assert page_of(old) in page


def test_title_and_date_of_a_current_document_can_be_corrected_and_nothing_else(
    corpus: Corpus, desk: Client
) -> None:
    document = make_document(corpus)
    desk.post(page_of(document), {"title": "The Pier", "date": "2024-05-01", "text": "Forged.", "name": "x"})
    document.refresh_from_db()
    assert (document.title, document.date) == ("The Pier", date(2024, 5, 1))
    assert (document.text, document.name) == ("Ada Marsh leads the Harbour.", "harbour.md")


def test_an_old_version_is_closed_to_changes(corpus: Corpus, desk: Client) -> None:
    old = make_document(corpus, is_current=False)
    assert desk.post(page_of(old), {"title": "Forged"}).status_code == 403


def test_removing_a_document_asks_first_and_keeps_its_rows(corpus: Corpus, desk: Client) -> None:
    document = make_document(corpus)
    make_pair(corpus, "Who?", (document.chunks.get(), 0, 3))
    address = reverse("admin:knowledge_document_delete", args=[document.pk])
    question = desk.get(address)
    assert question.context["pairs"] == 1
    assert "Its rows stay" in question.content.decode()
    assert Document.objects.current().count() == 1
    desk.post(address)
    document.refresh_from_db()
    assert not document.is_current
    assert corpus.reflections.count() == 1
    assert "nothing to take out" in messages_of(desk.post(address, follow=True))


# --- Generation runs ---------------------------------------------------------------------------------------
def test_a_run_shows_its_item_errors_log_and_unread_sentences_by_document(
    corpus: Corpus, desk: Client
) -> None:
    failure = {"document": "Broken <b>book</b>", "error": "It has no sentences."}
    run = GenerationRunFactory(
        corpus=corpus, status=Status.SUCCEEDED, log="10:00:00 started\n", item_errors=[failure]
    )
    for name in ("one", "two"):
        chunk = make_document(corpus, name=f"{name}.md", title=f"Book {name}").chunks.get()
        UnreadSentenceFactory(
            run=run, chunk=chunk, start=0, end=3, text=f"Oh <i>{name}</i>!", reason="no verb"
        )
    response = desk.get(page_of(run))
    page = response.content.decode()
    assert [str(document) for document, _ in response.context["unread"]] == ["Book one", "Book two"]
    for text in (
        "Oh &lt;i&gt;one&lt;/i&gt;!",
        "no verb",
        "10:00:00 started",
        "Broken &lt;b&gt;book",
        "no sentences",
    ):
        assert text in page


def test_a_run_is_cancelled_once_and_then_says_that_it_is_over(corpus: Corpus, desk: Client) -> None:
    run = GenerationRunFactory(corpus=corpus)
    address = reverse("admin:knowledge_generationrun_cancel", args=[run.pk])
    desk.post(address)
    run.refresh_from_db()
    assert run.status == Status.CANCELLED
    assert "over already" in messages_of(desk.post(address, follow=True))


def test_the_progress_is_asked_for_again_until_the_run_is_over(corpus: Corpus, desk: Client) -> None:
    run = GenerationRunFactory(corpus=corpus, status=Status.RUNNING, done=1, total=4)
    address = reverse("admin:knowledge_generationrun_progress", args=[run.pk])
    response = desk.get(address)
    assert "HX-Refresh" not in response
    assert 'hx-trigger="every 2s"' in response.content.decode()
    GenerationRun.objects.update(status=Status.SUCCEEDED)
    response = desk.get(address)
    assert response["HX-Refresh"] == "true"
    assert "hx-trigger" not in response.content.decode()


def test_runs_are_not_edited(corpus: Corpus, desk: Client) -> None:
    run = GenerationRunFactory(corpus=corpus)
    assert desk.post(page_of(run), {"status": "succeeded"}).status_code == 403
