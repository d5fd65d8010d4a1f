"""Who uses the admin in tests, and the rows that its tests look at."""

from __future__ import annotations

from typing import Any

from django.test import Client

from knowledge.models import Chunk, Corpus, Document, Reflection, ReflectionSource, ReviewStatus, Role
from tests.factories import DocumentFactory, ReflectionFactory, UserFactory

POSTED_FROM = "/admin/"  # a browser names the page that a form came from
ROLE_ARGUMENTS = {Role.READER: "reads", Role.CURATOR: "curates", Role.OWNER: "owns"}


def make_person(name: str, corpus: Corpus | None = None, role: Role | None = None, **fields: Any) -> Any:
    """A staff person, with a role on a corpus if one is named."""
    roles = {ROLE_ARGUMENTS[role]: corpus} if corpus and role else {}
    return UserFactory(username=name, **{"is_staff": True, **roles, **fields})


def browser_of(person: Any) -> Client:
    """A browser in which the person has logged in."""
    client = Client(headers={"referer": f"http://testserver{POSTED_FROM}"})
    client.force_login(person)
    return client


def make_document(corpus: Corpus, text: str = "Ada Marsh leads the Harbour.", **fields: Any) -> Document:
    return DocumentFactory(corpus=corpus, text=text, **{"name": "harbour.md", "title": "Harbour", **fields})


def make_pair(
    corpus: Corpus, question: str = "Who leads the Harbour?", *spans: tuple[Chunk, int, int]
) -> Reflection:
    """A pair that waits for review; each span is (chunk, start, end)."""
    pair: Reflection = ReflectionFactory(corpus=corpus, question=question, status=ReviewStatus.PENDING)
    for chunk, start, end in spans:
        ReflectionSource.objects.create(reflection=pair, chunk=chunk, start=start, end=end)
    return pair
