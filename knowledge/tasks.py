"""Celery tasks of knowledge. A task gets a row's id and nothing else."""

from __future__ import annotations

from celery import shared_task

from knowledge.generation import perform_generation
from knowledge.models import GenerationRun
from knowledge.synthesis import HELP_TASK, help_with
from memosite.runs import work_on


@shared_task(name=GenerationRun.task_name)
def generate(run_id: int) -> None:
    """Work on a generation run, or go on with it."""
    work_on(GenerationRun.objects.get(pk=run_id), perform_generation)


@shared_task(name=HELP_TASK)
def help_generate(run_id: int) -> None:
    """Share the units of a run that another worker holds."""
    help_with(run_id)
