"""Rows and people for the tests of the admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from knowledge.models import (
    Chunk,
    Corpus,
    Document,
    GenerationRun,
    Reflection,
    ReflectionSet,
    ReflectionSource,
    Role,
)
from knowledge.services import add_pair
from training.models import MemoryVersion

POSTED_FROM = "/admin/"  # a browser names the page that a form came from


def make_corpus(slug: str = "harbour") -> Corpus:
    return Corpus.objects.create(slug=slug, name=f"The {slug} corpus")


def make_person(name: str, corpus: Corpus | None = None, role: Role | None = None, **fields: Any) -> Any:
    person = get_user_model().objects.create(username=name, **{"is_staff": True, **fields})
    if corpus and role:
        person.groups.add(corpus.group(role))
    return person


def browser_of(person: Any) -> Client:
    client = Client(headers={"referer": f"http://testserver{POSTED_FROM}"})
    client.force_login(person)
    return client


def make_document(corpus: Corpus, text: str = "Ada Marsh leads the Harbour.", **fields: Any) -> Document:
    values: dict[str, Any] = {
        "name": "harbour.md",
        "title": "Harbour",
        "media_type": "text/markdown",
        **fields,
    }
    values.setdefault("checksum", f"{corpus.pk}-{values['name']}-{values.get('version', 1)}")
    document = Document.objects.create(corpus=corpus, text=text, **values)
    Chunk.objects.create(document=document, position=0, start=0, end=len(text), text=text)
    return document


def make_pair(
    corpus: Corpus, question: str = "Who leads the Harbour?", *spans: tuple[Chunk, int, int]
) -> Any:
    """A pending pair; each span is (chunk, start, end)."""
    reflection_set, _ = ReflectionSet.objects.get_or_create(corpus=corpus, generator="rules")
    pair = Reflection.objects.create(
        corpus=corpus,
        reflection_set=reflection_set,
        key=f"key of {question}",
        question=question,
        answer="Ada Marsh leads the Harbour.",
        kind="direct",
        fact=question[:64],
    )
    for chunk, start, end in spans:
        ReflectionSource.objects.create(reflection=pair, chunk=chunk, start=start, end=end)
    return pair


def make_approved_pair(corpus: Corpus) -> Reflection:
    return add_pair(corpus, AnonymousUser(), question="Who?", answer="Ada.", kind="direct", status="approved")


def make_version(corpus: Corpus, number: int = 1, **fields: Any) -> MemoryVersion:
    values = {
        "base": "scratch",
        "method": "from scratch",
        "path": f"{corpus.slug}-{number}",
        "sha256": "0" * 64,
    }
    return MemoryVersion.objects.create(corpus=corpus, number=number, **{**values, **fields})


def make_run(corpus: Corpus, **fields: Any) -> GenerationRun:
    return GenerationRun.objects.create(corpus=corpus, **fields)
