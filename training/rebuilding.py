"""Training a version once more, from its own pairs and settings, to see whether the same weights come out."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from memosite.errors import Conflict
from memosite.people import account_of
from training.engine.artifact import MANIFEST, verify
from training.engine.errors import BadPairs
from training.engine.pairs import digest, read_pairs
from training.models import MemoryVersion, TrainingRun, VersionKind
from training.registry import hold_versions, remove_work

SOURCE_PAIRS = "source_pairs.jsonl"
#: Files whose bytes do not come from the training: they tell of it, or of the machine.
BESIDES = frozenset({"README.md", "pairs.jsonl", SOURCE_PAIRS, MANIFEST})
WHY_NOT = (
    "The same weights come out where the code, PyTorch, the processor's instructions and the number of threads "
    "are the same; another build of PyTorch or another processor rounds otherwise."
)


class CannotRebuild(Conflict):
    """What the version was made from is not all there."""

    code = "cannot_rebuild"


def keep_source_pairs(pairs: Path, folder: Path) -> None:
    """Keep the file that the training read with the artifact: in its order, with what was left out.

    The artifact's own ``pairs.jsonl`` has trained and held-out pairs apart and no contradicting ones, so it does
    not give the order back that the weights depend on. The version's ``data_sha256`` vouches for the file.
    """
    kept = folder / SOURCE_PAIRS
    if kept.exists() or not pairs.exists():
        return
    unfinished = kept.with_suffix(".tmp")
    unfinished.unlink(missing_ok=True)
    try:
        os.link(pairs, unfinished)  # one file under two names takes no space
    except OSError:
        shutil.copyfile(pairs, unfinished)
    unfinished.replace(kept)


def source_pairs(version: MemoryVersion) -> Path:
    """The exact pairs of the version in their order, proven by its ``data_sha256``. Raises CannotRebuild."""
    if version.kind != VersionKind.TRAINED:
        raise CannotRebuild(f"{version} was {version.kind}, not trained, so there is nothing to train again.")
    beside = (
        settings.MEMORY_DIR / f"{version.path}.pairs.jsonl"
    )  # where versions before the registry have them
    found = next((path for path in (version.folder / SOURCE_PAIRS, beside) if path.exists()), None)
    if found is None:
        raise CannotRebuild(f"The pairs of {version} were not kept in their order, so it cannot be rebuilt.")
    try:
        is_same = digest(read_pairs(found)) == version.data_sha256
    except BadPairs as error:
        raise CannotRebuild(f"The pairs kept for {version} cannot be read: {error}") from error
    if not is_same:
        raise CannotRebuild(
            f"The pairs kept for {version} were altered: their hash is another. Restore {found.name}."
        )
    return found


def start_rebuild(version: MemoryVersion, person: Any = None) -> TrainingRun:
    """Queue a training that makes no version but compares its weights with the version's.

    Raises CannotRebuild, VersionGone where the version was deleted, and Conflict while a training is at work on
    the corpus.
    """
    source_pairs(version)
    made_by = TrainingRun.objects.filter(version=version).first()
    parent = made_by.continues if made_by else None
    if version.parents.exists() and parent is None:
        raise CannotRebuild(f"{version} continues a version that was deleted, so it cannot be rebuilt.")
    try:
        with transaction.atomic():
            hold_versions(filter(None, (version, parent)))
            run = TrainingRun.objects.create(
                corpus=version.corpus,
                rebuilds=version,
                base_model=version.base_model,
                config=version.config,
                continues=parent,
                recipe=made_by.recipe if made_by else "",
                created_by=account_of(person),
            )
            run.tells_of(version.corpus, version, parent)
    except IntegrityError as error:
        raise Conflict("A training is already at work on this corpus. Wait for it, or cancel it.") from error
    run.enqueue()
    return run


def perform_rebuild(run: TrainingRun, train: Callable[[Path], None]) -> None:
    """Train the run's version once more and record whether the weights are the same. Can be repeated safely.

    ``train`` trains on a file of pairs into the run's folder. The rebuilt folder is removed at the end.
    """
    version = run.rebuilds
    if version is None:
        raise CannotRebuild("The version that was to be rebuilt is gone.")
    if run.rebuilt_same is None:
        run.report(phase="preparing", total=run.total)
        train(_own_copy(run, source_pairs(version)))
        run.report(phase="comparing")
        differing = differing_files(version, run.folder)
        for line in _in_words(version, run.folder, differing):
            run.add_log(line)
        run.rebuilt_same = not differing
        run.save(update_fields=["rebuilt_same"])
    remove_work(run)


def _own_copy(run: TrainingRun, pairs: Path) -> Path:
    copy = run.folder.with_suffix(".pairs.jsonl")
    copy.parent.mkdir(parents=True, exist_ok=True)
    unfinished = copy.with_suffix(".tmp")
    shutil.copyfile(pairs, unfinished)
    unfinished.replace(copy)
    return copy


def differing_files(version: MemoryVersion, rebuilt: Path) -> list[str]:
    """Names of the files that the training made and whose SHA-256 is not the same in both. Raises BadArtifact."""
    one, other = (
        {name: sha for name, sha in verify(folder)["files"].items() if name not in BESIDES}
        for folder in (version.folder, rebuilt)
    )
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _in_words(version: MemoryVersion, rebuilt: Path, differing: list[str]) -> list[str]:
    if not differing:
        return [f"The rebuilt files are the same as those of {version}, byte for byte."]
    before, now = (_environment(folder) for folder in (version.folder, rebuilt))
    changed = [
        f"{key}: {before.get(key)} then, {now.get(key)} now"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key)
    ]
    machine = f"What is not as it was: {'; '.join(changed)}." if changed else WHY_NOT
    return [f"These files differ from those of {version}: {', '.join(differing)}.", machine]


def _environment(folder: Path) -> dict[str, Any]:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return {"engine": manifest.get("engine"), **(manifest.get("environment") or {})}
