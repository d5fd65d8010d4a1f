"""Celery tasks of training. A task gets a row's id and nothing else."""

from __future__ import annotations

from celery import shared_task

from memosite.runs import work_on
from training.lab.purposes import perform_probes
from training.lab.runs.running import perform_evaluation
from training.merging import perform_merge
from training.models import EvaluationRun, MergeRun, ProbeRun, TrainingRun
from training.supervisor import perform_training


@shared_task(name=TrainingRun.task_name)
def train(run_id: int) -> None:
    """Work on a training run, or go on with it."""
    work_on(TrainingRun.objects.get(pk=run_id), perform_training)


@shared_task(name=MergeRun.task_name)
def merge(run_id: int) -> None:
    """Work on a merge, or go on with it."""
    work_on(MergeRun.objects.get(pk=run_id), perform_merge)


@shared_task(name=EvaluationRun.task_name)
def evaluate(run_id: int) -> None:
    """Work on an evaluation, or go on with it."""
    work_on(EvaluationRun.objects.get(pk=run_id), perform_evaluation)


@shared_task(name=ProbeRun.task_name)
def probe(run_id: int) -> None:
    """Put the questions of a run to the MEMORYs, or go on with it."""
    work_on(ProbeRun.objects.get(pk=run_id), perform_probes)
