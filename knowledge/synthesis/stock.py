"""The end of a run: what came of it, what failed, and the retry of that."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import transaction
from django.db.models import Q

from knowledge.models import GenerationRun, Reflection, ReflectionSource, ReviewStatus
from knowledge.pipeline.near_duplicates import near_duplicates
from knowledge.storing import add_sources
from memosite.errors import Conflict
from memosite.runs import Status


def take_stock(run: GenerationRun) -> None:
    """Merge near-duplicates, add up what the units did, and retire the pairs that documents no longer give."""
    discarded: Counter[str] = Counter()
    failures: dict[tuple[Any, ...], dict[str, Any]] = {}
    for payload, errors in run.units.values_list("payload", "errors"):
        discarded.update(payload.get("discarded", {}))
        for error in errors:  # the same may have struck several units that looked at a document
            failures[error["document_id"], error["step"], error["error"]] = error
    if merged := merge_near_duplicates(run):
        discarded["near duplicate"] = merged
    run.report(
        pairs=run.reflections.filter(retired=False).count(),
        discarded=sum(discarded.values()),
        discarded_for=dict(discarded),
        item_errors=list(failures.values()),
        total=run.units.count(),
    )
    if not run.chunks.exists():
        _retire_outdated(run, {document for document, *_ in failures})


@transaction.atomic
def merge_near_duplicates(run: GenerationRun) -> int:
    """Unite pairs of the run that say almost the same, within and across documents; returns how many went.

    The earlier pair stays and takes over the sources of the later one, which is retired. Pairs that a person has
    looked at stay as they are.
    """
    rows = list(run.reflections.present().filter(retired=False).order_by("pk"))
    pending = [row for row in rows if row.status == ReviewStatus.PENDING]
    stays: dict[int, int] = {}
    for first, later in near_duplicates(pending):
        stays[pending[later].pk] = stays.get(pending[first].pk, pending[first].pk)
    sources = ReflectionSource.objects.filter(reflection__in=stays)
    add_sources(
        (stays[reflection], chunk, start, end)
        for reflection, chunk, start, end in sources.values_list("reflection_id", "chunk_id", "start", "end")
    )
    Reflection.objects.filter(pk__in=stays).update(retired=True)
    return len(stays)


def _retire_outdated(run: GenerationRun, failed_documents: set[int]) -> None:
    """Retire this generator's pairs that the run did not make, except those of documents that it failed on."""
    spared = ReflectionSource.objects.filter(chunk__document__in=failed_documents).values("reflection")
    outdated = run.corpus.reflections.filter(reflection_set__generator=run.generator).filter(
        ~Q(last_run=run) | Q(last_run=None)
    )
    outdated.exclude(pk__in=spared).update(retired=True)


def retry_failed(run: GenerationRun) -> int:
    """Queue the units of an ended run that did not succeed, and the run with them; returns how many.

    Raises Conflict where nothing failed, or the run is not over.
    """

    if run.is_active or run.is_paused:
        raise Conflict(
            "This run is not over yet. Wait for its end, or resume it, before you retry what failed."
        )
    again = run.units.filter(status__in=(Status.FAILED, Status.WITH_ERRORS))
    with transaction.atomic():
        count = again.update(status=Status.QUEUED, lease=None, finished_at=None, errors=[])
        if not count:
            raise Conflict("Nothing failed in this run; there is nothing to retry.")
        GenerationRun.objects.filter(pk=run.pk).update(
            status=Status.QUEUED,
            fruitless=0,
            error="",
            item_errors=[],
            finished_at=None,
            cancel_requested=False,
            pause_requested=False,
        )
    run.refresh_from_db()
    run.enqueue()
    return count
