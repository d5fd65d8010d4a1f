"""What a start does not complain about, and what it still does."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator

import pytest
from celery.exceptions import SecurityError, SecurityWarning
from celery.platforms import check_privileges
from celery.signals import celeryd_init
from kombu import Connection

from memosite import broker, worker


@pytest.fixture
def started_by_root(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The moment at which a worker looks who runs it; every warning is an error."""
    for name in ("getuid", "geteuid", "getgid", "getegid"):
        monkeypatch.setattr(os, name, lambda: 0)
    monkeypatch.delenv("C_FORCE_ROOT", raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        worker.accept_superuser()
        yield


def test_a_worker_of_root_starts_without_a_warning(started_by_root: None) -> None:
    check_privileges({"json"})


def test_the_worker_asks_for_that_before_it_looks_who_runs_it() -> None:
    assert worker.accept_superuser in [receiver() for _, receiver in celeryd_init.receivers]


def test_other_warnings_of_the_worker_are_still_given(started_by_root: None) -> None:
    with pytest.raises(SecurityWarning, match="potential security issue"):
        warnings.warn(SecurityWarning("We're assuming this is a potential security issue."), stacklevel=1)


def test_a_worker_of_root_still_refuses_pickled_messages(started_by_root: None) -> None:
    with pytest.raises(SecurityError):
        check_privileges({"pickle"})


def test_the_folder_broker_has_an_address_that_kombu_does_not_warn_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker.register()
    with caplog.at_level(logging.WARNING), Connection(broker.URL) as connection:
        connection.info()
        connection.as_uri()
    assert caplog.records == []
