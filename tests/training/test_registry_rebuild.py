"""Training a version once more and comparing the hashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse

from knowledge.models import Role
from memosite.errors import Conflict
from memosite.runs import Status, work_on
from tests.factories import TrainingRunFactory
from tests.training.trained import version_of
from tests.workbench import browser_of, make_person
from training.engine import artifact as artifacts
from training.models import MemoryVersion, TrainingRun
from training.rebuilding import CannotRebuild, perform_rebuild, source_pairs, start_rebuild

pytestmark = pytest.mark.django_db(
    transaction=True
)  # a run at work has a thread with a connection of its own


@pytest.fixture
def version(artifact: Path, settings: Any) -> MemoryVersion:
    return version_of(artifact, settings.MEMORY_DIR)


def test_a_rebuild_gives_the_same_bytes_and_leaves_no_version_and_no_files(version, settings, capsys):
    call_command("rebuild_version", "harbour", "1", "--here")
    run = TrainingRun.objects.get()
    assert (run.status, run.rebuilt_same, run.version) == (Status.SUCCEEDED, True, None)
    assert MemoryVersion.objects.count() == 1
    assert not version.aliases.exists()
    left = {path.name for path in settings.MEMORY_DIR.iterdir()}
    assert left == {version.path, f"{run.folder_name}.log"}
    assert "byte for byte" in capsys.readouterr().out


def retrained(version: MemoryVersion, change: Any) -> TrainingRun:
    """A rebuild whose training ends with the version's own artifact after ``change(folder)``."""
    run = start_rebuild(version)

    def train_again(pairs: Path) -> None:
        import shutil

        shutil.copytree(version.folder, run.folder)
        manifest = json.loads((run.folder / "manifest.json").read_text())
        change(run.folder, manifest)
        artifacts.complete(
            run.folder, {key: manifest[key] for key in manifest if key not in ("files", "sha256")}
        )

    work_on(run, lambda each: perform_rebuild(each, train_again))
    run.refresh_from_db()
    return run


def test_other_weights_are_told_with_the_files_that_differ(version):
    run = retrained(version, lambda folder, _: (folder / "model.safetensors").write_bytes(b"others"))
    assert (run.status, run.rebuilt_same) == (Status.SUCCEEDED, False)
    assert "model.safetensors" in run.log
    assert "another processor rounds otherwise" in run.log
    assert not run.folder.exists()


def test_what_changed_on_the_machine_is_named_where_it_is_known(version):
    def change(folder: Path, manifest: dict[str, Any]) -> None:
        (folder / "model.safetensors").write_bytes(b"others")
        manifest["environment"] = {"torch": "9.9"}

    then = json.loads((version.folder / "manifest.json").read_text())["environment"]["torch"]
    assert f"torch: {then} then, 9.9 now" in retrained(version, change).log


def test_a_rebuild_that_was_killed_after_comparing_only_cleans_up(version):
    run = start_rebuild(version)
    run.claim()
    run.folder.mkdir(parents=True)
    run.rebuilt_same = True
    run.save()
    perform_rebuild(run, lambda pairs: pytest.fail("it trained again"))
    assert not run.folder.exists()


def test_altered_or_missing_pairs_cannot_be_rebuilt_from(version):
    kept = source_pairs(version)
    kept.write_text(kept.read_text().replace("Ada", "Eda"))
    with pytest.raises(CannotRebuild, match="were altered"):
        start_rebuild(version)
    kept.unlink()
    with pytest.raises(CannotRebuild, match="not kept in their order"):
        start_rebuild(version)
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize("kind", ["merged", "imported"])
def test_only_trained_versions_are_rebuilt(version, kind):
    MemoryVersion.objects.filter(pk=version.pk).update(kind=kind)
    version.refresh_from_db()
    with pytest.raises(CannotRebuild, match=f"was {kind}, not trained"):
        start_rebuild(version)


def test_a_rebuild_waits_for_the_training_at_work(version):
    TrainingRunFactory(corpus=version.corpus, status="running")
    with pytest.raises(Conflict, match="already at work"):
        start_rebuild(version)


def test_curators_start_it_from_the_page_rest_and_the_workbench(version):
    browser = browser_of(make_person("cara", version.corpus, Role.CURATOR))
    addresses = (
        reverse("rebuild-version", args=["harbour", 1]),
        reverse("api-rebuild", args=[version.pk]),
        reverse("admin:training_memoryversion_rebuild", args=[version.pk]),
    )
    for address in addresses:
        browser.post(address)
        run = TrainingRun.objects.get(status=Status.QUEUED)
        assert run.rebuilds == version
        TrainingRun.objects.update(status=Status.SUCCEEDED, rebuilt_same=True)
    page = browser.get(version.get_absolute_url()).content.decode()
    assert page.count("the same, byte for byte") == 3
    listed = browser.get(addresses[1]).json()["results"]
    assert [(row["rebuilds"], row["rebuilt_same"]) for row in listed] == [(1, True)] * 3
