"""The pages about documents and generation, as an employee's browser sees them."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from knowledge.blocks import Block, blocks_of
from knowledge.figures import duration, percent
from knowledge.models import GenerationRun
from tests.factories import (
    CorpusFactory,
    DocumentFactory,
    GenerationRunFactory,
    UnreadSentenceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus():
    return CorpusFactory()


@pytest.fixture
def curator(client, corpus):
    person = UserFactory(curates=corpus)
    client.force_login(person)
    return person


def upload(client, corpus, *files):
    sent = [SimpleUploadedFile(name, content) for name, content in files]
    return client.post(reverse("upload-documents", args=[corpus.slug]), {"files": sent})


def test_a_document_page_shows_the_text_with_its_headings_and_lists(client, corpus, curator):
    document = DocumentFactory(corpus=corpus, text="# Projects\n\nAtlas is new.\n\n- It floats.\n- It dives.")
    page = client.get(reverse("document", args=[corpus.slug, document.pk])).content.decode()
    assert "<h2>Projects</h2>" in page
    assert "<p>Atlas is new.</p>" in page
    assert "<li>It floats.</li><li>It dives.</li>" in page


def test_markup_in_a_document_is_shown_as_text(client, corpus, curator):
    document = DocumentFactory(corpus=corpus, text="<script>alert(1)</script>")
    page = client.get(reverse("document", args=[corpus.slug, document.pk])).content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page


def test_a_document_of_another_corpus_is_not_found_under_this_one(client, corpus, curator):
    foreign = DocumentFactory()
    assert client.get(reverse("document", args=[corpus.slug, foreign.pk])).status_code == 404


def test_several_files_go_in_at_once_and_each_one_says_what_became_of_it(client, corpus, curator):
    answer = upload(client, corpus, ("a.md", b"# A\n\nAda leads Atlas."), ("b.md", b""), ("c.exe", b"MZ"))
    page = answer.content.decode()
    assert corpus.documents.get().name == "a.md"
    assert corpus.documents.get().uploaded_by == curator
    assert page.count("Refused") == 2
    assert "it is empty" in page
    assert "files of type “.exe” are not read" in page


def test_the_same_file_again_changes_nothing(client, corpus, curator):
    upload(client, corpus, ("a.md", b"# A\n\nAda leads Atlas."))
    answer = upload(client, corpus, ("a.md", b"# A\n\nAda leads Atlas."))
    assert "Unchanged" in answer.content.decode()
    assert corpus.documents.count() == 1


def test_a_file_that_is_too_large_is_refused(client, corpus, curator, settings):
    settings.MAX_UPLOAD_BYTES = 100
    answer = upload(client, corpus, ("large.txt", b"word " * 21))
    assert "Refused" in answer.content.decode()
    assert not corpus.documents.exists()


def test_an_upload_without_a_file_says_so(client, corpus, curator):
    assert "No file arrived" in upload(client, corpus).content.decode()


def test_a_reader_may_not_upload(client, corpus):
    client.force_login(UserFactory(reads=corpus))
    answer = upload(client, corpus, ("a.md", b"# A\n\nAda leads Atlas."))
    assert answer.status_code == 403
    assert "needs the role of curator" in answer.content.decode()
    assert not corpus.documents.exists()


def test_a_removed_document_leaves_the_corpus_and_stays_readable(client, corpus, curator):
    document = DocumentFactory(corpus=corpus)
    client.post(reverse("remove-document", args=[corpus.slug, document.pk]))
    assert not corpus.documents.current().exists()
    page = client.get(reverse("document", args=[corpus.slug, document.pk])).content.decode()
    assert "No longer used" in page


def test_generate_starts_a_run_in_the_curators_name(client, corpus, curator):
    DocumentFactory(corpus=corpus)
    answer = client.post(reverse("start-generation", args=[corpus.slug]))
    run = GenerationRun.objects.get()
    assert answer.url == corpus.get_absolute_url()
    assert (run.corpus, run.created_by, run.go_live) == (corpus, curator, False)


def test_generating_from_an_empty_corpus_leads_back_with_the_reason(client, corpus, curator):
    back = corpus.get_absolute_url()
    start = reverse("start-generation", args=[corpus.slug])
    answer = client.post(start, follow=True, headers={"referer": f"http://testserver{back}"})
    assert answer.redirect_chain == [(back, 302)]
    assert "Add a document first" in answer.content.decode()


def test_only_owners_build_and_go_live(client, corpus, curator):
    DocumentFactory(corpus=corpus)
    build = reverse("build", args=[corpus.slug])
    assert client.post(build).status_code == 403
    client.force_login(UserFactory(owns=corpus))
    client.post(build)
    assert GenerationRun.objects.get().go_live


def test_cancel_stops_a_queued_generation(client, corpus, curator):
    run = GenerationRunFactory(corpus=corpus)
    client.post(reverse("cancel-generation", args=[corpus.slug, run.pk]))
    run.refresh_from_db()
    assert run.status == "cancelled"


def test_the_sentences_that_were_not_read_are_listed_with_reason_and_document(client, corpus, curator):
    sentence = UnreadSentenceFactory(run__corpus=corpus)
    page = client.get(reverse("unread-sentences", args=[corpus.slug, sentence.run_id])).content.decode()
    assert sentence.text in page
    assert sentence.reason in page
    assert sentence.chunk.document.title in page


@pytest.mark.parametrize("name", ["document", "unread-sentences"])
def test_people_without_a_role_find_nothing_and_others_log_in_first(client, corpus, name):
    sentence = UnreadSentenceFactory(run__corpus=corpus)
    pk = {"document": sentence.chunk.document_id, "unread-sentences": sentence.run_id}[name]
    address = reverse(name, args=[corpus.slug, pk])
    assert client.get(address).url == f"{reverse('login')}?next={address}"
    client.force_login(UserFactory(owns=CorpusFactory()))
    assert client.get(address).status_code == 404


def test_blocks_are_headings_lists_and_paragraphs_without_their_marks():
    blocks = list(blocks_of("# One\n## Two\nfirst\nsecond\n\nthird\n- a\n- b\n"))
    assert blocks == [
        Block("heading", ("One",)),
        Block("heading", ("Two",)),
        Block("paragraph", ("first", "second")),
        Block("paragraph", ("third",)),
        Block("list", ("a", "b")),
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (2.13, "2.1 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (150, "2 min"),
        (3600, "1 h"),
        (4800, "1 h 20 min"),
        (None, ""),
        ("", ""),
    ],
)
def test_durations_are_worded_as_people_say_them(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("fraction", "words"),
    [(1, "100 %"), (0, "0 %"), (0.998, "99 %"), (0.001, "1 %"), (0.5, "50 %"), (None, ""), ("", "")],
)
def test_percentages_never_round_to_all_or_nothing(fraction, words):
    assert percent(fraction) == words
