"""Every time that a page shows names its zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat.sharing import share
from knowledge.models import Corpus
from knowledge.templatetags.figures import moment
from tests.factories import (
    ConversationFactory,
    CorpusFactory,
    DocumentFactory,
    MemoryVersionFactory,
    TrainingRunFactory,
    TurnFactory,
    UnreadSentenceFactory,
    UserFactory,
)
from training.services import promote

NOON = datetime(2024, 5, 3, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def corpus(db: None) -> Corpus:
    """A corpus with something of everything that happens at a time."""
    corpus = CorpusFactory()
    DocumentFactory(corpus=corpus, name="plan.md", is_current=False)
    version = MemoryVersionFactory(corpus=corpus)
    TrainingRunFactory(corpus=corpus, version=version, status="succeeded", started_at=NOON, finished_at=NOON)
    DocumentFactory(corpus=corpus, name="plan.md", version=2)
    UnreadSentenceFactory(run__corpus=corpus)
    promote(version, reason="first")
    return corpus


@pytest.fixture
def pages(corpus: Corpus, client: Client) -> dict[str, str]:
    """The pages that show times, by name, as an administrator sees them."""
    root = UserFactory(is_staff=True, is_superuser=True)
    conversation = ConversationFactory(corpus=corpus, person=root)
    client.force_login(root)
    version, document = corpus.versions.get(), corpus.documents.get(version=2)
    answered = TurnFactory(conversation=conversation, version=version, status="answered")
    addresses = {
        "home": reverse("home"),
        "corpus": corpus.get_absolute_url(),
        "version": version.get_absolute_url(),
        "document": reverse("document", args=[corpus.slug, document.pk]),
        "unread": reverse("unread-sentences", args=[corpus.slug, corpus.generation_runs.get().pk]),
        "shared": share(answered).get_absolute_url(),
        "admin version": reverse("admin:training_memoryversion_change", args=[version.pk]),
        "admin document": reverse("admin:knowledge_document_change", args=[document.pk]),
        "admin documents": reverse("admin:knowledge_document_changelist"),
        "admin run": reverse("admin:training_trainingrun_change", args=[corpus.training_runs.get().pk]),
    }
    return {name: client.get(address).content.decode() for name, address in addresses.items()}


def test_no_page_shows_a_time_without_its_zone(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        shown = re.findall(r"\d{1,2} \w{3} \d{4}, \d\d:\d\d ?\w*", page)
        assert shown, name
        assert all(time.endswith(" UTC") for time in shown), name
        assert not re.search(r"\d (?:a|p)\.m\.|, (?:noon|midnight)", page), name


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (NOON, '<time datetime="2024-05-03T12:00:30+00:00">3 May 2024, 12:00 UTC</time>'),
        (
            NOON.astimezone(timezone(timedelta(hours=2))),
            '<time datetime="2024-05-03T12:00:30+00:00">3 May 2024, 12:00 UTC</time>',
        ),
        (None, ""),
        ("", ""),
    ],
)
def test_a_moment_is_shown_in_utc_and_told_to_programs(when: Any, shown: str) -> None:
    assert moment(when) == shown
