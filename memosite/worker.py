"""What a Celery worker process does besides tasks: rescue stranded runs, stop its own quickly, and what the apps
want done from time to time.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from celery.exceptions import SecurityWarning
from celery.signals import celeryd_init, worker_ready, worker_shutting_down
from django.db import DatabaseError, connections

from memosite import runs

RESCUE_SECONDS = 3
logger = logging.getLogger(__name__)
Work = Callable[[], None]


@dataclass(frozen=True)
class Chore:
    """Work that each worker process does when it starts, and again so many ``seconds`` after it was done."""

    seconds: float
    work: Work

    def do(self) -> None:
        """Do it once. What goes wrong is logged: the next time comes."""
        try:
            self.work()
        except Exception:
            logger.exception("%s went wrong; it is tried again in %s s", self.work.__name__, self.seconds)
        finally:
            connections.close_all()  # a thread of our own has nobody else to do it

    def do_until_shutdown(self) -> None:
        while not runs.shutting_down.is_set():
            self.do()
            runs.shutting_down.wait(self.seconds)


chores: list[Chore] = []


def every(seconds: float) -> Callable[[Work], Work]:
    """Have each worker process do this when it starts and then periodically. It may be killed in the middle, and
    several workers may do it at once: the work has to bear both.
    """

    def take(work: Work) -> Work:
        chores.append(Chore(seconds, work))
        return work

    return take


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
    for chore in chores:
        threading.Thread(target=chore.do_until_shutdown, name=chore.work.__name__, daemon=True).start()


def _rescue_until_shutdown() -> None:
    at_start = True
    while not runs.shutting_down.is_set():
        try:
            runs.requeue_stranded(even_if_just_sent=at_start)
            at_start = False
        except DatabaseError:
            logger.exception("The database does not answer; stranded runs are looked for again soon")
        finally:
            connections.close_all()
        runs.shutting_down.wait(RESCUE_SECONDS)


@worker_shutting_down.connect
def interrupt_runs(**_: Any) -> None:
    """Tell running work to stop at its next report; it goes back into the queue."""
    runs.shutting_down.set()
