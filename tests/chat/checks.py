"""What a worker does with queued checks, without its heartbeat: that needs a connection of its own."""

from __future__ import annotations

from chat.checking import perform_check
from chat.models import CheckRun
from memosite.runs import Status


def run_checks() -> list[CheckRun]:
    """Do the checks that are queued, in the transaction of the test; returns them."""
    runs = list(CheckRun.objects.filter(status=Status.QUEUED))
    for run in runs:
        assert run.claim()
        perform_check(run)
        run.finish(Status.SUCCEEDED)
    return runs
