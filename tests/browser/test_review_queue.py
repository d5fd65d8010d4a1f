"""The review queue by keyboard alone, and by two curators at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect

from knowledge.models import Corpus, Reflection, ReflectionFlag
from tests.browser.conftest import PATIENCE_MS, log_in
from tests.factories import CorpusFactory, UserFactory
from tests.workbench import make_document, make_pair

PHONE = {"width": 390, "height": 844}
TEXT = "Ada Marsh leads the Harbour. Bo Tern paints the pier each spring."


@pytest.fixture
def harbour(transactional_db: None) -> Corpus:
    """A corpus of four pending pairs of one passage; the last of them is flagged and so comes first."""
    cache.clear()
    corpus = CorpusFactory(slug="harbour")
    chunk = make_document(corpus, TEXT).chunks.get()
    questions = ["Who leads the Harbour?", "Who paints the pier?", "When is the pier painted?", "Who is Ada?"]
    pairs = [make_pair(corpus, question, (chunk, 0, 28)) for question in questions]
    ReflectionFlag.objects.create(reflection=pairs[3], flag="not_self_contained", note="“Ada” who?")
    return corpus


@pytest.fixture
def queue(visitor: Page, site: str, harbour: Corpus) -> Page:
    """The queue as Ann opens it from the page of the corpus."""
    log_in(visitor, site, UserFactory(username="ann", is_staff=True, curates=harbour).username)
    visitor.goto(f"{site}/admin/knowledge/corpus/{harbour.pk}/change/")
    visitor.get_by_role("link", name="Review pairs").click()
    return visitor


def expect_question(page: Page, text: str) -> None:
    expect(page.locator("[data-part=question]")).to_have_text(text)
    page.wait_for_timeout(350)  # a person needs longer to look at it


def heard(page: Page) -> Any:
    return page.locator("#queue-announcer")


def status_of(question: str) -> str:
    return Reflection.objects.get(question=question).status


def test_pairs_are_decided_by_single_keys_and_what_happens_is_said(queue: Page) -> None:
    expect_question(queue, "Who is Ada?")
    expect(queue.get_by_text("“Ada” who?")).to_be_visible()
    expect(queue.locator(".passage mark")).to_have_text("Ada Marsh leads the Harbour.")
    queue.keyboard.press("Enter")
    expect_question(queue, "Who leads the Harbour?")
    expect(heard(queue)).to_have_text(re.compile(r"Approved\. Who leads the Harbour\? 1 of 4"))
    queue.keyboard.press("Backspace")
    expect_question(queue, "Who paints the pier?")
    expect(queue.locator("[data-part=progress]")).to_have_text("2 of 4")
    assert (status_of("Who is Ada?"), status_of("Who leads the Harbour?")) == ("approved", "rejected")
    expect(queue.locator(".queue-neighbours")).to_contain_text("rejected")
    queue.keyboard.press("u")
    expect_question(queue, "Who leads the Harbour?")
    queue.keyboard.press("Control+z")
    expect_question(queue, "Who is Ada?")
    assert {row.status for row in Reflection.objects.all()} == {"pending"}
    queue.keyboard.press("u")
    expect(heard(queue)).to_have_text("There is nothing to undo.")


def test_arrows_move_and_decide_nothing(queue: Page) -> None:
    expect_question(queue, "Who is Ada?")
    queue.keyboard.press("ArrowRight")
    expect_question(queue, "Who leads the Harbour?")
    queue.keyboard.press("ArrowRight")
    expect_question(queue, "Who paints the pier?")
    queue.keyboard.press("ArrowLeft")
    expect_question(queue, "Who leads the Harbour?")
    queue.reload()
    expect_question(queue, "Who leads the Harbour?")
    assert {row.status for row in Reflection.objects.all()} == {"pending"}


def test_keys_only_type_while_an_edit_is_open_and_ctrl_s_saves_it(queue: Page) -> None:
    expect_question(queue, "Who is Ada?")
    queue.keyboard.press("e")
    field = queue.get_by_label("Question")
    expect(field).to_be_focused()
    queue.keyboard.press("Backspace")
    queue.keyboard.type(" Marsh? eu?")
    queue.keyboard.press("ArrowLeft")
    expect(field).to_have_value("Who is Ada Marsh? eu?")
    queue.keyboard.press("Control+s")
    expect_question(queue, "Who is Ada Marsh? eu?")
    expect(heard(queue)).to_contain_text("Saved.")
    assert Reflection.objects.get(question="Who is Ada Marsh? eu?").history.count() == 2
    assert {row.status for row in Reflection.objects.all()} == {"pending"}
    queue.keyboard.press("e")
    queue.keyboard.type("!")
    queue.keyboard.press("Enter")
    queue.keyboard.press("Escape")
    expect(field).to_be_hidden()
    expect_question(queue, "Who is Ada Marsh? eu?")
    queue.keyboard.press("u")
    expect_question(queue, "Who is Ada?")
    assert not Reflection.objects.filter(question__contains="Marsh").exists()


def test_help_opens_and_closes_and_swallows_keys(queue: Page) -> None:
    expect_question(queue, "Who is Ada?")
    queue.keyboard.press("?")
    help_ = queue.get_by_role("dialog", name="Keys")
    expect(help_).to_be_visible()
    queue.keyboard.press("Backspace")
    queue.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    expect_question(queue, "Who is Ada?")
    assert status_of("Who is Ada?") == "pending"


def test_a_double_press_and_a_key_held_down_decide_one_pair(queue: Page) -> None:
    expect_question(queue, "Who is Ada?")
    for _ in range(6):
        queue.keyboard.down("Enter")
    queue.keyboard.up("Enter")
    expect_question(queue, "Who leads the Harbour?")
    queue.keyboard.press("ArrowRight")
    expect_question(queue, "Who paints the pier?")
    assert Reflection.objects.filter(status="approved").count() == 1


def test_enter_on_a_button_presses_that_button(queue: Page) -> None:
    expect_question(queue, "Who is Ada?")
    queue.get_by_role("button", name="Reject").focus()
    queue.keyboard.press("Enter")
    expect_question(queue, "Who leads the Harbour?")
    assert status_of("Who is Ada?") == "rejected"


def test_the_last_pair_leads_to_what_comes_next(queue: Page) -> None:
    for question in (
        "Who is Ada?",
        "Who leads the Harbour?",
        "Who paints the pier?",
        "When is the pier painted?",
    ):
        expect_question(queue, question)
        queue.keyboard.press("Enter")
    expect_question(queue, "All 4 pairs of this list are reviewed")
    expect(queue.locator("[data-part=progress]")).to_have_text("4 of 4")
    queue.keyboard.press("u")
    expect_question(queue, "When is the pier painted?")


def test_two_curators_get_different_pairs_and_never_overwrite_each_other(
    queue: Page, browser: Browser, site: str, harbour: Corpus
) -> None:
    expect_question(queue, "Who is Ada?")
    others = browser.new_context().new_page()
    others.set_default_timeout(PATIENCE_MS)
    log_in(others, site, UserFactory(username="bob", is_staff=True, curates=harbour).username)
    others.goto(f"{site}/admin/knowledge/reflection/queue/?corpus=harbour")
    expect_question(others, "Who leads the Harbour?")
    pair = Reflection.objects.get(question="Who is Ada?")
    others.goto(f"{site}/admin/knowledge/reflection/queue/?corpus=harbour&pair={pair.pk}")
    expect_question(others, "Who is Ada?")
    others.keyboard.press("e")
    others.keyboard.press("Control+a")
    others.keyboard.type("Who is Bob’s Ada?")

    queue.keyboard.press("e")
    queue.keyboard.press("Control+a")
    queue.keyboard.type("Who is Ann’s Ada?")
    queue.keyboard.press("Control+s")
    expect_question(queue, "Who is Ann’s Ada?")

    others.keyboard.press("Control+s")
    expect_question(others, "ann changed this pair while you looked at it")
    expect(others.locator(".differs")).to_have_text(["Who is Ann’s Ada?", "Who is Bob’s Ada?"])
    pair.refresh_from_db()
    assert pair.question == "Who is Ann’s Ada?"
    others.keyboard.press("Enter")  # no key decides this
    others.get_by_role("button", name="Save mine over it").focus()
    others.keyboard.press("Enter")
    expect_question(others, "Who is Bob’s Ada?")
    pair.refresh_from_db()
    assert (pair.question, pair.status, pair.history.count()) == ("Who is Bob’s Ada?", "pending", 3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(queue: Page, scheme: Any) -> None:
    queue.emulate_media(color_scheme=scheme)
    queue.set_viewport_size(PHONE)
    expect_question(queue, "Who is Ada?")
    assert queue.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    queue.get_by_role("button", name="Approve").click()
    expect_question(queue, "Who leads the Harbour?")
