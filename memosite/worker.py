"""What a Celery worker process does besides tasks: rescue stranded runs, and stop its own quickly."""

from __future__ import annotations

import logging
import threading
import warnings
from typing import Any

from celery.exceptions import SecurityWarning
from celery.signals import celeryd_init, worker_ready, worker_shutting_down
from django.db import DatabaseError, connections

from memosite import runs

RESCUE_SECONDS = 3
logger = logging.getLogger(__name__)


@celeryd_init.connect
def accept_superuser(**_: Any) -> None:
    """Keep quiet about a worker of root, as in most containers: messages are JSON, and hold a row's number only.

    Celery's refusal to read pickled messages as root stays.
    """
    message = "You're running the worker with superuser privileges"
    warnings.filterwarnings("ignore", message, category=SecurityWarning)


@worker_ready.connect
def rescue_runs(**_: Any) -> None:
    """Send out what earlier workers left behind, now and from time to time."""
    runs.shutting_down.clear()
    threading.Thread(target=_rescue_until_shutdown, name="rescue", daemon=True).start()


def _rescue_until_shutdown() -> None:
    at_start = True
    while not runs.shutting_down.is_set():
        try:
            runs.requeue_stranded(even_if_just_sent=at_start)
            at_start = False
            runs.looking_after.send_robust(sender=None)
        except DatabaseError:
            logger.exception("The database does not answer; stranded runs are looked for again soon")
        finally:
            connections.close_all()
        runs.shutting_down.wait(RESCUE_SECONDS)


@worker_shutting_down.connect
def interrupt_runs(**_: Any) -> None:
    """Tell running work to stop at its next report; it goes back into the queue."""
    runs.shutting_down.set()
