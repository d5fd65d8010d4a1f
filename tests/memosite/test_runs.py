"""Runs: claimed once, held by a lease, resumed after a death, ended in one place."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connections
from django.utils import timezone

from knowledge.models import Corpus, GenerationRun
from memosite import runs
from memosite.errors import Conflict, MemoError
from memosite.runs import LeaseLost, RunCancelled, RunInterrupted, Status, requeue_stranded, work_on

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> GenerationRun:
    return GenerationRun.objects.create(corpus=Corpus.objects.create(slug="c", name="C"))


@pytest.fixture
def sent(monkeypatch) -> list[int]:
    """The ids of the runs that were sent to a worker."""
    ids: list[int] = []
    monkeypatch.setattr(GenerationRun, "_send", lambda run: ids.append(run.pk))
    return ids


def let_lease_lapse(run: GenerationRun) -> None:
    GenerationRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=5))


def again(run: GenerationRun) -> GenerationRun:
    return GenerationRun.objects.get(pk=run.pk)


def test_of_two_workers_only_one_claims_a_run(run):
    assert again(run).claim()
    assert not again(run).claim()


def test_many_workers_at_once_claim_a_run_once(run):
    claimed: list[bool] = []
    barrier = threading.Barrier(6)

    def worker() -> None:
        mine = again(run)
        barrier.wait()
        claimed.append(mine.claim())
        connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert claimed.count(True) == 1


def test_a_run_whose_worker_died_is_claimed_again_and_the_old_worker_learns_it(run):
    old = again(run)
    old.claim()
    let_lease_lapse(run)
    assert again(run).claim()
    with pytest.raises(LeaseLost):
        old.report(done=1)
    assert not old.finish(Status.SUCCEEDED)


def test_work_that_ends_well_succeeds_with_its_last_progress(run):
    work_on(run, lambda claimed: claimed.report(done=3, total=3, phase="reading"))
    run = again(run)
    assert (run.status, run.percent, run.attempts) == (Status.SUCCEEDED, 100, 1)
    assert run.finished_at is not None


def test_an_error_that_people_can_act_on_is_kept_as_it_is(run):
    def work(claimed: GenerationRun) -> None:
        raise MemoError("Add a document first.")

    work_on(run, work)
    assert (again(run).status, again(run).error) == (Status.FAILED, "Add a document first.")


def test_an_unexpected_error_fails_the_run_with_its_kind(run, caplog):
    work_on(run, lambda claimed: 1 / 0)
    assert again(run).status == Status.FAILED
    assert "ZeroDivisionError" in again(run).error


def test_cancelling_a_running_run_stops_it_at_its_next_report(run):
    def work(claimed: GenerationRun) -> None:
        again(run).request_cancel()
        with pytest.raises(RunCancelled):
            claimed.report(done=1)
        raise RunCancelled

    work_on(run, work)
    assert again(run).status == Status.CANCELLED


def test_cancelling_a_queued_run_ends_it_at_once_and_it_is_never_worked_on(run):
    run.request_cancel()
    work_on(again(run), lambda claimed: pytest.fail("worked on a cancelled run"))
    assert again(run).status == Status.CANCELLED


def test_a_run_that_is_over_cannot_be_cancelled(run):
    work_on(run, lambda claimed: None)
    with pytest.raises(Conflict, match="over already"):
        again(run).request_cancel()


def test_a_worker_that_shuts_down_gives_the_run_back(run):
    def work(claimed: GenerationRun) -> None:
        runs.shutting_down.set()
        with pytest.raises(RunInterrupted):
            claimed.report(done=1)
        raise RunInterrupted

    try:
        work_on(run, work)
    finally:
        runs.shutting_down.clear()
    assert (again(run).status, again(run).attempts) == (Status.QUEUED, 0)


def test_a_run_that_kills_its_worker_each_time_is_given_up_with_the_reason(run):
    for _ in range(runs.MAX_FRUITLESS):
        assert again(run).claim()
        let_lease_lapse(run)
    work_on(again(run), lambda claimed: pytest.fail("started once more"))
    assert again(run).status == Status.FAILED
    assert "Given up" in again(run).error


def test_the_heartbeat_keeps_the_lease_while_a_long_step_says_nothing(run, settings):
    settings.RUN_LEASE_SECONDS = 0.2
    run.claim()
    first = run.heartbeat_at
    with runs.heartbeat(run):
        wait_for_a_beat(run)
    assert again(run).heartbeat_at > first


def test_a_beat_that_the_database_refuses_is_followed_by_others(run, settings, monkeypatch, caplog):
    settings.RUN_LEASE_SECONDS = 0.2
    run.claim()
    refusals = iter([OperationalError("the server closed the connection"), OperationalError("locked")])

    def refuse_twice() -> None:
        for error in refusals:
            raise error

    monkeypatch.setattr(runs, "close_old_connections", refuse_twice)
    with runs.heartbeat(run):
        wait_for_a_beat(run)
    assert caplog.text.count("could not be renewed") == 2


def wait_for_a_beat(run: GenerationRun) -> None:
    first, pause = run.heartbeat_at, threading.Event()
    deadline = time.monotonic() + 60
    while again(run).heartbeat_at == first:
        assert time.monotonic() < deadline, "the heart stood still"
        pause.wait(0.02)


def test_stranded_runs_are_sent_again_and_healthy_ones_are_not(run, sent):
    requeue_stranded()
    assert sent == [run.pk]
    again(run).claim()
    requeue_stranded()
    assert sent == [run.pk]
    let_lease_lapse(run)
    requeue_stranded()
    assert sent == [run.pk, run.pk]


def test_a_run_that_was_sent_a_moment_ago_is_not_sent_twice(run, sent):
    GenerationRun.objects.filter(pk=run.pk).update(sent_at=timezone.now())
    assert requeue_stranded() == 0
    assert requeue_stranded(even_if_just_sent=True) == 1


def test_a_broker_that_is_down_loses_nothing(run, monkeypatch):
    from kombu.exceptions import OperationalError

    def refuse(*args: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("memosite.runs.current_app.send_task", refuse)
    run.enqueue()
    assert again(run).status == Status.QUEUED
