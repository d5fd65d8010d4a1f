"""A person's conversations as the sidebar lists and finds them."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from chat.models import Conversation, Turn
from chat.services import conversations_of

LONGEST_SEARCH = 200


def found_conversations(person: Any, words: str = "") -> QuerySet[Conversation]:
    """One's own conversations, the latest first, in whose title, questions or answers each of the words stands."""
    rows = conversations_of(person)
    for word in words[:LONGEST_SEARCH].split():
        said = Q(question__icontains=word) | Q(answer__icontains=word)
        turns = Turn.objects.filter(said, conversation=OuterRef("pk"))
        rows = rows.filter(Q(title__icontains=word) | Exists(turns))
    return rows
