"""How long conversations are kept, and what stays when they go."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from chat import retention, services
from chat.models import Conversation, DayOfUse, Demand, Feedback, SharedTurn, Turn, UnansweredQuestion
from chat.protocol.events import Event, FinalAnswer
from chat.storing import store
from chat.tasks import purge_conversations
from knowledge.models import Corpus, Reflection
from memosite import worker
from tests.factories import (
    ChatSettingsFactory,
    ConversationFactory,
    CorpusFactory,
    DayOfUseFactory,
    DemandFactory,
    ReflectionFactory,
    TurnFactory,
)

pytestmark = pytest.mark.django_db


def days_ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def conversation_of(
    corpus: Corpus, *, days: float, others: tuple[Corpus, ...] = (), **turn: Any
) -> Conversation:
    """A conversation whose last question was asked so many days ago."""
    conversation = ConversationFactory(corpus=corpus)
    conversation.others.set(others)
    fields = {"status": "answered", "heartbeat_at": days_ago(days)} | turn
    asked = TurnFactory(conversation=conversation, **fields)
    Turn.objects.filter(pk=asked.pk).update(created_at=days_ago(days))
    return conversation


def kept_for(days: int | None) -> Corpus:
    return ChatSettingsFactory(retention_days=days).corpus


def left() -> set[int]:
    return set(Conversation.objects.values_list("pk", flat=True))


# --- How long ----------------------------------------------------------------------------------------------
def test_conversations_are_kept_for_ever_unless_somebody_decided_otherwise():
    conversation = conversation_of(CorpusFactory(), days=5000)
    assert retention.kept_until(conversation) is None
    assert not retention.purge()
    assert left() == {conversation.pk}


def test_the_owners_number_of_days_counts_from_the_last_question():
    corpus = kept_for(30)
    old, young = conversation_of(corpus, days=31), conversation_of(corpus, days=29)
    assert retention.purge() == {corpus.slug: 1}
    assert left() == {young.pk}
    assert old.pk not in left()


def test_a_later_question_keeps_the_whole_conversation():
    conversation = conversation_of(kept_for(30), days=100)
    TurnFactory(conversation=conversation, status="answered")
    assert not retention.purge()


def test_a_conversation_without_a_question_is_kept_from_its_beginning():
    conversation = ConversationFactory(corpus=kept_for(30))
    assert not retention.purge()
    Conversation.objects.update(created_at=days_ago(31))
    conversation.refresh_from_db()
    assert retention.kept_until(conversation) < timezone.now()
    assert retention.purge().total() == 1


def test_corpora_whose_owners_decided_nothing_follow_the_site(settings):
    settings.CHAT_RETENTION_DAYS = 10
    silent, without_row, longer = kept_for(None), CorpusFactory(), kept_for(100)
    for corpus in (silent, without_row, longer):
        conversation_of(corpus, days=11)
    assert retention.purge() == {silent.slug: 1, without_row.slug: 1}
    assert [retention.days_for([corpus]) for corpus in (silent, without_row, longer)] == [10, 10, 100]


def test_of_several_corpora_the_strictest_counts_whichever_comes_first():
    strict, lax = kept_for(10), kept_for(100)
    one = conversation_of(lax, days=11, others=(strict,))
    other = conversation_of(strict, days=11, others=(lax,))
    assert retention.days_for([lax, strict]) == 10
    assert retention.purge() == {lax.slug: 1, strict.slug: 1}
    assert not left() & {one.pk, other.pk}


def test_the_page_can_tell_until_when_a_conversation_is_kept():
    conversation = conversation_of(kept_for(30), days=29)
    assert retention.kept_until(conversation) - timezone.now() == pytest.approx(
        timedelta(days=1), abs=timedelta(minutes=1)
    )


# --- What is never deleted, and what stays -----------------------------------------------------------------
def test_a_conversation_in_which_a_question_is_being_answered_stays():
    conversation = conversation_of(kept_for(30), days=31, status="running", heartbeat_at=timezone.now())
    assert not retention.purge()
    assert left() == {conversation.pk}


def test_a_question_that_was_lost_with_its_process_does_not_keep_its_conversation():
    conversation_of(kept_for(30), days=31, status="running")
    assert retention.purge().total() == 1
    assert DayOfUse.objects.get().failed == 1


def test_a_conversation_that_somebody_goes_on_with_in_the_middle_of_the_purge_stays():
    corpus = kept_for(30)
    first, second = conversation_of(corpus, days=31), conversation_of(corpus, days=31)

    def go_on() -> bool:
        if not Conversation.objects.filter(pk=first.pk).exists():
            TurnFactory(conversation=second, status="answered")
        return False

    assert retention.purge(stop=go_on).total() == 1
    assert left() == {second.pk}


def test_a_purge_that_is_stopped_leaves_whole_conversations_and_goes_on_the_next_time():
    corpus = kept_for(30)
    for _ in range(3):
        conversation_of(corpus, days=31)
    assert retention.purge(stop=lambda: Conversation.objects.count() == 2).total() == 1
    assert retention.purge().total() == 2


def test_more_conversations_than_one_batch_are_deleted(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    corpus = kept_for(30)
    for _ in range(5):
        conversation_of(corpus, days=31)
    assert retention.purge() == {corpus.slug: 5}


def test_numbers_demand_and_corrections_stay_and_links_and_feedback_go():
    corpus = kept_for(30)
    turn = conversation_of(corpus, days=31).turns.get()
    DayOfUseFactory(corpus=corpus)
    DemandFactory(corpus=corpus, question=turn.question)
    UnansweredQuestion.objects.update(turn=turn)
    Feedback.objects.create(turn=turn, is_good=False, reflection=ReflectionFactory(corpus=corpus))
    SharedTurn.objects.create(turn=turn)
    retention.purge()
    assert UnansweredQuestion.objects.get().turn is None
    assert (DayOfUse.objects.count(), Demand.objects.count(), Reflection.objects.count()) == (1, 1, 1)
    assert not (Turn.objects.exists() or Feedback.objects.exists() or SharedTurn.objects.exists())


def test_a_late_answer_to_a_deleted_question_counts_nowhere():
    turn = conversation_of(kept_for(30), days=31).turns.get()
    retention.purge()
    told = FinalAnswer(text="Ada.", values=[], known=True, sub_queries=[], justification="")
    with pytest.raises(DatabaseError):
        store(turn, [Event(seq=1, data=told)])
    assert not DayOfUse.objects.exists()


# --- Who does it -------------------------------------------------------------------------------------------
def run(*options: str) -> str:
    out = StringIO()
    call_command("purge_conversations", *options, stdout=out)
    return out.getvalue()


def test_the_command_says_what_it_did_and_a_dry_run_what_it_would_do():
    corpus = ChatSettingsFactory(corpus__slug="handbook", retention_days=30).corpus
    conversation_of(corpus, days=31)
    conversation_of(corpus, days=1)
    assert run("--dry-run") == "handbook: 1\n1 conversation would be deleted.\n"
    assert Conversation.objects.count() == 2
    assert run() == "handbook: 1\n1 conversation deleted.\n"
    assert run() == "0 conversations deleted.\n"


def test_the_worker_does_it_every_hour():
    chore = next(chore for chore in worker.chores if chore.work is purge_conversations)
    assert chore.seconds == 3600


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_starts_purges_and_bears_what_goes_wrong(monkeypatch):
    conversation_of(kept_for(30), days=31)
    chore = worker.Chore(3600, purge_conversations)
    monkeypatch.setattr(services, "delete_conversation", fails)
    chore.do()
    assert Conversation.objects.count() == 1
    monkeypatch.undo()
    chore.do()
    assert Conversation.objects.count() == 0


def fails(conversation: Conversation) -> None:
    raise OSError("the disk is full")
