"""Conversations in the admin: private, so superusers look and nobody changes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import Turn
from knowledge.models import Role
from tests.factories import ConversationFactory, CorpusFactory, SubQueryFactory, TurnFactory
from tests.workbench import browser_of, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def turn() -> Turn:
    corpus = CorpusFactory(slug="harbour")
    person = make_person("ann", corpus, Role.OWNER)
    conversation = ConversationFactory(person=person, corpus=corpus, title="About the pier")
    turn = TurnFactory(conversation=conversation, question="Who leads the pier?", answer="Ada.")
    SubQueryFactory(
        turn=turn, index=0, stage="grounding", question="What is the pier?", answer="A <b>dock</b>."
    )
    return turn


@pytest.fixture
def desk() -> Client:
    """The admin as a superuser uses it."""
    return browser_of(make_person("root", is_superuser=True))


def page_of(row: Any) -> str:
    return reverse(f"admin:chat_{row._meta.model_name}_change", args=[row.pk])


def test_a_turn_shows_what_memory_was_asked_and_said(turn: Turn, desk: Client) -> None:
    page = desk.get(page_of(turn)).content.decode()
    for text in ("Who leads the pier?", "What is the pier?", "A &lt;b&gt;dock&lt;/b&gt;.", "grounding"):
        assert text in page


def test_a_conversation_shows_its_questions(turn: Turn, desk: Client) -> None:
    assert "Who leads the pier?" in desk.get(page_of(turn.conversation)).content.decode()


def test_an_owner_of_the_corpus_does_not_read_what_people_ask(turn: Turn) -> None:
    browser = browser_of(turn.conversation.person)
    for row in (turn, turn.conversation):
        assert browser.get(page_of(row)).status_code == 403
        assert browser.get(reverse(f"admin:chat_{row._meta.model_name}_changelist")).status_code == 403


def test_nobody_changes_adds_or_deletes_conversations(turn: Turn, desk: Client) -> None:
    for row in (turn, turn.conversation):
        name = row._meta.model_name
        assert desk.post(page_of(row), {"title": "Forged", "question": "Forged?"}).status_code == 403
        assert desk.get(reverse(f"admin:chat_{name}_add")).status_code == 403
        assert desk.post(reverse(f"admin:chat_{name}_delete", args=[row.pk])).status_code == 403
