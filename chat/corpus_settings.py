"""What the owners of a corpus decide about its chat."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from chat.models import ChatSettings
from knowledge.models import Corpus, Role
from memosite.models import Endpoint


def settings_of(corpus: Corpus) -> ChatSettings:
    """The corpus's settings: its row, or an unsaved one with the defaults."""
    return ChatSettings.objects.filter(corpus=corpus).first() or ChatSettings(corpus=corpus)


@transaction.atomic
def decide(corpus: Corpus, person: Any, **decided: Any) -> ChatSettings:
    """Store what is given of ``executive``, ``choices``, ``may_choose_rules`` and ``retention_days``, all valid;
    the rest stays. Raises NotAllowed.
    """
    corpus.require(person, Role.OWNER)
    choices = decided.pop("choices", None)
    row, _ = ChatSettings.objects.update_or_create(corpus=corpus, defaults=decided)
    if choices is not None:
        row.choices.set(choices)
    return row


def told_of(endpoint: Endpoint) -> str:
    """An EXECUTIVE in words for the owners, who have to know where questions would go."""
    return f"{endpoint.name} ({endpoint.model} at {urlsplit(endpoint.base_url).hostname})"
