"""A GenerationRun with a language model: units of work as rows, which any number of workers share.

The worker that holds the run's lease plans the units, works on them like every other, and ends the run. Each
unit is claimed by one conditional UPDATE and kept by a heartbeat. Each reply is stored before the next call takes
its place, so a unit that is done again after a kill pays only for the calls that were under way.
"""

from __future__ import annotations

from contextlib import suppress

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from knowledge.models import GenerationRun
from knowledge.synthesis.planning import GROUPS, PASSAGES, plan_groups, plan_passages
from knowledge.synthesis.stock import retry_failed, take_stock
from knowledge.synthesis.worker import Worker
from memosite.runs import RunCancelled, RunInterrupted, RunPaused

__all__ = ["HELP_TASK", "help_with", "retry_failed", "synthesize_with_model"]

HELP_TASK = "knowledge.help_generate"


def synthesize_with_model(run: GenerationRun) -> None:
    """Plan the run, work on it until all units are done, and take stock. Raises what ``Run.report`` raises."""
    run.report(phase="planning")
    plan_passages(run)
    _call_helpers(run)
    worker = Worker(run)
    run.report(phase="distilling passages")
    worker.work(PASSAGES)
    if not run.chunks.exists():
        plan_groups(run)
        run.report(phase="connecting documents")
        worker.work(GROUPS)
    run.report(phase="taking stock")
    take_stock(run)


def help_with(run_id: int) -> None:
    """Work on the units of a run that another worker holds, until it is over."""
    run = GenerationRun.objects.select_related("endpoint").get(pk=run_id)
    helper = Worker(run, is_helper=True)
    with suppress(RunPaused, RunCancelled, RunInterrupted):
        helper.work(PASSAGES)
        helper.work(GROUPS)


def _call_helpers(run: GenerationRun) -> None:
    for _ in range(settings.GENERATION_WORKERS - 1):
        with suppress(OperationalError):  # without a broker this worker does it all
            current_app.send_task(HELP_TASK, [run.pk])
