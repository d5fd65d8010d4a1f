"""Celery tasks of the chat. A task gets a row's id and nothing else."""

from __future__ import annotations

from celery import shared_task

from chat.checking import perform_check
from chat.models import CheckRun
from memosite.runs import work_on


@shared_task(name=CheckRun.task_name)
def check(run_id: int) -> None:
    """Work on a check, or go on with it."""
    work_on(CheckRun.objects.get(pk=run_id), perform_check)
