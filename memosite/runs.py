"""Long work as rows: any process may die at any moment and nothing is lost or done twice.

A run is claimed by one conditional UPDATE and held by a lease that every progress report renews. A process
that lost its lease learns so at its next report and stops. A run whose lease has lapsed is free again, and
``requeue_stranded`` (called when a worker starts and periodically) sends it out once more.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from celery import current_app
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections, models, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from memosite.errors import Conflict, MemoError

if TYPE_CHECKING:
    from typing import Self

logger = logging.getLogger(__name__)
MAX_FRUITLESS = 5  # starts in a row that got nowhere
LOG_LIMIT = 20_000
RESEND_SECONDS = 30


class RunInterrupted(Exception):
    """The worker is shutting down: leave the run as it is, another worker goes on with it."""


class LeaseLost(Exception):
    """Another worker holds the run now: stop without touching it."""


class RunCancelled(Exception):
    """A person cancelled the run."""


class RunPaused(Exception):
    """The run stops for now, by a person's wish or for the reason given: it is resumed by a person."""


class Status(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    WITH_ERRORS = "with_errors", "succeeded with errors"


UNFINISHED = (Status.QUEUED, Status.RUNNING, Status.PAUSED)
COMPLETE = (Status.SUCCEEDED, Status.WITH_ERRORS)


def seconds_ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


class RunQuerySet(models.QuerySet["Any"]):
    def active(self) -> Self:
        """Runs that are waiting or at work."""
        return self.filter(status__in=(Status.QUEUED, Status.RUNNING))

    def claimable(self) -> Self:
        """Queued runs, and running ones whose worker has not been heard of for a whole lease."""
        lapsed = seconds_ago(settings.RUN_LEASE_SECONDS)
        return self.filter(Q(status=Status.QUEUED) | Q(status=Status.RUNNING, heartbeat_at__lt=lapsed))


class Run(models.Model):
    """A piece of long work: its state, how far it is, what went wrong, and its log."""

    status = models.CharField(max_length=24, choices=Status.choices, default=Status.QUEUED, db_index=True)
    phase = models.CharField(max_length=60, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    seconds_left = models.FloatField(null=True, blank=True)
    error = models.TextField(blank=True)
    item_errors = models.JSONField(default=list, blank=True)
    log = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0)
    fruitless = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Starts since the last progress."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    cancel_requested = models.BooleanField(default=False)
    pause_requested = models.BooleanField(default=False)
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)

    task_name: ClassVar[str]  # the Celery task that does the work, given the row's id
    resumable: ClassVar[tuple[str, ...]] = (Status.PAUSED,)  # from what it can go on where it stopped

    objects: ClassVar[Any] = RunQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering: ClassVar = ["-pk"]

    # -- what a run says about itself ---------------------------------------------------------------------
    @property
    def is_active(self) -> bool:
        return self.status in (Status.QUEUED, Status.RUNNING)

    @property
    def is_complete(self) -> bool:
        """The work was done to its end, be it with errors on some items."""
        return self.status in COMPLETE

    @property
    def is_paused(self) -> bool:
        return self.status == Status.PAUSED

    @property
    def is_resumable(self) -> bool:
        return self.status in self.resumable and not self.cancel_requested

    @property
    def workbench_page(self) -> str:
        """The address of the run's page in the admin."""
        return reverse(f"admin:{self._meta.app_label}_{self._meta.model_name}_change", args=[self.pk])

    @property
    def percent(self) -> int:
        if self.is_complete:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else 0

    @property
    def seconds(self) -> float:
        """Wall time from the first start until the end, or until now."""
        if self.started_at is None:
            return 0.0
        end: datetime = self.finished_at or timezone.now()
        return (end - self.started_at).total_seconds()

    # -- sending ------------------------------------------------------------------------------------------
    def enqueue(self) -> None:
        """Send the run to a worker once the row is committed."""
        transaction.on_commit(self._send)

    def _send(self) -> None:
        """Send the row's id. A broker that is down is no error: ``requeue_stranded`` sends it again."""
        type(self).objects.filter(pk=self.pk).update(sent_at=timezone.now())
        try:
            current_app.send_task(self.task_name, [self.pk])
        except OperationalError as error:
            logger.warning("The broker does not answer (%s); run %s is sent later", error, self.pk)

    # -- people -------------------------------------------------------------------------------------------
    def request_cancel(self) -> None:
        """Ask the run to stop; a queued or paused one ends at once, a running one at its next report.

        Raises Conflict when the run is over already.
        """
        rows = type(self).objects.filter(pk=self.pk)
        now = timezone.now()
        ended = rows.filter(status__in=(Status.QUEUED, Status.PAUSED)).update(
            status=Status.CANCELLED, finished_at=now, cancel_requested=True
        )
        if not ended and not rows.filter(status=Status.RUNNING).update(cancel_requested=True):
            raise Conflict(f"This run is over already ({self.status}); there is nothing to cancel.")
        self.refresh_from_db()

    def request_pause(self) -> None:
        """Ask the run to stop for now; it keeps what it has done. Raises Conflict unless it waits or works."""
        rows = type(self).objects.filter(pk=self.pk)
        paused = rows.filter(status=Status.QUEUED).update(status=Status.PAUSED)
        if not paused and not rows.filter(status=Status.RUNNING).update(pause_requested=True):
            raise Conflict(f"This run is {self.get_status_display()}; there is nothing to pause.")
        self.refresh_from_db()

    def resume(self) -> None:
        """Let the run go on where it stopped. Raises Conflict unless it is one of ``resumable``."""
        rows = type(self).objects.filter(pk=self.pk, status__in=self.resumable, cancel_requested=False)
        resumed = rows.update(
            status=Status.QUEUED,
            pause_requested=False,
            error="",
            fruitless=0,
            sent_at=None,
            finished_at=None,
        )
        if not resumed and self.status in self.resumable:
            raise Conflict(
                "This run cannot go on: it was cancelled, or what it needs is gone. Start a new one."
            )
        if not resumed:
            told = " or ".join(Status(status).label.lower() for status in self.resumable)
            raise Conflict(f"This run is {self.get_status_display()}; only a {told} one can be resumed.")
        self.refresh_from_db()
        self.enqueue()

    # -- the worker ---------------------------------------------------------------------------------------
    def claim(self) -> bool:
        """Take the run for this process. False when it is over or another process holds it."""
        lease, now = uuid.uuid4(), timezone.now()
        taken = (
            type(self)
            .objects.claimable()
            .filter(pk=self.pk)
            .update(
                status=Status.RUNNING,
                lease=lease,
                heartbeat_at=now,
                attempts=F("attempts") + 1,
                fruitless=F("fruitless") + 1,
            )
        )
        if not taken:
            return False
        type(self).objects.filter(pk=self.pk, started_at=None).update(started_at=now)
        self.refresh_from_db()
        return True

    def report(self, **values: Any) -> None:
        """Renew the lease and store ``values`` (phase, done, total, seconds_left ...).

        Raises LeaseLost, RunCancelled or RunInterrupted when the work has to stop.
        """
        held = type(self).objects.filter(pk=self.pk, lease=self.lease, status=Status.RUNNING)
        if values.get("done", 0) > self.done:
            values["fruitless"] = 0
        if not held.update(heartbeat_at=timezone.now(), **values):
            raise LeaseLost
        for name, value in values.items():
            setattr(self, name, value)
        if held.filter(cancel_requested=True).exists():
            raise RunCancelled
        if held.filter(pause_requested=True).exists():
            raise RunPaused
        if shutting_down.is_set():
            raise RunInterrupted

    def add_log(self, line: str) -> None:
        """Append a line to the log, of which the last ``LOG_LIMIT`` characters are kept."""
        self.log = f"{self.log}{timezone.now():%H:%M:%S} {line}\n"[-LOG_LIMIT:]
        type(self).objects.filter(pk=self.pk, lease=self.lease).update(log=self.log)

    def finish(self, status: str, **values: Any) -> bool:
        """End the run if this process still holds it; True if it did."""
        values |= {"status": status, "finished_at": timezone.now(), "lease": None, "seconds_left": None}
        ended = (
            type(self).objects.filter(pk=self.pk, lease=self.lease, status=Status.RUNNING).update(**values)
        )
        self.refresh_from_db()
        return bool(ended)

    def release(self) -> None:
        """Give the run back unfinished, so that another worker goes on with it at once."""
        type(self).objects.filter(pk=self.pk, lease=self.lease, status=Status.RUNNING).update(
            status=Status.QUEUED, lease=None, attempts=F("attempts") - 1, fruitless=0
        )


