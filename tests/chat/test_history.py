"""The sidebar: what it lists, under which days, and what its search finds."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from chat.history import found_conversations
from chat.models import Conversation
from chat.shown import by_period
from tests.factories import ConversationFactory, CorpusFactory, TurnFactory, UserFactory

TODAY = date(2026, 11, 28)


def days_ago(days: int) -> Conversation:
    noon = datetime(2026, 11, 28, 12, tzinfo=timezone.get_default_timezone())
    return Conversation(title=f"{days} days ago", updated_at=noon - timedelta(days=days))


def test_conversations_stand_under_the_period_of_their_last_question():
    periods = by_period([days_ago(days) for days in (0, 1, 2, 6, 7, 29, 30, 400)], TODAY)
    assert {period.name: [str(row) for row in period.conversations] for period in periods} == {
        "Today": ["0 days ago"],
        "Yesterday": ["1 days ago"],
        "The last 7 days": ["2 days ago", "6 days ago"],
        "The last 30 days": ["7 days ago", "29 days ago"],
        "Earlier": ["30 days ago", "400 days ago"],
    }


@pytest.fixture
def person(db):
    return UserFactory(reads=CorpusFactory(slug="handbook"))


def conversation(person, title: str, question: str = "", answer: str = "") -> Conversation:
    from knowledge.models import Corpus

    row = ConversationFactory(person=person, corpus=Corpus.objects.get(slug="handbook"), title=title)
    if question:
        TurnFactory(conversation=row, question=question, answer=answer)
    return row


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", {"Atlas", "Costs"}),
        ("atlas", {"Atlas"}),
        ("berg", {"Costs"}),
        ("WHO pays", {"Costs"}),
        ("pays atlas", set()),
        ("%", set()),
    ],
)
def test_each_word_has_to_stand_in_the_title_a_question_or_an_answer(person, words, found):
    conversation(person, "Atlas", "Who leads it?", "Ada Lund does.")
    conversation(person, "Costs", "Who pays?", "Ola Berg pays.")
    assert {row.title for row in found_conversations(person, words)} == found


def test_a_conversation_is_found_once_however_often_it_has_the_word(person):
    row = conversation(person, "Atlas", "Atlas?", "Atlas.")
    TurnFactory(conversation=row, question="Atlas again?")
    assert list(found_conversations(person, "atlas")) == [row]


def test_other_peoples_conversations_are_not_found(person):
    conversation(person, "Atlas")
    assert not found_conversations(UserFactory(), "atlas").exists()
