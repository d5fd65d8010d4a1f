"""Memories are loaded once, and already while somebody is typing the first question."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.factories import MemoryVersionFactory
from training import serving
from training.engine.errors import BadArtifact

pytestmark = pytest.mark.django_db


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were loaded, in order."""
    loaded: list[str] = []

    def load(path: str, sha256: str) -> Any:
        loaded.append(path)
        if path == "broken":
            raise BadArtifact("It was altered.")
        return object()

    monkeypatch.setattr(serving, "_load", load)
    return loaded


def join_loader() -> None:
    for thread in threading.enumerate():
        if thread.name == serving.LOADER:
            thread.join(timeout=10)


def test_a_memory_is_loaded_in_advance_in_a_thread_of_its_own(loads: list[str]) -> None:
    serving.load_in_advance(MemoryVersionFactory(path="one"))
    join_loader()
    assert loads == ["one"]


def test_an_artifact_that_cannot_be_loaded_is_told_by_whoever_asks(loads: list[str]) -> None:
    version = MemoryVersionFactory(path="broken")
    serving.load_in_advance(version)
    join_loader()
    with pytest.raises(BadArtifact):
        serving.memory_for(version)
