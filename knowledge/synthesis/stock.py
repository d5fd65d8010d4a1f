"""The end of a run: what came of it, what failed, and the retry of that."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import transaction
from django.db.models import Q

from knowledge.models import GenerationRun, ReflectionSource
from memosite.errors import Conflict
from memosite.runs import Status


def take_stock(run: GenerationRun) -> None:
    """Add up what the units did, list what failed, and retire the pairs that the documents no longer give."""
    discarded: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    for payload, errors in run.units.values_list("payload", "errors"):
        discarded.update(payload.get("discarded", {}))
        failures += errors
    run.report(
        pairs=run.reflections.count(),
        discarded=sum(discarded.values()),
        discarded_for=dict(discarded),
        item_errors=failures,
        total=run.units.count(),
    )
    if not run.chunks.exists():
        _retire_outdated(run, {failure["document_id"] for failure in failures})


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
