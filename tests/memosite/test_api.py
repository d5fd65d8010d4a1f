"""What all REST endpoints share: tokens, problem details, and a schema that says everything."""

from __future__ import annotations

import base64

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from tests.factories import PASSWORD, CorpusFactory, UserFactory

pytestmark = pytest.mark.django_db


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_a_password_is_exchanged_for_a_token_that_works_until_it_is_given_back():
    corpus = CorpusFactory()
    person = UserFactory(reads=corpus)
    client = APIClient()
    token = client.post("/api/auth/login/", HTTP_AUTHORIZATION=basic(person.username, PASSWORD)).json()[
        "token"
    ]
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert [row["slug"] for row in client.get("/api/corpora/").json()["results"]] == [corpus.slug]
    assert client.post("/api/auth/logout/").status_code == 204
    assert client.get("/api/corpora/").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("get", "/api/corpora/", None, 401, "not_authenticated"),
        ("get", "/api/corpora/none/", None, 404, "not_found"),
        ("put", "/api/corpora/", {}, 405, "method_not_allowed"),
        ("post", "/api/corpora/handbook/ask/", "{not json", 400, "parse_error"),
        ("post", "/api/corpora/handbook/ask/", {"question": ""}, 400, "invalid"),
        ("post", "/api/corpora/handbook/ask/", {"question": "Who?"}, 503, "no_live_version"),
        ("post", "/api/corpora/handbook/generate/", {}, 409, "empty_corpus"),
        ("post", "/api/corpora/handbook/train/", {}, 409, "nothing_to_train"),
        ("post", "/api/corpora/handbook/rollback/", {}, 409, "conflict"),
    ],
)
def test_every_error_is_problem_details_with_its_status(method, path, body, status, code):
    client = APIClient()
    if status != 401:
        client.force_authenticate(UserFactory(owns=CorpusFactory(slug="handbook")))
    kind = {"content_type": "application/json"} if isinstance(body, str) else {"format": "json"}
    answer = getattr(client, method)(path, body, **kind)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["code"] == code
    assert answer.json()["detail"]


def test_the_schema_is_complete_and_without_warnings(tmp_path):
    call_command("spectacular", "--fail-on-warn", "--validate", file=str(tmp_path / "schema.yml"))
    assert (tmp_path / "schema.yml").stat().st_size > 10_000
