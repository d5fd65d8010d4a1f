"""Moving the live alias: promotion, and rollbacks that go back and back."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError

from knowledge.models import Corpus
from memosite.errors import Conflict
from tests.factories import CorpusFactory, MemoryVersionFactory
from training.models import AliasMove, MemoryVersion
from training.services import live_version, promote, rollback, version_before

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


def go_live(corpus: Corpus, count: int) -> list[MemoryVersion]:
    """So many versions, each promoted after the one before it."""
    versions = MemoryVersionFactory.create_batch(count, corpus=corpus)
    for version in versions:
        promote(version, reason="better")
    return versions


def test_rollback_twice_goes_back_two_versions_and_not_forward_again(corpus: Corpus) -> None:
    one, two, three = go_live(corpus, 3)
    moves = [rollback(corpus), rollback(corpus)]
    assert [(move.from_version, move.to_version) for move in moves] == [(three, two), (two, one)]
    assert [move.reason for move in moves] == [f"Rollback from {three}", f"Rollback from {two}"]
    assert live_version(corpus) == one


def test_a_rollback_with_nothing_further_back_is_refused_and_changes_nothing(corpus: Corpus) -> None:
    one, _ = go_live(corpus, 2)
    rollback(corpus)
    assert version_before(corpus) is None
    with pytest.raises(Conflict, match="no earlier version to go back to"):
        rollback(corpus)
    assert live_version(corpus) == one
    assert AliasMove.objects.count() == 3


def test_a_corpus_that_was_never_live_has_nothing_to_roll_back(corpus: Corpus) -> None:
    MemoryVersionFactory(corpus=corpus)
    with pytest.raises(Conflict, match="no earlier version"):
        rollback(corpus)


def test_a_promotion_after_a_rollback_goes_back_to_what_was_live_then(corpus: Corpus) -> None:
    one, two, three = go_live(corpus, 3)
    rollback(corpus)
    promote(three, reason="It was right after all")
    assert [rollback(corpus).to_version, rollback(corpus).to_version] == [two, one]


def test_an_older_version_that_was_promoted_again_goes_back_to_the_newer_one(corpus: Corpus) -> None:
    one, two, three = go_live(corpus, 3)
    promote(one, reason="Rollback from a person's own hand")
    assert [rollback(corpus).to_version for _ in range(3)] == [three, two, one]
    with pytest.raises(Conflict):
        rollback(corpus)


def test_a_deleted_version_is_passed_over(corpus: Corpus) -> None:
    one, two, _ = go_live(corpus, 3)
    two.delete()
    assert version_before(corpus) == one
    assert rollback(corpus).to_version == one


def test_a_version_between_whose_two_times_live_nothing_is_left_is_passed_over(corpus: Corpus) -> None:
    zero, one, two = go_live(corpus, 3)
    promote(one, reason="back")
    two.delete()
    assert rollback(corpus).to_version == zero


def test_a_version_that_was_live_before_moves_were_kept_is_gone_back_to(corpus: Corpus) -> None:
    first = MemoryVersionFactory(corpus=corpus, live=True)
    go_live(corpus, 1)
    assert rollback(corpus).to_version == first


def test_other_aliases_and_other_corpora_have_a_history_of_their_own(corpus: Corpus) -> None:
    one, two = go_live(corpus, 2)
    go_live(CorpusFactory(), 3)
    promote(two, reason="try", alias="candidate")
    assert version_before(corpus, "candidate") is None
    assert version_before(corpus) == one


def test_the_command_goes_back_twice_and_then_says_that_it_cannot(corpus: Corpus) -> None:
    one, *_ = go_live(corpus, 3)
    for _ in range(2):
        call_command("promote", "harbour", "--rollback")
    assert live_version(corpus) == one
    with pytest.raises(CommandError, match="no earlier version") as refusal:
        call_command("promote", "harbour", "--rollback")
    assert refusal.value.returncode == 1


def test_rollbacks_from_before_they_were_marked_are_recognised_by_their_reason(corpus: Corpus) -> None:
    one, *_ = go_live(corpus, 3)
    rollback(corpus)
    AliasMove.objects.update(is_rollback=False)
    migration = import_module("training.migrations.0002_mark_rollbacks")
    migration.mark_rollbacks(apps, None)
    assert AliasMove.objects.filter(is_rollback=True).count() == 1
    assert version_before(corpus) == one
