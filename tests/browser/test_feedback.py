"""Feedback by keyboard from the thumb to the curators' queue, the news of it, and the demand list."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chat.models import Feedback, Turn
from knowledge.models import Reflection
from tests.browser.conftest import log_in
from tests.factories import (
    AnsweredTurnFactory,
    ConversationFactory,
    DemandFactory,
    FeedbackFactory,
    MemoryVersionFactory,
    ReflectionFactory,
    UserFactory,
)
from tests.fakes import PairMemory

PHONE = {"width": 390, "height": 844}
RIGHT = "Bo Marsh leads Project Atlas."


@pytest.fixture
def turn(corpus: Any, reader: Any, monkeypatch: pytest.MonkeyPatch) -> Turn:
    """A finished turn of the reader's."""
    monkeypatch.setattr("chat.services.memory_for", lambda version: PairMemory([]))
    monkeypatch.setattr("chat.services.load_in_advance", lambda version: None)
    conversation = ConversationFactory(corpus=corpus, person=reader, title="About Atlas")
    return AnsweredTurnFactory(
        conversation=conversation, version=corpus.versions.get(), answer="Ada Lund leads Project Atlas."
    )


@pytest.fixture
def chat(visitor: Page, site: str, turn: Turn) -> Page:
    log_in(visitor, site, "reader")
    visitor.goto(f"{site}{turn.conversation.get_absolute_url()}")
    return visitor


def good(page: Page) -> Any:
    return page.get_by_role("button", name="Good answer", exact=True)


def bad(page: Page) -> Any:
    return page.get_by_role("button", name="Not a good answer")


def test_a_correction_is_given_by_keyboard_and_appears_in_the_review_queue(
    chat: Page, site: str, corpus: Any
) -> None:
    bad(chat).focus()
    chat.keyboard.press("Enter")
    expect(chat.get_by_label("What is wrong?")).to_be_focused()
    chat.get_by_label("What is wrong?").select_option("outdated")
    chat.keyboard.press("Tab")
    expect(chat.get_by_label("The right answer")).to_be_focused()
    chat.keyboard.type(RIGHT)
    chat.keyboard.press("Tab")
    chat.keyboard.type("Since March.")
    chat.keyboard.press("Tab")
    chat.keyboard.press("Enter")
    expect(chat.get_by_text("Your correction waits for a curator.")).to_be_visible()
    expect(chat.get_by_role("button", name="Change what you said")).to_be_focused()
    expect(bad(chat)).to_have_attribute("aria-pressed", "true")

    curator = UserFactory(username="cara", curates=corpus, is_staff=True)
    chat.get_by_role("button", name="Log out").click()
    log_in(chat, site, curator.username)
    chat.goto(f"{site}/admin/knowledge/reflection/queue/")
    expect(chat.get_by_role("heading", name="Suggested by a person who asked")).to_be_visible()
    expect(chat.get_by_text("Since March.")).to_be_visible()
    expect(chat.locator("[data-part=answer]")).to_have_text(RIGHT)


def test_a_thumb_is_pressed_changed_and_taken_back_with_the_focus_where_it_was(chat: Page) -> None:
    good(chat).focus()
    chat.keyboard.press("Space")
    expect(good(chat)).to_have_attribute("aria-pressed", "true")
    expect(good(chat)).to_be_focused()
    chat.keyboard.press("Space")
    expect(good(chat)).to_have_attribute("aria-pressed", "false")
    assert not Feedback.objects.exists()
    bad(chat).click()
    chat.get_by_label("The right answer").fill(RIGHT)
    chat.get_by_role("button", name="Save").click()
    chat.get_by_role("button", name="Change what you said").click()
    expect(chat.get_by_label("The right answer")).to_have_value(RIGHT)
    chat.get_by_role("button", name="Take it back").click()
    expect(bad(chat)).to_have_attribute("aria-pressed", "false")
    expect(bad(chat)).to_be_focused()
    assert not Reflection.objects.exists()


def test_the_form_fits_a_phone_and_is_read_after_a_reload(chat: Page) -> None:
    chat.set_viewport_size(PHONE)
    bad(chat).click()
    expect(chat.get_by_label("What is wrong?")).to_be_visible()
    width = chat.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    chat.reload()
    expect(bad(chat)).to_have_attribute("aria-pressed", "true")
    expect(chat.get_by_role("button", name="Say what is wrong")).to_be_visible()


def test_news_is_told_on_top_and_put_away(chat: Page, turn: Turn, corpus: Any) -> None:
    pair = ReflectionFactory(corpus=corpus, question=turn.question, answer=RIGHT)
    new = MemoryVersionFactory(corpus=corpus, number=2, live=True)
    FeedbackFactory(turn=turn, corrected=RIGHT, reflection=pair, answered_by=new, answered_at=timezone.now())
    other = AnsweredTurnFactory(conversation=turn.conversation, question="Who runs it?")
    rejected = ReflectionFactory(corpus=corpus, question="Who runs it?", answer="Bo.", status="rejected")
    FeedbackFactory(turn=other, corrected="Bo.", reflection=rejected)
    chat.reload()
    news = chat.get_by_role("region", name="News of your corrections")
    expect(news).to_contain_text("Memory knows it now. Version 2 of Handbook answers what you corrected")
    expect(news).to_contain_text("A curator decided otherwise")
    news.get_by_role("button").filter(has_text=turn.question).click()
    expect(news).not_to_contain_text("Memory knows it now")
    news.get_by_role("button").click()
    expect(news).to_be_hidden()


def test_a_curator_writes_a_pair_from_the_demand_of_a_corpus(visitor: Page, site: str, corpus: Any) -> None:
    DemandFactory(
        corpus=corpus, times=3, asked=["Who leads Project Beacon?", "who is leading project beacon"]
    )
    log_in(visitor, site, UserFactory(curates=corpus, is_staff=True).username)
    visitor.goto(f"{site}{corpus.get_absolute_url()}")
    visitor.get_by_role("link", name="Demand list").click()
    expect(visitor.get_by_role("heading", name="Who leads Project Beacon?")).to_be_visible()
    visitor.get_by_text("The questions").click()
    expect(visitor.get_by_text("who is leading project beacon")).to_be_visible()
    visitor.get_by_text("Write a pair that answers it").click()
    visitor.get_by_label("Answer").fill("Bo Marsh leads Project Beacon.")
    visitor.get_by_label("Approve it at once").check()
    visitor.get_by_role("button", name="Write the pair").click()
    expect(visitor.get_by_text("It is trained on next time.")).to_be_visible()
    visitor.set_viewport_size(PHONE)
    assert visitor.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    visitor.get_by_role("button", name="Dismiss").click()
    expect(visitor.get_by_role("heading", name="Nothing is open")).to_be_visible()
