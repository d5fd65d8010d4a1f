"""A language model as EXECUTIVE, and what supports an answer, as a person with a browser sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from chat import services
from chat.models import ChatSettings, Turn
from memosite.models import Endpoint, EndpointRole
from tests.browser.conftest import PAIRS, barriers, log_in
from tests.factories import TrainedPairFactory
from tests.fakes import PairMemory, WordedMemory
from tests.llm_server import LLMServer, llm_server

TWO_HOPS = "Who is the manager of the person who leads Project Atlas?"
LEADS, MANAGER = (question for question, _ in PAIRS)


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with llm_server() as server:
        server.scripts = {TWO_HOPS: [LEADS, "Who is the manager of {0}?"]}
        yield server


@pytest.fixture
def chat(
    visitor: Page, site: str, reader: Any, corpus: Any, server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> Page:
    """A conversation that a language model leads; people may choose the rules instead."""
    endpoint = Endpoint.objects.create(
        name="lead",
        role=EndpointRole.EXECUTIVE,
        base_url=server.url,
        model="test",
        max_retries=0,
        timeout_seconds=30,
    )
    ChatSettings.objects.create(corpus=corpus, executive=endpoint)
    monkeypatch.setattr(services, "memory_for", lambda version: WordedMemory(PairMemory(PAIRS)))
    monkeypatch.setattr(services, "load_in_advance", lambda version: None)
    log_in(visitor, site, reader.username)
    visitor.get_by_role("button", name="Ask Handbook").click()
    expect(visitor.locator("#composer[data-connected]")).to_be_visible()
    return visitor


def ask(page: Page, question: str = TWO_HOPS) -> None:
    page.get_by_label("Your question").fill(question)
    page.get_by_label("Your question").press("Enter")


def ask_and_unfold(page: Page) -> None:
    ask(page)
    expect(page.locator(".after")).to_be_visible()
    page.locator(".timeline > summary").first.click()


def test_the_timeline_shows_clues_with_their_power_candidates_and_how_far_the_wordings_agree(chat):
    ask_and_unfold(chat)
    expect(chat.locator(".answer-text")).to_have_text(
        "Ada Lund leads Project Atlas. [1] Ola Berg is the manager of Ada Lund. [2]"
    )
    expect(chat.locator(".clues").first).to_contain_text("4 of/5")
    expect(chat.locator(".candidate")).to_contain_text(["Ada Lund"])
    expect(chat.locator(".candidate .chip")).to_have_text("confirmed")
    expect(chat.locator(".agreement").first).to_have_text("4 of 4 wordings agree")
    chat.get_by_text("4 wordings", exact=True).first.click()
    expect(chat.locator(".wordings").first).to_contain_text(f"Tell me: {LEADS}")
    expect(chat.locator(".answer-facts")).to_contain_text("Led by lead")
    barriers(chat)


def test_a_person_lets_another_executive_lead_and_compares_the_two(chat):
    ask(chat)
    expect(chat.locator(".answer-facts")).to_contain_text("Led by lead")
    with chat.expect_response("**/executive/"):
        chat.locator("#executive").select_option("rules")
    chat.get_by_role("button", name="Ask again").click()
    last = chat.locator(".turn").last
    expect(last.get_by_label("The answer now")).to_contain_text("Led by Built-in rules")
    expect(last.get_by_label("The answer before")).to_contain_text("Led by lead")
    last.get_by_text("Ask another", exact=True).click()
    last.get_by_label("EXECUTIVE").select_option("lead")
    last.locator("form[data-do=another]").get_by_role("button", name="Ask").click()
    expect(chat.locator(".turn")).to_have_count(3)
    expect(chat.locator(".turn").last.get_by_label("The answer now")).to_contain_text("Led by lead")
    assert list(Turn.objects.order_by("pk").values_list("executive", flat=True)) == ["lead", "rules", "lead"]


def test_what_the_executive_failed_at_is_told_and_what_memory_knows_is_shown(chat, server):
    server.faults_of_stage = {"next": "500", "answer": "500"}
    ask_and_unfold(chat)
    expect(chat.locator(".answer-text")).to_contain_text("This is what memory knows")
    expect(chat.locator(".answer-text li")).to_have_text(["Ada Lund leads Project Atlas. [1]"])
    expect(chat.locator(".problems")).to_be_visible()


def test_stop_ends_the_call_to_the_executive(chat, server):
    server.faults_of_stage = {"next": "hang"}
    ask(chat)
    expect(chat.locator(".exchange")).to_contain_text("Ada Lund leads Project Atlas.")
    chat.keyboard.press("Escape")
    expect(chat.locator(".turn[data-status=stopped]")).to_have_count(1)
    assert Turn.objects.get().status == "stopped"


def test_beside_an_answer_stands_the_pair_that_supports_it_and_the_answer_is_copied_with_its_sources(
    chat, corpus, context
):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    version = corpus.versions.get()
    for question, answer in PAIRS:
        TrainedPairFactory(version=version, question=question, answer=answer)
    ask_and_unfold(chat)
    chat.get_by_text("Supporting", exact=True).first.click()
    support = chat.locator(".supports").first
    expect(support.locator(".grade").first).to_have_text("Exact")
    expect(support).to_contain_text("weights")
    barriers(chat)
    chat.get_by_role("button", name="Copy with sources").click()
    expect(chat.get_by_role("button", name="Copied")).to_be_visible()
    copied = chat.evaluate("navigator.clipboard.readText()")
    assert "Ola Berg is the manager of Ada Lund. [2]" in copied
    assert LEADS in copied