shutting_down = threading.Event()


def work_on(run: Run, work: Callable[[Any], None]) -> None:
    """Claim ``run``, do ``work(run)`` and store how it ended. The one place where a run's errors are caught."""
    if not run.claim():
        return
    if run.fruitless > MAX_FRUITLESS:
        told = f"Given up after {MAX_FRUITLESS} starts without progress: its worker died each time."
        run.finish(Status.FAILED, error=told)
        return
    try:
        with heartbeat(run):
            work(run)
        status = Status.WITH_ERRORS if run.item_errors else Status.SUCCEEDED
        run.finish(status, done=run.total, cancel_requested=False, pause_requested=False)
    except LeaseLost:
        logger.warning("%s %s was taken over by another worker", type(run).__name__, run.pk)
    except RunInterrupted:
        run.release()
    except RunCancelled:
        run.finish(Status.CANCELLED)
    except RunPaused as reason:
        run.finish(Status.PAUSED, error=str(reason), pause_requested=False)
    except MemoError as error:
        run.finish(Status.FAILED, error=str(error))
    except Exception as error:
        logger.exception("%s %s failed", type(run).__name__, run.pk)
        run.finish(Status.FAILED, error=f"Unexpected {type(error).__name__}: {error}")


@contextmanager
def heartbeat(run: Run) -> Iterator[None]:
    """Renew the lease from a thread, so that a long step between two reports does not look like a death."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.RUN_LEASE_SECONDS / 4):
                _renew(run)
        finally:
            connections.close_all()  # a thread of our own has nobody else to do it

    thread = threading.Thread(target=beat, name=f"heartbeat-{run.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _renew(run: Run) -> None:
    """Show that the run is alive; a database that does not answer just now may answer at the next beat."""
    try:
        close_old_connections()
        type(run).objects.filter(pk=run.pk, lease=run.lease).update(heartbeat_at=timezone.now())
    except DatabaseError:
        logger.warning("The lease of %s %s could not be renewed", type(run).__name__, run.pk, exc_info=True)


def requeue_stranded(*, even_if_just_sent: bool = False) -> int:
    """Send every claimable run that is not on its way; returns how many.

    Covers a message lost with a killed worker, a broker that was down, and a lease that has lapsed.
    """
    sent = 0
    for model in run_models():
        waiting = model.objects.claimable()
        if not even_if_just_sent:
            waiting = waiting.filter(Q(sent_at=None) | Q(sent_at__lt=seconds_ago(RESEND_SECONDS)))
        for run in waiting:
            run._send()
            sent += 1
    return sent


def run_models() -> list[type[Run]]:
    """Every kind of run there is."""
    return [model for model in apps.get_models() if issubclass(model, Run)]


def wait_for(run: Run, *, poll_seconds: float = 0.5) -> Iterator[Run]:
    """Yield the run's fresh state until it is over: what a terminal's progress bar follows."""
    while True:
        run.refresh_from_db()
        yield run
        if not run.is_active:
            return
        time.sleep(poll_seconds)
