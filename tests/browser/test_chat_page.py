"""Asking in the chat, as a person with a browser does it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, WebSocketRoute, expect

from chat.models import Conversation, Turn
from chat.protocol.events import FinalAnswer, MemoryAnswered, StageStarted, SubQueryAsked
from tests.browser.conftest import PAIRS, GatedMemory, barriers, log_in
from tests.factories import ConversationFactory, MemoryVersionFactory, TurnFactory, UserFactory

QUESTION = "Who is the manager of the person who leads Project Atlas?"
CLUE, SEEKING = "Who leads Project Atlas?", "Who is the manager of Ada Lund?"
TOLD = "The manager of the person who leads Project Atlas is Ola Berg."
ANSWER = f"{TOLD} [1] [2]"
STAGES = ["Grounding", "Entity identification", "Answer seeking"]
PHONE = {"width": 390, "height": 844}
#: Where the words of each button begin, in pixels from the top of the window.
TOPS_OF_WORDS = """
row => [...row.querySelectorAll("button.quiet-button, summary")].map(button => {
  const words = document.createRange();
  words.selectNodeContents(button);
  return words.getBoundingClientRect().top;
})
"""


@pytest.fixture
def chat(visitor: Page, site: str, reader: Any, corpus: Any, memory: GatedMemory) -> Page:
    """A new conversation, opened by way of the login and the start page."""
    log_in(visitor, site, reader.username)
    visitor.get_by_role("button", name="Ask Handbook").click()
    visitor.wait_for_url("**/chat/*/")
    expect(visitor.locator("#composer[data-connected]")).to_be_visible()
    return visitor


def ask(page: Page, question: str = QUESTION) -> None:
    page.get_by_label("Your question").fill(question)
    page.get_by_label("Your question").press("Enter")


def reopen_through(page: Page, connect: Callable[[WebSocketRoute], None]) -> None:
    """Reload the page with its websockets led through the test."""
    page.route_web_socket("**/ws/**", connect)
    page.reload()
    expect(page.locator("#composer[data-connected]")).to_be_visible()


def exchange(page: Page, asked: str) -> Any:
    return page.locator(".exchange").filter(has_text=asked)


def test_each_sub_query_appears_when_it_is_asked_and_its_answer_when_it_exists(chat, memory):
    ask(chat)
    expect(exchange(chat, CLUE)).to_contain_text("asking memory")
    expect(chat.get_by_role("heading", name="Grounding")).to_be_visible()
    memory.let_answer()
    expect(exchange(chat, CLUE)).to_contain_text("Ada Lund leads Project Atlas. 100 %")
    expect(chat.get_by_role("heading", name="Entity identification")).to_be_visible()
    expect(chat.get_by_role("heading", name="Answer seeking")).to_be_visible()
    expect(exchange(chat, SEEKING)).to_contain_text("asking memory")
    expect(chat.locator(".answer-text")).to_be_hidden()
    memory.let_answer()
    expect(chat.locator(".answer-text")).to_have_text(ANSWER)


def test_the_answered_turn_folds_into_one_line_that_opens_again(chat, memory):
    memory.let_answer(2)
    ask(chat)
    expect(chat.locator(".timeline > summary")).to_contain_text("2 sub-queries")
    expect(exchange(chat, CLUE)).to_be_hidden()
    chat.locator(".timeline > summary").click()
    expect(exchange(chat, CLUE)).to_be_visible()
    expect(chat.locator(".why")).to_contain_text("[2] Who is the manager of Ada Lund?")
    expect(chat.locator("#announcer")).to_have_text(f"Answer: {TOLD}")


def test_a_conversation_is_called_after_its_first_question(chat, memory):
    expect(chat.get_by_role("heading", level=1)).to_have_text("New conversation")
    memory.let_answer(2)
    ask(chat)
    expect(chat.get_by_role("heading", level=1)).to_have_text(QUESTION)
    chat.reload()
    expect(chat.get_by_role("heading", level=1)).to_have_text(QUESTION)


def test_a_reference_opens_the_timeline_at_its_sub_query(chat, memory):
    memory.let_answer(2)
    ask(chat)
    chat.locator(".answer-text").get_by_role("link", name="[2]").click()
    expect(exchange(chat, SEEKING)).to_be_visible()


def test_a_reload_in_the_middle_shows_what_happened_and_goes_on(chat, memory):
    ask(chat)
    expect(exchange(chat, CLUE)).to_contain_text("asking memory")
    chat.reload()
    expect(exchange(chat, CLUE)).to_contain_text("asking memory")
    expect(chat.get_by_role("button", name="Stop")).to_be_visible()
    memory.let_answer()
    expect(exchange(chat, CLUE)).to_contain_text("Ada Lund leads Project Atlas.")
    memory.let_answer()
    expect(chat.locator(".answer-text")).to_have_text(ANSWER)
    expect(chat.locator(".exchange")).to_have_count(2)


def test_a_page_that_was_away_catches_up_when_it_comes_back(chat, memory):
    ask(chat)
    expect(exchange(chat, CLUE)).to_contain_text("asking memory")
    address = chat.url
    chat.goto("about:blank")
    memory.let_answer(2)
    turn = Turn.objects.get()
    while turn.is_running:
        turn.refresh_from_db()
    chat.goto(address)
    expect(chat.locator(".answer-text")).to_have_text(ANSWER)


def test_a_lost_connection_is_made_anew_and_nothing_is_missed(chat, memory):
    connections = []

    def connect(client: WebSocketRoute) -> None:
        client.connect_to_server()
        connections.append(client)

    reopen_through(chat, connect)
    ask(chat)
    expect(exchange(chat, CLUE)).to_contain_text("asking memory")
    connections[0].close()
    memory.let_answer(2)
    expect(chat.locator(".answer-text")).to_have_text(ANSWER)
    expect(chat.locator(".exchange")).to_have_count(2)
    assert len(connections) == 2


def test_events_that_come_twice_or_late_are_shown_once_and_in_order(chat, memory):
    def connect(client: WebSocketRoute) -> None:
        server = client.connect_to_server()
        late: list[str] = []

        def forward(message: str) -> None:
            if json.loads(message).get("seq") == 2 and not late:
                late.append(message)  # it is never sent on: the page has to ask for it
                return
            client.send(message)
            client.send(message)

        server.on_message(forward)

    reopen_through(chat, connect)
    memory.let_answer(2)
    ask(chat)
    expect(chat.locator(".answer-text")).to_have_text(ANSWER)
    expect(chat.locator(".turn")).to_have_count(1)
    expect(chat.locator(".number")).to_have_text(["1", "2"])
    expect(chat.locator("[data-part=stage-name]")).to_have_text(STAGES)
    clues = ["the person who leads Project Atlas", "the manager of the person who leads Project Atlas"]
    expect(chat.locator("[data-part=clue]")).to_have_text(clues)


def test_stop_ends_the_work_on_the_server(chat, memory):
    ask(chat)
    expect(exchange(chat, CLUE)).to_contain_text("asking memory")
    chat.get_by_role("button", name="Stop").click()
    expect(chat.locator(".timeline > summary")).to_contain_text("Stopped after 1 sub-query")
    expect(chat.locator("#announcer")).to_have_text("Stopped.")
    expect(chat.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    assert Turn.objects.get().status == "stopped"
    assert memory.asked == [], "it did not wait for memory's answer"


def test_escape_stops_and_the_next_question_is_answered(chat, memory):
    ask(chat)
    expect(exchange(chat, CLUE)).to_be_visible()
    chat.keyboard.press("Escape")
    expect(chat.locator(".turn[data-status=stopped]")).to_have_count(1)
    memory.let_answer(10)
    ask(chat, CLUE)
    expect(chat.locator(".answer-text").last).to_have_text("Ada Lund leads Project Atlas. [1]")


def test_what_memory_does_not_know_is_said_plainly(chat, memory):
    memory.let_answer(1000)
    ask(chat, "Where was Ada Lund born?")
    expect(chat.locator(".answer.unknown .answer-text")).to_contain_text("Memory does not know")
    chat.locator(".timeline > summary").click()
    expect(chat.locator(".exchange").first).to_contain_text("Doesn’t know")


def test_a_question_asked_in_one_tab_appears_in_the_other(chat, memory, context):
    other = context.new_page()
    other.goto(chat.url)
    expect(other.locator("#composer[data-connected]")).to_be_visible()
    memory.let_answer(2)
    ask(chat)
    for page in (chat, other):
        expect(page.locator(".question")).to_have_text(QUESTION)
        expect(page.locator(".answer-text")).to_have_text(ANSWER)


def test_a_refused_question_is_kept_with_the_reason_beside_it(chat, corpus):
    corpus.aliases.all().delete()
    ask(chat)
    expect(chat.get_by_role("alert")).to_contain_text("no live memory yet")
    expect(chat.get_by_label("Your question")).to_have_value(QUESTION)


def test_shift_enter_starts_a_new_line_and_an_empty_question_is_not_sent(chat):
    field = chat.get_by_label("Your question")
    field.press("Enter")
    field.type("one")
    field.press("Shift+Enter")
    field.type("two")
    expect(field).to_have_value("one\ntwo")
    assert not Turn.objects.exists()


def test_markup_in_a_question_stays_text(chat, memory):
    memory.let_answer(1000)
    ask(chat, "Who is <img src=x onerror=alert(1)>?")
    expect(chat.locator(".question")).to_have_text("Who is <img src=x onerror=alert(1)>?")
    expect(chat.locator(".answer-text")).to_be_visible()
    expect(chat.locator("#turns img")).to_have_count(0)


def test_the_conversation_fits_a_phone(chat, memory):
    chat.set_viewport_size(PHONE)
    memory.let_answer(2)
    ask(chat)
    expect(chat.locator(".answer-text")).to_have_text(ANSWER)
    chat.locator(".timeline > summary").click()
    assert chat.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_foreign_conversation_is_not_found_and_gives_no_socket(visitor, site, corpus, reader, complaints):
    foreign = ConversationFactory(corpus=corpus, person=reader)
    UserFactory(username="stranger")
    log_in(visitor, site, "stranger")
    assert visitor.goto(f"{site}{foreign.get_absolute_url()}").status == 404
    opened = visitor.evaluate(
        """path => new Promise((resolve) => {
            const socket = new WebSocket(location.origin.replace("http", "ws") + path);
            socket.onopen = () => resolve(true);
            socket.onclose = () => resolve(false);
        })""",
        f"/ws/conversations/{foreign.pk}/",
    )
    assert opened is False
    assert len(complaints) == 2  # of the 404 and of the refused handshake, which are meant
    complaints.clear()


def test_a_conversation_is_renamed_and_deleted(chat):
    chat.get_by_text("Edit", exact=True).click()
    chat.get_by_label("Title").fill("About Atlas")
    chat.get_by_role("button", name="Rename", exact=True).click()
    expect(chat.get_by_role("heading", name="About Atlas")).to_be_visible()
    chat.get_by_text("Edit", exact=True).click()
    chat.get_by_role("button", name="Delete this conversation").click()
    expect(chat.get_by_text("was deleted")).to_be_visible()
    assert not Conversation.objects.exists()


def test_a_conversation_is_found_renamed_and_deleted_in_the_sidebar(chat, site, reader, corpus):
    other = ConversationFactory(corpus=corpus, person=reader, title="About Borealis")
    TurnFactory(conversation=other, question="Who pays for it?", status="stopped")
    chat.reload()
    history = chat.locator("#history-list")
    expect(history.get_by_role("link")).to_have_count(2)
    chat.keyboard.press("Control+k")
    expect(chat.get_by_label("Search your conversations")).to_be_focused()
    chat.keyboard.type("pays")
    expect(history.get_by_role("link")).to_have_text([re.compile("About Borealis")])
    history.get_by_role("button", name="Rename or delete “About Borealis”").click()
    expect(history.get_by_label("Title")).to_be_focused()
    history.get_by_label("Title").fill("Costs")
    history.get_by_role("button", name="Rename", exact=True).click()
    expect(history.get_by_role("link", name="Costs")).to_be_visible()
    history.get_by_role("button", name="Rename or delete “Costs”").click()
    history.get_by_role("button", name="Delete this conversation").click()
    expect(chat.get_by_text("“Costs” was deleted")).to_be_visible()
    assert not Conversation.objects.filter(pk=other.pk).exists()


def test_a_question_is_asked_again_and_both_answers_stand_side_by_side(chat, memory):
    memory.let_answer(1000)
    ask(chat)
    chat.get_by_role("button", name="Ask again").click()
    turns = chat.locator(".turn")
    expect(turns).to_have_count(2)
    now, before = (turns.last.get_by_label(f"The answer {when}") for when in ("now", "before"))
    expect(now.locator(".answer-text")).to_have_text(ANSWER)
    expect(before.locator(".answer-text")).to_have_text(ANSWER)
    assert Turn.objects.get(again_of__isnull=False).question == QUESTION


def test_what_is_typed_stays_when_an_earlier_question_is_asked_again(chat, memory):
    memory.let_answer(1000)
    ask(chat)
    expect(chat.locator(".after")).to_be_visible()
    chat.get_by_label("Your question").fill("Half a quest")
    chat.get_by_role("button", name="Ask again").click()
    expect(chat.locator(".turn .after")).to_have_count(2)
    expect(chat.get_by_label("Your question")).to_have_value("Half a quest")


def test_a_reload_while_a_question_is_asked_again_leaves_the_answer_before_alone(chat, memory):
    memory.let_answer(2)
    ask(chat)
    chat.get_by_role("button", name="Ask again").click()
    expect(chat.locator(".turn")).to_have_count(2)
    chat.reload()
    expect(chat.locator("#composer[data-connected]")).to_be_visible()
    expect(chat.locator(".side-by-side")).to_have_count(0)
    memory.let_answer(1000)
    last = chat.locator(".turn").last
    expect(last.get_by_label("The answer now").locator(".answer-text")).to_have_text(ANSWER)
    expect(last.get_by_label("The answer before").locator(".answer-text")).to_have_text(ANSWER)


def test_a_strange_address_does_not_keep_the_page_from_its_server(chat):
    chat.goto(f"{chat.url}#turn-)")
    chat.reload()
    expect(chat.locator("#composer[data-connected]")).to_be_visible()


def test_who_is_logged_out_meanwhile_is_told_so(chat, reader, complaints):
    Session.objects.all().delete()
    ask(chat)
    expect(chat.get_by_role("alert")).to_contain_text("You are logged out")
    expect(chat.locator("#connection")).to_contain_text("You are logged out", timeout=20_000)
    expect(chat.get_by_label("Your question")).to_have_value(QUESTION)
    assert not Turn.objects.exists()
    complaints.clear()  # of the handshakes that were refused, which is meant


def test_an_edited_question_is_asked_in_its_place_of_the_conversation(chat, memory):
    memory.let_answer(1000)
    ask(chat)
    chat.get_by_role("button", name="Edit and ask").click()
    field = chat.get_by_label("Your question")
    expect(field).to_be_focused()
    expect(field).to_have_value(QUESTION)
    expect(chat.locator("#editing")).to_be_visible()
    ask(chat, CLUE)
    expect(chat.locator(".turn").last.locator(".answer-text")).to_have_text(
        "Ada Lund leads Project Atlas. [1]"
    )
    expect(chat.locator("#editing")).to_be_hidden()
    expect(chat.locator(".side-by-side")).to_have_count(0)
    first, second = Turn.objects.order_by("pk")
    assert (second.again_of, second.question) == (first, CLUE)


def test_escape_leaves_the_editing_of_a_question(chat, memory):
    memory.let_answer(1000)
    ask(chat)
    chat.get_by_role("button", name="Edit and ask").click()
    chat.keyboard.press("Escape")
    expect(chat.locator("#editing")).to_be_hidden()
    expect(chat.get_by_label("Your question")).to_have_value("")


def test_a_curator_asks_another_version_beside_the_live_one(visitor, site, corpus, memory):
    UserFactory(username="curator", curates=corpus)
    MemoryVersionFactory(corpus=corpus)
    memory.let_answer(1000)
    log_in(visitor, site, "curator")
    visitor.get_by_role("button", name="Ask Handbook").click()
    expect(visitor.locator("#composer[data-connected]")).to_be_visible()
    ask(visitor)
    visitor.get_by_text("Ask another", exact=True).click()
    visitor.get_by_label("Memory version").select_option(label="Handbook v2")
    visitor.locator("form[data-do=another]").get_by_role("button", name="Ask").click()
    now = visitor.locator(".turn").last.get_by_label("The answer now")
    expect(now).to_contain_text("Handbook v2")
    expect(visitor.locator(".turn").last.get_by_label("The answer before")).to_contain_text("Handbook v1")


def test_to_ask_another_is_in_line_with_its_neighbours_and_opens_within_a_phone(
    visitor, site, corpus, memory
):
    UserFactory(username="curator", curates=corpus)
    MemoryVersionFactory(corpus=corpus)
    memory.let_answer(1000)
    log_in(visitor, site, "curator")
    visitor.get_by_role("button", name="Ask Handbook").click()
    expect(visitor.locator("#composer[data-connected]")).to_be_visible()
    ask(visitor)
    another = visitor.get_by_text("Ask another", exact=True)
    expect(another).to_be_visible()
    assert len(set(visitor.locator(".turn-actions").evaluate(TOPS_OF_WORDS))) == 1
    visitor.set_viewport_size(PHONE)
    another.click()
    expect(visitor.get_by_label("Memory version")).to_be_visible()
    assert visitor.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_keys_open_help_and_a_new_conversation(chat, memory):
    memory.let_answer(1000)
    ask(chat)
    expect(chat.locator(".after")).to_be_visible()
    chat.keyboard.press("Control+/")
    expect(chat.get_by_role("dialog", name="Keys")).to_be_visible()
    chat.keyboard.press("Escape")
    expect(chat.get_by_role("dialog", name="Keys")).to_be_hidden()
    chat.keyboard.press("Control+Shift+O")
    expect(chat.get_by_role("heading", level=1)).to_have_text("New conversation")


def test_the_answer_is_markdown_and_its_citations_lead_to_the_sub_queries(chat, memory, site, reader, corpus):
    conversation = ConversationFactory(corpus=corpus, person=reader)
    asked = SubQueryAsked(index=1, stage="answer_seeking", question=CLUE)
    said = MemoryAnswered(index=1, answer=PAIRS[0][1], confidence=0.9, known=True, latency_ms=1)
    text = "- **Ada Lund** leads it. [1]\n- <b>Nobody</b> else. [9]"
    final = FinalAnswer(text=text, values=["Ada Lund"], known=True, sub_queries=[1], confidence=0.9)
    TurnFactory(
        conversation=conversation,
        status="answered",
        events=[StageStarted(stage="answer_seeking", note=""), asked, said, final],
    )
    chat.goto(f"{site}{conversation.get_absolute_url()}")
    answer = chat.locator(".answer-text")
    expect(answer.locator("li")).to_have_text(["Ada Lund leads it. [1]", "<b>Nobody</b> else. [9]"])
    expect(answer.locator("li strong")).to_have_text("Ada Lund")
    answer.get_by_role("link", name="[1]").click()
    expect(exchange(chat, CLUE)).to_be_visible()
    expect(chat.locator(".answer-facts")).to_contain_text("90 % sure")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_chat_has_no_serious_barriers(chat, memory, scheme, width):
    chat.emulate_media(color_scheme=scheme)
    chat.set_viewport_size({"width": width, "height": 844})
    barriers(chat)
    ask(chat)
    expect(exchange(chat, CLUE)).to_contain_text("asking memory")
    barriers(chat)
    memory.let_answer(1000)
    expect(chat.locator(".after")).to_be_visible()
    chat.locator(".timeline > summary").click()
    barriers(chat)
