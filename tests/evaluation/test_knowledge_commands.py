"""The commands that tell what a version learned and what changed."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from knowledge.models import Corpus, GenerationRun
from tests.evaluation.lab import ATLAS, BEACON, Memories, document_with, version_with
from tests.factories import CorpusFactory
from training.lab.probes import probing

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus(monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """Two versions: the first, which is live, knows Atlas, the second Beacon as well."""
    corpus = CorpusFactory(slug="harbour", name="Harbour")
    document_with(corpus, "Atlas", ATLAS)
    document_with(corpus, "Beacon", BEACON)
    memories = Memories()
    memories.tell(version_with(corpus, ATLAS, BEACON, live=True), ATLAS)
    memories.tell(version_with(corpus, ATLAS, BEACON), ATLAS, BEACON)
    monkeypatch.setattr(probing, "memory_for", memories)
    return corpus


def test_learned_prints_recall_by_document_of_the_live_version(corpus, capsys):
    call_command("learned", "harbour", here=True)
    said = capsys.readouterr().out
    assert "100 % of 1" in said
    assert "Beacon, passage 1: weak" in said


def test_learned_has_more_pairs_made(corpus):
    call_command("learned", "harbour", more_pairs=True, here=True)
    assert GenerationRun.objects.get().chunks.get().document.title == "Beacon"


def test_learned_refuses_a_version_that_there_is_not(corpus):
    with pytest.raises(CommandError, match="no version 7"):
        call_command("learned", "harbour", 7)


def test_learned_refuses_a_limit_that_is_no_share(corpus):
    with pytest.raises(CommandError, match="no share between 0 and 1"):
        call_command("learned", "harbour", "--below", "80")


def test_knowledge_diff_prints_what_was_learned(corpus, capsys):
    call_command("knowledge_diff", "harbour", "1", "2", questions=True, here=True)
    said = capsys.readouterr().out
    assert "1 learned, 0 forgotten, 0 outdated, 0 changed, 1 kept, 0 neither" in said
    assert "Beacon: 1 learned" in said
    assert f"learned: {BEACON[0]} | (does not know) | {BEACON[1]}" in said
