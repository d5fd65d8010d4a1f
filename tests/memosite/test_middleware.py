"""A session that ends while a page asks for its changing part."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from knowledge.models import Role
from tests.factories import CorpusFactory, GenerationRunFactory, UserFactory
from tests.workbench import browser_of, make_person

pytestmark = pytest.mark.django_db


def poll(client: Client, address: str, page: str) -> Any:
    """Ask as htmx does from this page."""
    return client.get(address, headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"})


@pytest.mark.parametrize("name", ["home", "corpus"])
def test_a_page_whose_session_ended_goes_to_the_login_as_a_whole(client: Client, name: str) -> None:
    corpus = CorpusFactory()
    address = {"home": reverse("home"), "corpus": corpus.get_absolute_url()}[name]
    client.force_login(UserFactory(reads=corpus))
    assert "HX-Redirect" not in poll(client, address, f"{address}?page=2")
    client.logout()
    answer = poll(client, address, f"{address}?page=2")
    assert answer.status_code == 200  # htmx obeys the header of an answer, not of a redirect
    assert answer["HX-Redirect"] == f"/login/?next={address.replace('/', '%2F')}%3Fpage%3D2"
    assert answer.content == b""


def test_the_workbench_comes_back_to_the_page_and_not_to_the_part_that_asked(client: Client) -> None:
    run = GenerationRunFactory(status="running")
    page = reverse("admin:knowledge_generationrun_change", args=[run.pk])
    part = reverse("admin:knowledge_generationrun_progress", args=[run.pk])
    browser = browser_of(make_person("cara", run.corpus, Role.CURATOR))
    assert "HX-Redirect" not in poll(browser, part, page)
    assert poll(client, part, page)["HX-Redirect"] == f"/admin/login/?next={page.replace('/', '%2F')}"


def test_a_foreign_page_is_not_come_back_to(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://elsewhere.example/trap/"}
    assert client.get(reverse("home"), headers=headers)["HX-Redirect"] == "/login/?next=%2F"


def test_a_page_opened_without_a_session_is_redirected_as_ever(client: Client) -> None:
    answer = client.get(reverse("home"))
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/")


@pytest.mark.parametrize(
    ("method", "address", "data"),
    [("get", "/?words=%00", None), ("post", "/login/", {"username": "a\0b", "password": "secret"})],
)
def test_a_text_with_a_nul_character_is_refused_in_words(client: Client, method, address, data) -> None:
    answer = getattr(client, method)(address, data)
    assert answer.status_code == 400
    assert "the character NUL" in answer.content.decode()


def test_rest_refuses_a_nul_character_with_problem_details(client: Client) -> None:
    answer = client.get("/api/corpora/?search=%00")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["code"] == "nul_character"
