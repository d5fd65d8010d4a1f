"""The registry of versions: numbers that are never given twice, deleting, and what lies on the disk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from knowledge.models import Corpus
from memosite.errors import Conflict
from memosite.people import account_of
from memosite.runs import UNFINISHED, Status, run_models
from training.build_info import size_of
from training.models import (
    DeletedVersion,
    EvaluationRun,
    MemoryVersion,
    MergeRun,
    ProbeRun,
    TrainingRun,
)
from training.reasons import reason_why

UNSWEPT_HOURS = 24.0  # what is younger may belong to work that is going on
UNSWEPT_DAYS = 30  # for so long a training that failed can go on from its checkpoint


class VersionNeeded(Conflict):
    """A run at work needs the version."""

    code = "version_needed"


class VersionGone(Conflict):
    """A version that is needed was deleted."""

    code = "version_gone"


def next_number(corpus: Corpus) -> int:
    """The number of the corpus's next version; that of a deleted one is never given again."""
    rows = (MemoryVersion.objects.filter(corpus=corpus), DeletedVersion.objects.filter(corpus=corpus))
    return 1 + max(found.aggregate(last=Max("number"))["last"] or 0 for found in rows)


def delete_version(version: MemoryVersion, person: Any = None, *, reason: str) -> None:
    """Delete a version, its pairs and, once that is certain, its folder. What it was and who deleted it stays.

    Raises NoReason, Conflict while an alias points at it, and VersionNeeded while a run needs it.
    """
    reason = reason_why("this version is deleted", reason)
    with transaction.atomic():
        Corpus.objects.select_for_update().get(pk=version.corpus_id)
        require_unneeded(version, person)
        folder = version.folder
        row = DeletedVersion.objects.create(
            corpus=version.corpus,
            number=version.number,
            sha256=version.sha256,
            data_sha256=version.data_sha256,
            deleted_by=account_of(person),
            reason=reason,
        )
        row.tells_of(version.corpus, version)
        failed = TrainingRun.objects.filter(status=Status.FAILED)
        failed.filter(Q(continues=version) | Q(rebuilds=version) | Q(version=version)).update(
            cancel_requested=True  # without the version it cannot go on as it began
        )
        version.delete()
        transaction.on_commit(partial(remove_folder, folder))


def hold_versions(versions: Iterable[MemoryVersion], *corpora: Corpus) -> None:
    """Lock the corpora and those of the versions: nobody deletes a version until the transaction is over.

    Raises VersionGone where one was deleted before.
    """
    held = list(versions)
    kept = {corpus.pk for corpus in corpora} | {version.corpus_id for version in held}
    list(Corpus.objects.select_for_update().filter(pk__in=kept).order_by("pk"))
    there = set(MemoryVersion.objects.filter(pk__in=[one.pk for one in held]).values_list("pk", flat=True))
    if gone := [version for version in held if version.pk not in there]:
        raise VersionGone(f"{gone[0]} was deleted meanwhile. Choose another version.")


def require_unneeded(version: MemoryVersion, person: Any = None) -> None:
    """Raise VersionNeeded while a run is to continue, merge, rebuild, finish, evaluate or probe the version.

    A run that is closed to the person is not named; None is the operator of the site.
    """
    trainings = TrainingRun.objects.filter(status__in=UNFINISHED)
    merges = MergeRun.objects.filter(status__in=UNFINISHED)
    evaluations = EvaluationRun.objects.filter(status__in=UNFINISHED)
    probings = ProbeRun.objects.filter(status__in=UNFINISHED)
    needed_by = [
        *trainings.filter(continues=version),
        *trainings.filter(rebuilds=version),
        *trainings.filter(version=version),
        *merges.filter(parents=version),
        *merges.filter(version=version),
        *evaluations.filter(contestants__version=version).distinct(),
        *probings.filter(Q(version=version) | Q(other=version)),
    ]
    if needed_by:
        run = needed_by[0]
        is_open = person is None or type(run).objects.for_reader(person).filter(pk=run.pk).exists()
        told, deed = (
            (_called(run), "cancel it") if is_open else ("A run that you may not see", "have it cancelled")
        )
        raise VersionNeeded(f"{told} needs {version}. Wait for it, or {deed} first.")


def _called(run: Any) -> str:
    """A run in words. An evaluation has a title of people's own, which alone does not say what it is."""
    return f"Evaluation {run.pk} (“{run}”)" if isinstance(run, EvaluationRun) else str(run)


def remove_folder(folder: Path) -> None:
    """Remove an artifact and the files beside it that were its training's.

    It is renamed first, so that nothing half removed is ever taken for an artifact; ``sweep`` removes what a
    crash leaves.
    """
    doomed = folder.with_name(f"{folder.name}.deleted")
    if folder.exists() and not doomed.exists():
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
    for path in folder.parent.glob(f"{folder.name}.*"):
        if path.is_file():
            path.unlink(missing_ok=True)


def remove_work(run: TrainingRun) -> None:
    """Remove what a training made that nobody goes on with: its folder, pairs and configuration. The log stays."""
    shutil.rmtree(run.folder, ignore_errors=True)
    for path in run.folder.parent.glob(f"{run.folder_name}.*"):
        if path.is_file() and path.suffix != ".log":
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Leftover:
    """Something below the memory folder that nothing refers to."""

    path: Path
    size_bytes: int


def leftovers(older_than_hours: float = UNSWEPT_HOURS) -> Iterator[Leftover]:
    """What crashes, cancelled runs and deleted versions left, as far as it has lain there for so long.

    The folders of versions and of unfinished runs are never among it, nor the logs of runs that exist; those of
    runs that failed are after ``UNSWEPT_DAYS``.
    """
    paths = set(MemoryVersion.objects.values_list("path", flat=True))
    known, at_work = _run_folders()
    youngest = time.time() - older_than_hours * 3600
    entries = settings.MEMORY_DIR.iterdir() if settings.MEMORY_DIR.is_dir() else ()
    for path in sorted(entries):
        name = path.name.partition(".")[0] or path.name
        is_kept = path.name in paths or name in at_work
        if path.is_file():
            is_kept = is_kept or name in paths or (path.suffix == ".log" and name in known)
        if not is_kept and path.stat().st_mtime < youngest:
            yield Leftover(path, size_of(path) if path.is_dir() else path.stat().st_size)


def sweep(leftover: Leftover) -> None:
    if leftover.path.is_dir():
        shutil.rmtree(leftover.path, ignore_errors=True)
    else:
        leftover.path.unlink(missing_ok=True)


def _run_folders() -> tuple[set[str], set[str]]:
    """Names of the folders of all runs that write below the memory folder, and of those that may go on."""
    models: list[Any] = [model for model in run_models() if hasattr(model, "folder_name")]
    runs: list[Any] = [run for model in models for run in model.objects.select_related("corpus")]
    long_ago = timezone.now() - timedelta(days=UNSWEPT_DAYS)
    unfinished = {
        run.folder_name
        for run in runs
        if run.status in UNFINISHED or (run.is_resumable and (run.finished_at or run.created_at) > long_ago)
    }
    return {run.folder_name for run in runs}, unfinished
