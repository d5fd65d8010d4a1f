"""Documents over REST: good files go in, each bad one is told with its reason, and nothing of it is stored."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from knowledge.models import Document
from tests.factories import CorpusFactory, UserFactory
from tests.knowledge.bad_files import BAD_FILES, good_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus():
    return CorpusFactory(slug="handbook")


@pytest.fixture
def curator(corpus) -> APIClient:
    client = APIClient()
    client.force_authenticate(UserFactory(curates=corpus))
    return client


def upload(client: APIClient, *files: tuple[str, bytes]):
    # Django's upload handler already takes a path off a file's name; the field carries it as a browser would not.
    sent = [SimpleUploadedFile("x", data) for _, data in files]
    for file, (name, _) in zip(sent, files, strict=True):
        file._name = name
    return client.post("/api/corpora/handbook/documents/", {"files": sent}, format="multipart")


@pytest.mark.parametrize("kind", [kind for kind in BAD_FILES if kind != "path in the name"])
def test_a_bad_file_alone_is_refused_as_problem_details_and_nothing_is_stored(curator, kind):
    name, data = BAD_FILES[kind]()
    answer = upload(curator, (name, data))
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert name in answer.json()["detail"]
    assert not Document.objects.exists()


def test_the_good_file_of_an_upload_is_stored_and_each_bad_one_gets_its_message(curator, corpus):
    bad = [make() for kind, make in BAD_FILES.items() if kind not in ("60 MB", "path in the name")]
    answer = upload(curator, *bad, good_file())
    assert answer.status_code == 201
    outcomes = {result["name"]: result["outcome"] for result in answer.json()}
    assert outcomes.pop("good.txt") == "added"
    assert set(outcomes.values()) == {"refused"}
    assert len(outcomes) == len(bad)
    assert [document.name for document in corpus.documents.all()] == ["good.txt"]


def test_the_same_file_again_is_recognised_and_a_changed_one_is_a_new_version(curator, corpus):
    assert upload(curator, good_file()).status_code == 201
    again = upload(curator, good_file())
    assert (again.status_code, again.json()[0]["outcome"]) == (200, "unchanged")
    changed = upload(curator, ("good.txt", b"The head of research is Tom Berg."))
    assert (changed.status_code, changed.json()[0]["outcome"]) == (201, "new version")
    assert [(row.version, row.is_current) for row in corpus.documents.order_by("version")] == [
        (1, False),
        (2, True),
    ]


def test_pasted_text_becomes_a_document(curator, corpus):
    answer = curator.post("/api/corpora/handbook/documents/", {"title": "Atlas", "text": "Mara leads Atlas."})
    assert answer.status_code == 201
    document = corpus.documents.get()
    assert (document.title, document.text) == ("Atlas", "# Atlas\n\nMara leads Atlas.")


def test_a_request_without_files_or_text_says_what_to_send(curator):
    answer = curator.post("/api/corpora/handbook/documents/", {})
    assert answer.status_code == 400
    assert "files, or a title and a text" in str(answer.json()["errors"])


def test_a_removed_document_leaves_the_list_and_keeps_its_rows(curator, corpus):
    document = upload(curator, good_file()).json()[0]["document"]
    assert curator.delete(f"/api/documents/{document}/").status_code == 204
    assert curator.get("/api/corpora/handbook/documents/").json()["results"] == []
    assert curator.get(f"/api/documents/{document}/").json()["is_current"] is False
    assert curator.delete(f"/api/documents/{document}/").status_code == 409


def test_listing_documents_costs_the_same_for_one_and_for_many(
    curator, corpus, django_assert_max_num_queries
):
    upload(curator, *[(f"{number}.txt", f"Fact {number} is here.".encode()) for number in range(30)])
    with django_assert_max_num_queries(8):
        assert len(curator.get("/api/corpora/handbook/documents/").json()["results"]) == 30
