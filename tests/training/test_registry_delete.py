"""Deleting versions, and what is left on the disk."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from knowledge.models import Corpus, Role
from memosite.errors import Conflict
from tests.factories import CorpusFactory, MemoryVersionFactory, TrainedPairFactory, TrainingRunFactory
from tests.workbench import browser_of, make_person
from training.lab.probes.probing import start_probes
from training.models import (
    DeletedVersion,
    EvaluationRun,
    MemoryVersion,
    MergeRun,
    ProbeRun,
    TrainedPair,
    TrainingRun,
)
from training.rebuilding import start_rebuild
from training.registry import VersionGone, VersionNeeded, delete_version, next_number
from training.services import promote

pytestmark = pytest.mark.django_db(transaction=True)  # folders go once the deletion is committed


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


@pytest.fixture
def owner(corpus: Corpus) -> Any:
    return make_person("olga", corpus, Role.OWNER)


@pytest.fixture
def version(corpus: Corpus) -> MemoryVersion:
    """A version with a folder and the files of its training beside it."""
    row: MemoryVersion = MemoryVersionFactory(corpus=corpus, path="harbour-run1")
    TrainedPairFactory(version=row)
    row.folder.mkdir(parents=True)
    (row.folder / "model.safetensors").write_bytes(b"weights")
    row.folder.with_suffix(".pairs.jsonl").write_text("{}")
    return row


@pytest.mark.parametrize("start", [start_probes, start_rebuild], ids=["probes", "rebuild"])
def test_nothing_starts_on_a_version_that_was_deleted_meanwhile(version, start, monkeypatch):
    monkeypatch.setattr("training.rebuilding.source_pairs", lambda version: [])
    MemoryVersion.objects.filter(pk=version.pk).delete()
    with pytest.raises(VersionGone, match="Harbour v1 was deleted meanwhile"):
        start(version)
    assert not ProbeRun.objects.exists()
    assert not TrainingRun.objects.exists()


def test_row_pairs_and_folder_go_and_the_history_keeps_who_and_why(version, owner):
    delete_version(version, owner, reason="Trained on the wrong handbook")
    assert not MemoryVersion.objects.exists()
    assert not TrainedPair.objects.exists()
    assert list(version.folder.parent.iterdir()) == []
    kept = DeletedVersion.objects.get()
    assert (kept.number, kept.sha256, kept.deleted_by, kept.reason) == (
        1,
        version.sha256,
        owner,
        "Trained on the wrong handbook",
    )


def test_the_number_of_a_deleted_version_is_never_given_again(corpus, version):
    delete_version(version, reason="Old")
    assert next_number(corpus) == 2


@pytest.mark.parametrize("alias", ["live", "candidate"])
def test_a_version_under_an_alias_stays_with_all_its_files(version, owner, alias):
    promote(version, reason="first", alias=alias)
    with pytest.raises(Conflict, match=f"The alias {alias} points at"):
        delete_version(version, owner, reason="Old")
    assert (version.folder / "model.safetensors").exists()
    assert version.pairs.count() == 1
    assert not DeletedVersion.objects.exists()


@pytest.mark.parametrize("need", ["continues", "rebuilds", "version"])
def test_a_version_that_a_run_needs_stays_until_the_run_is_over(version, need):
    run = TrainingRunFactory(corpus=version.corpus, status="running", **{need: version})
    with pytest.raises(VersionNeeded, match="Wait for it, or cancel it first"):
        delete_version(version, reason="Old")
    run.status = "failed"
    run.save()
    delete_version(version, reason="Old")
    assert not MemoryVersion.objects.exists()


def test_a_version_that_is_being_merged_stays(version):
    MergeRun.objects.create(corpus=version.corpus, method="linear").parents.add(version)
    with pytest.raises(VersionNeeded):
        delete_version(version, reason="Old")


def evaluation_of(version: MemoryVersion, status: str = "queued") -> EvaluationRun:
    """An evaluation that asks the version twice, as a swap test does."""
    run = EvaluationRun.objects.create(corpus=version.corpus, title="Leaders", status=status)
    run.tells_of(version.corpus, version)
    for position in (1, 2):
        run.contestants.create(
            position=position, kind="memory", label="Memory", version=version, executive="rules"
        )
    return run


@pytest.mark.parametrize("status", ["queued", "running", "paused"])
def test_a_version_that_an_evaluation_asks_stays_until_the_evaluation_is_over(version, owner, status):
    run = evaluation_of(version, status)
    words = rf"Evaluation {run.pk} \(“Leaders”\) needs Harbour .*Wait for it, or cancel it first"
    with pytest.raises(VersionNeeded, match=words):
        delete_version(version, owner, reason="Old")
    assert (version.folder / "model.safetensors").exists()
    EvaluationRun.objects.update(status="succeeded")
    delete_version(version, owner, reason="Old")
    assert run.contestants.filter(version=None, label="Memory").count() == 2


@pytest.mark.parametrize("side", ["version", "other"])
def test_a_version_that_is_being_probed_stays(version, side):
    sides = {"version": MemoryVersionFactory(corpus=version.corpus), side: version}
    ProbeRun.objects.create(corpus=version.corpus, status="running", **sides)
    with pytest.raises(VersionNeeded, match="Probing"):
        delete_version(version, reason="Old")


def test_page_rest_and_workbench_say_which_evaluation_needs_the_version(version, owner):
    run, browser = evaluation_of(version), browser_of(owner)
    told = f"Evaluation {run.pk} (“Leaders”) needs"
    page = browser.get(reverse("delete-version", args=["harbour", 1])).content.decode()
    assert told in page
    assert 'name="reason"' not in page
    refusal = browser.post(reverse("delete-version", args=["harbour", 1]), {"reason": "Old"}, follow=True)
    assert told in refusal.content.decode()
    address = reverse("api-version", args=[version.pk])
    answer = browser.delete(address, {"reason": "Old"}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "version_needed")
    address = reverse("admin:training_memoryversion_remove", args=[version.pk])
    assert told in browser.post(address, {"reason": "Old"}, follow=True).content.decode()
    assert MemoryVersion.objects.filter(pk=version.pk).exists()


def test_the_page_asks_for_a_reason_first_and_then_deletes(version, owner):
    browser, address = browser_of(owner), reverse("delete-version", args=["harbour", 1])
    assert "go for good" in browser.get(address).content.decode()
    browser.post(address, {"reason": ""})
    assert MemoryVersion.objects.exists()
    page = browser.post(address, {"reason": "Old"}, follow=True).content.decode()
    assert "Version 1 was deleted." in page
    later = MemoryVersionFactory(corpus=version.corpus, number=2)
    assert "Version 1, deleted" in browser.get(later.get_absolute_url()).content.decode()


def test_the_page_of_a_live_version_says_why_it_cannot_be_deleted(version, owner):
    promote(version, reason="first")
    page = browser_of(owner).get(reverse("delete-version", args=["harbour", 1])).content.decode()
    assert "The alias live points at this version" in page
    assert 'name="reason"' not in page


def test_rest_answers_409_for_a_live_version_and_400_without_a_reason(version, owner):
    browser, address = browser_of(owner), reverse("api-version", args=[version.pk])
    assert browser.delete(address, {}, "application/json").status_code == 400
    promote(version, reason="first")
    answer = browser.delete(address, {"reason": "Old"}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_the_workbench_deletes_after_asking(version, owner):
    browser = browser_of(owner)
    address = reverse("admin:training_memoryversion_remove", args=[version.pk])
    assert "go for good" in browser.get(address).content.decode()
    promote(version, reason="first")
    refusal = browser.post(address, {"reason": "Old"}, follow=True)
    assert "The alias live points at" in refusal.content.decode()
    promote(MemoryVersionFactory(corpus=version.corpus), reason="second")
    browser.post(address, {"reason": "Old"})
    assert not MemoryVersion.objects.filter(pk=version.pk).exists()


def test_curators_cannot_delete(version, corpus):
    browser = browser_of(make_person("cara", corpus, Role.CURATOR))
    address = reverse("admin:training_memoryversion_remove", args=[version.pk])
    assert browser.post(address, {"reason": "Old"}).status_code == 403
    assert (
        "Delete it"
        not in browser.get(reverse("admin:training_memoryversion_change", args=[version.pk])).content.decode()
    )


def test_the_command_deletes_with_a_reason(version, capsys):
    call_command("delete_version", "harbour", "1", "--reason", "Old")
    assert "was deleted" in capsys.readouterr().out
    assert DeletedVersion.objects.get().reason == "Old"


# --- Sweeping ----------------------------------------------------------------------------------------------
def aged(path: Path, *, hours: float = 48) -> Path:
    long_ago = time.time() - hours * 3600
    os.utime(path, (long_ago, long_ago))
    return path


def test_sweeping_removes_what_nothing_refers_to_and_keeps_versions_and_runs_at_work(
    version, settings, capsys
):
    folder = settings.MEMORY_DIR
    run = TrainingRunFactory(pk=77, corpus=version.corpus, status="running")
    kept = [version.folder, version.folder.with_suffix(".pairs.jsonl"), folder / run.folder_name]
    orphans = [
        folder / "harbour-run99",
        folder / "harbour-run98.deleted",
        folder / "harbour-run97.pairs.jsonl",
    ]
    for path in (kept[2], *orphans[:2]):
        path.mkdir()
    orphans[2].write_text("{}")
    for path in (*kept, *orphans):
        aged(path)
    young = folder / "harbour-run100"
    young.mkdir()
    call_command("sweep_memories", "--dry-run")
    assert all(path.exists() for path in orphans)
    call_command("sweep_memories")
    assert {path.name for path in folder.iterdir()} == {path.name for path in (*kept, young)}
    assert "harbour-run99" in capsys.readouterr().out


def test_what_a_failed_run_can_go_on_from_stays_for_thirty_days(version, settings):
    run = TrainingRunFactory(corpus=version.corpus, status="failed", finished_at=timezone.now())
    folder = settings.MEMORY_DIR / run.folder_name
    folder.mkdir()
    call_command("sweep_memories", "--older-than", "0")
    assert aged(folder).exists()
    TrainingRun.objects.update(finished_at=timezone.now() - timedelta(days=31))
    call_command("sweep_memories")
    assert not folder.exists()


def test_the_log_of_a_run_that_failed_stays(version, settings):
    run = TrainingRunFactory(corpus=version.corpus, status="failed")
    log = settings.MEMORY_DIR / f"{run.folder_name}.log"
    log.write_text("what went wrong")
    call_command("sweep_memories", "--older-than", "0")
    assert aged(log).exists()
