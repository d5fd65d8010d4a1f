"""Endpoints, the forecast before a run, and a run's pause, resumption and retry, in the admin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from knowledge.generation import perform_generation
from knowledge.models import Corpus, GenerationRun
from memosite.models import Endpoint
from memosite.runs import work_on
from tests.factories import CorpusFactory, DocumentFactory, EndpointFactory, GenerationRunFactory, UserFactory
from tests.llm_server import LLMServer, llm_server

pytestmark = pytest.mark.django_db
FORM = {
    "name": "mine",
    "role": "generator",
    "base_url": "http://localhost:11434/v1",
    "model": "qwen",
    "key_variable": "MY_KEY",
    "temperature": "0.2",
    "max_tokens": "4096",
    "concurrency": "4",
    "timeout_seconds": "60",
    "max_retries": "3",
    "input_price": "0.5",
    "output_price": "1.5",
}
ADD = "admin:memosite_endpoint_add"


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with llm_server() as running:
        yield running


@pytest.fixture
def corpus() -> Corpus:
    corpus = CorpusFactory()
    DocumentFactory(corpus=corpus)
    return corpus


def login(**kwargs: Any) -> Client:
    client = Client()
    client.force_login(UserFactory(is_staff=True, **kwargs))
    return client


@pytest.fixture
def admin() -> Client:
    return login(is_superuser=True)


def page_of(row: Any, name: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])


def text_of(response: Any) -> str:
    return response.content.decode()


# --- Endpoints ---------------------------------------------------------------------------------------------
def test_an_administrator_adds_an_endpoint_with_the_name_of_its_key(admin: Client) -> None:
    assert admin.post(reverse(ADD), FORM).status_code == 302
    assert Endpoint.objects.get().key_variable == "MY_KEY"
    assert "MY_KEY, NOT SET" in text_of(admin.get(reverse("admin:memosite_endpoint_changelist")))


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("key_variable", "sk-abcdef123", "the key itself is never stored"),
        ("key_variable", "SECRET_KEY", "is a secret of this site"),
        ("base_url", "api.example.com", "Give the address of the server"),
        ("base_url", "https://me:key@example.com/v1", "Leave the key out of the address"),
        ("name", "rules", "is taken by the site itself"),
        ("concurrency", "0", "greater than or equal to 1"),
    ],
)
def test_a_bad_value_is_told_and_nothing_is_stored(admin: Client, field: str, value: str, told: str) -> None:
    assert told in text_of(admin.post(reverse(ADD), FORM | {field: value}))
    assert not Endpoint.objects.exists()


def test_owners_and_curators_do_not_see_endpoints(corpus: Corpus) -> None:
    endpoint = EndpointFactory()
    client = login(owns=corpus)
    assert (
        client.get(page_of(endpoint)).status_code == 302 or client.get(page_of(endpoint)).status_code == 403
    )
    client.post(page_of(endpoint, "test"))
    assert client.post(reverse(ADD), FORM).status_code in (302, 403)
    assert Endpoint.objects.count() == 1


def test_the_test_of_a_connection_says_what_happened(admin: Client, server: LLMServer, monkeypatch) -> None:
    endpoint = EndpointFactory(base_url=server.url)
    monkeypatch.setattr("tests.llm_server.step_of", lambda system: "test")
    monkeypatch.setitem(server_replies(), "test", lambda user: {"words": [{"word": "ready"}]})
    told = text_of(admin.post(page_of(endpoint, "test"), follow=True))
    assert "test-model answered in" in told
    assert "with JSON as asked for" in told
    endpoint.base_url = "http://127.0.0.1:1/v1"
    endpoint.save()
    assert "cannot be reached" in text_of(admin.post(page_of(endpoint, "test"), follow=True))
    endpoint.key_variable = "A_KEY_OF_NOBODY"
    endpoint.save()
    assert "A_KEY_OF_NOBODY" in text_of(admin.post(page_of(endpoint, "test"), follow=True))


def server_replies() -> dict[str, Any]:
    from tests.llm_server import REPLIES

    return REPLIES


# --- Before a run ------------------------------------------------------------------------------------------
def test_without_endpoints_generate_starts_the_rules_at_once(corpus: Corpus) -> None:
    login(curates=corpus).post(page_of(corpus, "generate"))
    assert corpus.generation_runs.get().generator == "rules"


def test_with_an_endpoint_generate_first_shows_what_it_will_take(corpus: Corpus) -> None:
    EndpointFactory(name="large", input_price=5, output_price=15)
    client = login(curates=corpus)
    page = client.post(page_of(corpus, "generate"))
    ((_, nothing), (name, forecast)) = page.context["forecasts"]
    assert nothing is None
    assert (name, forecast.calls > 0, forecast.dollars > 0) == ("large", True, True)
    assert not corpus.generation_runs.exists()
    client.post(page_of(corpus, "generate"), {"confirmed": "1", "generator": "large", "budget": "2.50"})
    run = corpus.generation_runs.get()
    assert (run.generator, str(run.budget), run.estimate["calls"]) == ("large", "2.50", forecast.calls)


def test_a_budget_that_is_no_amount_is_told_beside_its_field(corpus: Corpus) -> None:
    EndpointFactory(name="large")
    data = {"confirmed": "1", "generator": "large", "budget": "-3"}
    page = login(curates=corpus).post(page_of(corpus, "generate"), data)
    assert page.context["form"].errors["budget"]
    assert not corpus.generation_runs.exists()


# --- During and after a run --------------------------------------------------------------------------------
def test_a_run_is_paused_and_resumed_with_another_budget(corpus: Corpus) -> None:
    run = GenerationRunFactory(corpus=corpus, generator="large", endpoint=EndpointFactory(name="large"))
    client = login(curates=corpus)
    assert "Pause" in text_of(client.get(page_of(run)))
    client.post(page_of(run, "pause"))
    run.refresh_from_db()
    assert run.status == "paused"
    assert "Resume" in text_of(client.get(page_of(run)))
    client.post(page_of(run, "resume"), {"budget": "nonsense"})
    run.refresh_from_db()
    assert run.status == "paused"
    client.post(page_of(run, "resume"), {"budget": "7"})
    run.refresh_from_db()
    assert (run.status, run.budget) == ("queued", 7)


def test_the_page_lists_what_failed_and_what_it_cost_and_retries_it(
    corpus: Corpus, server: LLMServer
) -> None:
    title = corpus.documents.get().title
    server.faults = {title: "500"}
    endpoint = EndpointFactory(name="large", base_url=server.url, max_retries=0, input_price=1)
    run = GenerationRunFactory(corpus=corpus, generator="large", endpoint=endpoint)
    work_on(run, perform_generation)
    client = login(curates=corpus)
    page = text_of(client.get(page_of(run)))
    assert "succeeded with errors" in page.lower()
    assert "answered with status 500: “out of order”" in page
    server.faults = {}
    client.post(page_of(run, "retry"))
    work_on(GenerationRun.objects.get(), perform_generation)
    run.refresh_from_db()
    page = text_of(client.get(page_of(run)))
    assert run.status == "succeeded"
    assert "What it cost" in page
    assert "What failed" not in page


def test_a_foreign_curator_cannot_touch_a_run(corpus: Corpus) -> None:
    run = GenerationRunFactory(corpus=corpus)
    foreign = login(curates=CorpusFactory())
    for name in ("pause", "resume", "retry"):
        assert foreign.post(page_of(run, name)).status_code == 404
    run.refresh_from_db()
    assert run.status == "queued"


def test_passages_without_a_pair_are_for_a_language_model_not_for_the_rules(corpus: Corpus) -> None:
    client = login(curates=corpus)
    told = text_of(client.post(page_of(corpus, "more"), {"all": "1"}, follow=True))
    assert "choose a language model" in told
    assert not corpus.generation_runs.exists()
    corpus.generator = EndpointFactory()
    corpus.save()
    client.post(page_of(corpus, "more"), {"all": "1"})
    run = corpus.generation_runs.get()
    assert (list(run.chunks.all()), run.fresh) == (list(corpus.documents.get().chunks.all()), True)
