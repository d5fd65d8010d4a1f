"""Pairs in files over REST: filtered out, brought in, and refused as problem details."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from knowledge.exchange.formats import FORMATS
from knowledge.models import Corpus
from tests.factories import CorpusFactory, ReflectionFactory, UserFactory

pytestmark = pytest.mark.django_db
EXPORT = "/api/corpora/handbook/reflections/export/"
IMPORT = "/api/corpora/handbook/reflections/import/"
GOOD = b'{"question": "Who?", "answer": "Ada."}\n'


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="handbook")


@pytest.fixture
def curator(corpus: Corpus) -> APIClient:
    client = APIClient()
    client.force_authenticate(UserFactory(username="cleo", curates=corpus))
    return client


def send(client: APIClient, data: bytes, name: str = "pairs.jsonl", **fields: Any) -> Any:
    return client.post(IMPORT, {"file": SimpleUploadedFile(name, data), **fields}, format="multipart")


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_is_a_download_that_comes_in_again(
    curator: APIClient, corpus: Corpus, format: str
) -> None:
    ReflectionFactory(corpus=corpus, question="Wer führt “Atlas”?")
    answer = curator.get(EXPORT, {"as": format})
    assert answer.status_code == 200
    assert answer["Content-Type"] == FORMATS[format].media_type
    name = f"handbook-pairs-{format}{FORMATS[format].suffix}"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    again = send(curator, body_of(answer), name)
    assert (again.status_code, again.json()) == (
        200,
        {"added": 0, "updated": 0, "unchanged": 1, "errors": []},
    )


def test_an_export_honours_the_filters_of_the_list(curator: APIClient, corpus: Corpus) -> None:
    ReflectionFactory(corpus=corpus, question="Approved?")
    ReflectionFactory(corpus=corpus, question="Pending?", status="pending")
    ReflectionFactory(question="Theirs?", status="pending")

    def found(**filters: str) -> list[str]:
        data = body_of(curator.get(EXPORT, {"as": "jsonl", **filters}))
        return [json.loads(line)["question"] for line in data.splitlines()]

    assert found() == ["Approved?", "Pending?"]
    assert found(status="pending") == found(search="pend") == ["Pending?"]
    assert found(kind="entity") == []


@pytest.mark.parametrize("query", [{}, {"as": "xml"}, {"as": "csv", "status": "perhaps"}])
def test_a_format_or_a_filter_that_does_not_exist_is_told(curator: APIClient, query: dict[str, str]) -> None:
    answer = curator.get(EXPORT, query)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"].keys() <= {"as", "status"}


def test_new_pairs_answer_201_and_the_same_again_200(curator: APIClient, corpus: Corpus) -> None:
    answer = send(curator, GOOD)
    assert (answer.status_code, answer.json()["added"]) == (201, 1)
    assert corpus.reflections.get().reviewed_by.username == "cleo"
    assert send(curator, GOOD).status_code == 200


def test_bad_lines_answer_422_with_every_line_and_nothing_stored(curator: APIClient, corpus: Corpus) -> None:
    answer = send(curator, GOOD + b"oops\n{}\n")
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    problem = answer.json()
    assert problem["code"] == "lines_refused"
    assert [(each["line"], each["message"][:10]) for each in problem["errors"]] == [
        (2, "This line "),
        (3, "The questi"),
    ]
    assert not corpus.reflections.exists()


def test_store_good_stores_the_good_lines_and_lists_the_bad_ones(curator: APIClient, corpus: Corpus) -> None:
    answer = send(curator, GOOD + b"oops\n", store_good="true")
    assert answer.status_code == 201
    assert (answer.json()["added"], [each["line"] for each in answer.json()["errors"]]) == (1, [2])
    assert corpus.reflections.count() == 1


def test_an_id_of_another_corpus_is_refused(curator: APIClient, corpus: Corpus) -> None:
    foreign = ReflectionFactory(question="Theirs?")
    line = json.dumps({"id": foreign.pk, "question": "Mine?", "answer": "A"}).encode()
    assert "no pair" in send(curator, line).json()["errors"][0]["message"]
    foreign.refresh_from_db()
    assert foreign.question == "Theirs?"


@pytest.mark.parametrize(
    ("data", "name", "fields", "status", "code"),
    [
        (b"", "pairs.csv", {}, 422, "file_refused"),
        (GOOD, "pairs.md", {}, 422, "file_refused"),
        (GOOD, "pairs.jsonl", {"as": "parquet"}, 422, "file_refused"),
        (GOOD, "pairs.jsonl", {"as": "xml"}, 400, "invalid"),
        (GOOD.decode().encode("utf-16"), "pairs.jsonl", {}, 422, "file_refused"),
        (GOOD * 40_000, "pairs.jsonl", {}, 422, "file_refused"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem_with_a_reason(
    curator: APIClient, settings, data: bytes, name: str, fields: Any, status: int, code: str
) -> None:
    settings.MAX_UPLOAD_BYTES = 2**20
    answer = send(curator, data, name, **fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"]


def test_a_large_upload_is_read_from_its_file_on_disk(curator: APIClient, corpus: Corpus) -> None:
    ReflectionFactory(corpus=corpus, answer="Ada. " * 800_000, question="Q?")
    corpus.reflections.update(answer="".join(chr(0x4E00 + number % 20_000) for number in range(900_000)))
    for format in ("csv", "parquet", "alpaca"):
        data = body_of(curator.get(EXPORT, {"as": format}))
        assert len(data) > 2_600_000  # more than is kept in memory
        assert send(curator, data, f"pairs{FORMATS[format].suffix}").json()["unchanged"] == 1


def test_a_reader_gets_no_file_and_brings_none_in(corpus: Corpus) -> None:
    client = APIClient()
    client.force_authenticate(UserFactory(reads=corpus))
    assert client.get(EXPORT, {"as": "csv"}).status_code == 403
    assert send(client, GOOD).status_code == 403
    assert not corpus.reflections.exists()
