"""Memories are loaded once, already while somebody types, and never dropped under a running chat."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from tests.factories import MemoryVersionFactory
from tests.fakes import ScriptedMemory
from training import serving
from training.engine.errors import BadArtifact
from training.serving import Memories

pytestmark = pytest.mark.django_db


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were loaded, in order."""
    loaded: list[str] = []

    def load(path: str, sha256: str) -> Any:
        loaded.append(path)
        if path == "broken":
            raise BadArtifact("It was altered.")
        return ScriptedMemory({})

    monkeypatch.setattr(serving, "_load", load)
    monkeypatch.setattr(serving, "_memories", Memories(limit=2))
    return loaded


@pytest.mark.django_db(transaction=True)
def test_a_memory_is_loaded_in_advance_in_a_thread_of_its_own(loads: list[str]) -> None:
    serving.load_in_advance(MemoryVersionFactory(path="one"))
    for thread in threading.enumerate():
        if thread.name == serving.LOADER:
            thread.join(timeout=10)
    assert loads == ["one"]


def test_an_artifact_that_cannot_be_loaded_is_told_by_whoever_asks(loads: list[str]) -> None:
    version = MemoryVersionFactory(path="broken")
    serving._try_to_load(version)
    with pytest.raises(BadArtifact):
        serving.memory_for(version)


def test_a_version_is_loaded_once(loads: list[str]) -> None:
    version = MemoryVersionFactory(path="one")
    assert serving.memory_for(version) is serving.memory_for(version)
    assert loads == ["one"]


def test_the_least_recently_used_memory_is_given_up_when_there_are_too_many(loads: list[str]) -> None:
    one, two, three = (MemoryVersionFactory(path=path) for path in ("one", "two", "three"))
    for version in (one, two, one, three):
        serving.memory_for(version)
    gc.collect()
    serving.memory_for(one)
    serving.memory_for(two)
    assert loads == ["one", "two", "three", "two"]


def test_a_memory_that_is_answering_a_chat_is_neither_dropped_nor_loaded_a_second_time(
    loads: list[str],
) -> None:
    versions = [MemoryVersionFactory(path=path) for path in ("one", "two", "three")]
    held = serving.memory_for(versions[0])  # as a running turn holds it
    for version in versions[1:]:
        serving.memory_for(version)
    gc.collect()
    assert serving.memory_for(versions[0]) is held
    assert loads == ["one", "two", "three"]
