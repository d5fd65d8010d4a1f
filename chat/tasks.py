"""What a worker does for the chat. A Celery task gets a row's id and nothing else."""

from __future__ import annotations

import logging
from contextlib import suppress

from celery import shared_task

from chat import checking, demand
from chat.models import CheckRun, Conversation, Turn
from chat.retention import purge
from chat.services import end_abandoned_turns
from memosite import runs
from memosite.errors import Conflict
from memosite.worker import every

SOON, MINUTE, HOUR = 3, 60, 3600
logger = logging.getLogger(__name__)


@shared_task(name=CheckRun.task_name)
def check(run_id: int) -> None:
    """Work on a check, or go on with it."""
    runs.work_on(CheckRun.objects.get(pk=run_id), checking.perform_check)


@every(HOUR)
def purge_conversations() -> None:
    """Delete conversations that are not kept any longer."""
    deleted = purge(stop=runs.shutting_down.is_set)
    if deleted:
        logger.info("Deleted %s conversations that are not kept any longer", deleted.total())


@every(SOON)
def file_unanswered() -> None:
    """File what memory could not answer under what a corpus's curators see is asked for."""
    demand.file_unanswered()


@every(MINUTE)
def make_up_for_lost_checks() -> None:
    """Have live versions asked what is open, where no check of theirs did."""
    checking.make_up()


@every(MINUTE)
def end_lost_turns() -> None:
    """End the turns whose process died, so that they say so and are counted though nobody looks at them."""
    for conversation in Conversation.objects.filter(turns__in=Turn.objects.abandoned()).distinct():
        with suppress(Conflict):  # somebody else has just ended it
            end_abandoned_turns(conversation)
