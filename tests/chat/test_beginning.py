"""A question begins a turn: at little cost, and only where the conversation is still there."""

from __future__ import annotations

import pytest

from chat import services
from chat.models import Conversation, Turn
from tests.factories import ConversationFactory, CorpusFactory, MemoryVersionFactory, UserFactory

pytestmark = pytest.mark.django_db
QUESTION = "Who leads Project Atlas?"


@pytest.fixture
def conversation() -> Conversation:
    corpus = CorpusFactory()
    MemoryVersionFactory(corpus=corpus, live=True)
    return ConversationFactory(corpus=corpus, person=UserFactory(reads=corpus))


def test_the_first_question_is_the_conversations_title(conversation):
    services.start_turn(conversation, QUESTION, conversation.person)
    conversation.refresh_from_db()
    assert conversation.title == QUESTION


def test_a_question_that_comes_in_after_the_conversation_was_deleted_says_so_and_leaves_nothing(conversation):
    services.delete_conversation(Conversation.objects.get(pk=conversation.pk))
    with pytest.raises(services.DeletedConversation, match="was deleted"):
        services.start_turn(conversation, QUESTION, conversation.person)
    assert not Turn.objects.exists()


def test_a_question_begins_with_few_queries(conversation, django_assert_max_num_queries):
    """Two hundred people may ask at once."""
    found = Conversation.objects.select_related("corpus", "person").prefetch_related(
        "others", "person__groups"
    )
    row = found.get()
    with django_assert_max_num_queries(10):
        services.start_turn(row, QUESTION, row.person)
