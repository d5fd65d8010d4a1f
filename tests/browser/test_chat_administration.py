"""Sharing, chat settings and the usage page in a browser: they work, on a phone too, and shut nobody out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from chat import sharing
from chat.models import ChatSettings, Turn
from chat.protocol.events import FinalAnswer, MemoryAnswered, StageStarted, SubQueryAsked
from tests.browser.conftest import barriers, log_in
from tests.factories import (
    ConversationFactory,
    DayOfUseFactory,
    SubQueryFactory,
    TurnFactory,
    UserFactory,
    executive_endpoint,
)

PHONE = {"width": 390, "height": 844}
ANSWER = "Ada Lund leads Project Atlas."
HAPPENED = [
    StageStarted(stage="grounding", note=""),
    SubQueryAsked(index=1, stage="grounding", question="Who leads Project Atlas?"),
    MemoryAnswered(index=1, answer=ANSWER, confidence=0.97, known=True, latency_ms=3),
    FinalAnswer(text=f"**{ANSWER}** [1]", values=[], known=True, sub_queries=[1], justification=""),
]


@pytest.fixture
def owner(corpus: Any) -> Any:
    return UserFactory(username="owner", owns=corpus)


@pytest.fixture
def turn(corpus: Any, owner: Any) -> Turn:
    version = corpus.versions.get()
    conversation = ConversationFactory(corpus=corpus, person=owner, title="Atlas")
    turn = TurnFactory(
        conversation=conversation, version=version, status="answered", known=True, events=HAPPENED
    )
    SubQueryFactory(turn=turn, answer=ANSWER, known=True, confidence=0.97, version=version)
    return turn


def test_a_turn_is_shared_with_a_colleague_and_taken_back(visitor: Page, site, turn, owner, reader):
    log_in(visitor, site, "owner")
    visitor.goto(f"{site}{turn.conversation.get_absolute_url()}")
    visitor.get_by_role("button", name="Share").click()
    link = visitor.get_by_label("Link for people who may read all that was asked here").input_value()
    assert link.startswith(f"{site}/chat/shared/")
    barriers(visitor)
    visitor.get_by_role("button", name="Log out").click()
    log_in(visitor, site, "reader")
    visitor.goto(link)
    expect(visitor.get_by_text("Shared by owner")).to_be_visible()
    visitor.get_by_role("link", name="[1]").click()
    expect(visitor.locator(".exchange:target")).to_contain_text(ANSWER)
    barriers(visitor)
    visitor.get_by_role("button", name="Log out").click()
    log_in(visitor, site, "owner")
    visitor.goto(f"{site}{turn.conversation.get_absolute_url()}")
    visitor.get_by_role("button", name="Stop sharing").click()
    expect(visitor.get_by_role("button", name="Share", exact=True)).to_be_visible()
    assert sharing.shared_with(reader, link.rstrip("/").rsplit("/", 1)[-1]) is None


@pytest.mark.parametrize("has_clipboard", [True, False], ids=["with TLS", "without TLS"])
def test_the_link_of_a_shared_turn_is_copied_by_a_button(visitor: Page, site, turn, context, has_clipboard):
    if has_clipboard:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
    else:
        visitor.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    sharing.share(turn)
    log_in(visitor, site, "owner")
    visitor.goto(f"{site}{turn.conversation.get_absolute_url()}")
    visitor.get_by_role("button", name="Copy", exact=True).click()
    expect(visitor.get_by_role("button", name="Copied")).to_be_focused()
    visitor.get_by_label("Search").first.fill("")
    visitor.keyboard.press("Control+V")
    link = visitor.get_by_label("Link for people who may read all that was asked here").input_value()
    expect(visitor.get_by_label("Search").first).to_have_value(link)
    expect(visitor.get_by_role("button", name="Copy", exact=True)).to_be_visible()


def test_an_owner_sets_the_chat_up(visitor: Page, site, corpus, owner):
    executive_endpoint("gpt")
    log_in(visitor, site, "owner")
    visitor.goto(f"{site}/corpora/handbook/")
    visitor.get_by_role("link", name="Chat settings").click()
    barriers(visitor)
    visitor.get_by_label("Leads the conversations").select_option(label="gpt (test-model at 127.0.0.1)")
    visitor.get_by_label("Days").fill("90")
    visitor.get_by_role("button", name="Save").click()
    expect(visitor.get_by_text("The chat settings were saved.")).to_be_visible()
    row = ChatSettings.objects.get()
    assert (str(row.executive), row.retention_days) == ("gpt", 90)


def test_an_owner_sees_what_was_asked(visitor: Page, site, corpus, owner):
    use(corpus)
    log_in(visitor, site, "owner")
    visitor.goto(f"{site}/corpora/handbook/")
    visitor.get_by_role("link", name="Usage").click()
    visitor.get_by_role("link", name="Last 7 days").click()
    expect(visitor.get_by_role("img", name="Questions a day")).to_be_visible()
    visitor.get_by_text("The same as a table").click()
    expect(visitor.get_by_role("region", name="Usage by Day").get_by_role("row")).to_have_count(8)
    barriers(visitor)
    with visitor.expect_download() as download:
        visitor.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename.startswith("usage-handbook-")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_pages_are_no_wider_than_the_screen(visitor: Page, site, corpus, turn, scheme):
    use(corpus)
    visitor.set_viewport_size(PHONE)  # type: ignore[arg-type]
    visitor.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    log_in(visitor, site, "owner")
    shared = sharing.share(turn).get_absolute_url()
    for path in (shared, turn.conversation.get_absolute_url(), "/usage/", "/corpora/handbook/chat-settings/"):
        visitor.goto(f"{site}{path}")
        assert visitor.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
        barriers(visitor)


def use(corpus: Any) -> None:
    """Questions on each of five days."""
    for days in range(5):
        day = datetime.now(UTC).date() - timedelta(days=days)
        figures = {"questions": 9, "answered": 6, "abstained": 3, "prompt_tokens": 90_000, "cost": Decimal(2)}
        DayOfUseFactory(corpus=corpus, day=day, executive="gpt", **figures)
