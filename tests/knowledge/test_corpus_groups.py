"""The groups of a corpus: made with it, gone with it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError

from knowledge.models import Corpus, Role
from tests.factories import CorpusFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_groups_are_deleted_with_their_corpus() -> None:
    CorpusFactory(slug="harbour").delete()
    assert not Group.objects.filter(name__startswith="harbour").exists()


def test_who_could_read_a_deleted_corpus_cannot_read_a_new_one_of_its_name() -> None:
    reader = UserFactory()
    first = CorpusFactory(slug="harbour")
    reader.groups.add(first.group(Role.READER))
    Corpus.objects.filter(pk=first.pk).delete()
    assert not CorpusFactory(slug="harbour").allows(reader, Role.READER)


def test_a_group_that_somebody_made_before_lets_nobody_in() -> None:
    stranger = UserFactory()
    stranger.groups.add(Group.objects.create(name="harbour: readers"))
    corpus = CorpusFactory(slug="harbour")
    assert not corpus.allows(stranger, Role.READER)
    assert corpus.group(Role.READER).name == "harbour: readers (2)"


def test_a_corpus_that_cannot_be_saved_leaves_no_groups_behind() -> None:
    CorpusFactory(slug="harbour")
    before = Group.objects.count()
    with pytest.raises(IntegrityError):
        Corpus(slug="harbour", name="Another").save()
    assert Group.objects.count() == before
