"""The pages of a corpus in a browser: live progress, uploads, and how they look on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from tests.browser.conftest import log_in
from tests.factories import PASSWORD, ConversationFactory, TrainingRunFactory, UserFactory
from training import views
from training.models import TrainingRun

PHONE = {"width": 390, "height": 844}
CURVE = [{"step": step, "loss": 4 / (step + 1), "recall": step / 40} for step in range(12)]


@pytest.fixture
def owner(corpus: Any) -> Any:
    return UserFactory(username="owner", owns=corpus)


@pytest.fixture
def training(corpus: Any) -> TrainingRun:
    return TrainingRunFactory(
        corpus=corpus, status="running", phase="training", done=12, total=40, curve=CURVE
    )


def test_progress_moves_without_a_reload_until_the_run_is_over(visitor: Page, site, corpus, owner, training):
    log_in(visitor, site, owner.username)
    visitor.goto(f"{site}{corpus.get_absolute_url()}")
    bar = visitor.get_by_label("Training", exact=True)
    expect(bar).to_have_attribute("value", "12")
    expect(visitor.get_by_role("img", name="Course of the training")).to_be_visible()
    TrainingRun.objects.update(done=30)
    expect(bar).to_have_attribute("value", "30")
    expect(visitor.get_by_text("30 of 40")).to_be_visible()
    TrainingRun.objects.update(status="failed", error="The disk is full.")
    expect(visitor.get_by_text("The disk is full.")).to_be_visible()
    expect(visitor.locator("#corpus-state")).to_have_attribute("hx-trigger", "every 15s")


@pytest.mark.parametrize("path", ["/", "/corpora/handbook/"])
def test_a_run_that_somebody_else_starts_appears_without_a_reload(
    visitor: Page, site, corpus, owner, monkeypatch: pytest.MonkeyPatch, path: str
):
    monkeypatch.setattr(views, "IDLE_SECONDS", 1)
    log_in(visitor, site, owner.username)
    visitor.goto(f"{site}{path}")
    expect(visitor.get_by_role("heading", level=1)).to_be_visible()
    expect(visitor.locator("progress")).to_have_count(0)
    TrainingRunFactory(corpus=corpus, status="running", phase="training", done=12, total=40)
    expect(visitor.get_by_label("Training", exact=True)).to_have_attribute("value", "12")


def test_a_page_whose_session_ends_while_a_run_is_at_work_goes_to_the_login_and_back(
    visitor: Page, site, corpus, owner, training
):
    log_in(visitor, site, owner.username)
    visitor.goto(f"{site}{corpus.get_absolute_url()}")
    expect(visitor.get_by_label("Training", exact=True)).to_be_visible()
    Session.objects.all().delete()
    expect(visitor.get_by_role("heading", name="Log in")).to_be_visible()
    assert visitor.locator("#corpus-state").count() == 0
    visitor.get_by_label("User name").fill(owner.username)
    visitor.get_by_label("Password").fill(PASSWORD)
    visitor.get_by_role("button", name="Log in").click()
    expect(visitor).to_have_url(f"{site}{corpus.get_absolute_url()}")


def test_cancel_asks_the_run_to_stop(visitor: Page, site, corpus, owner, training):
    log_in(visitor, site, owner.username)
    visitor.goto(f"{site}{corpus.get_absolute_url()}")
    visitor.get_by_role("button", name="Cancel").click()
    expect(visitor.get_by_text("Stopping", exact=True)).to_be_visible()
    assert TrainingRun.objects.get().cancel_requested


def test_files_are_uploaded_together_and_each_gets_its_result(visitor: Page, site, corpus, owner):
    log_in(visitor, site, owner.username)
    visitor.goto(f"{site}{corpus.get_absolute_url()}")
    files = [
        {"name": "good.md", "mimeType": "text/markdown", "buffer": b"# Good\n\nBo leads Project Brim."},
        {"name": "empty.md", "mimeType": "text/markdown", "buffer": b""},
    ]
    visitor.get_by_label("Add documents").set_input_files(files)
    visitor.get_by_role("button", name="Upload").click()
    expect(visitor.get_by_role("listitem").filter(has_text="good.md")).to_contain_text("Added")
    expect(visitor.get_by_role("listitem").filter(has_text="empty.md")).to_contain_text("it is empty")


def test_no_page_is_wider_than_a_phone_whatever_people_type(visitor: Page, site, corpus, owner, training):
    conversation = ConversationFactory(corpus=corpus, person=owner, title="x" * 120)
    type(corpus).objects.update(name="y" * 120, description="z" * 400)
    corpus.documents.update(title="t" * 300)
    TrainingRun.objects.update(item_errors=[{"document": "d" * 100, "error": "e" * 100}])
    document = corpus.documents.get()
    visitor.set_viewport_size(PHONE)
    log_in(visitor, site, owner.username)
    home = corpus.get_absolute_url()
    below = ("", "versions/1/", f"documents/{document.pk}/")
    for path in ("/", "/chat/", conversation.get_absolute_url(), *(f"{home}{page}" for page in below)):
        visitor.goto(f"{site}{path}")
        assert visitor.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_the_keyboard_reaches_the_content_first(visitor: Page, site, corpus, owner):
    log_in(visitor, site, owner.username)
    visitor.keyboard.press("Tab")
    expect(visitor.get_by_role("link", name="Skip to the content")).to_be_focused()
    visitor.keyboard.press("Enter")
    expect(visitor.locator("main")).to_be_focused()


def test_logging_out_ends_the_session(visitor: Page, site, owner):
    log_in(visitor, site, owner.username)
    visitor.get_by_role("button", name="Log out").click()
    visitor.goto(f"{site}/chat/")
    expect(visitor).to_have_url(f"{site}/login/?next=/chat/")
