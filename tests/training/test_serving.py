"""Memories are loaded once, already while somebody types, and never dropped under a running chat."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from memosite.models import EndpointRole
from tests.factories import EndpointFactory, MemoryVersionFactory
from tests.fakes import ScriptedMemory
from training import serving
from training.engine.errors import BadArtifact
from training.models import ServedVersion
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


def loaders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == serving.LOADER]


def wait_for_loaders() -> None:
    for thread in loaders():
        thread.join(timeout=10)


@pytest.mark.django_db(transaction=True)
def test_a_memory_is_loaded_in_advance_in_a_thread_of_its_own(loads: list[str]) -> None:
    serving.load_in_advance(MemoryVersionFactory(path="one"))
    wait_for_loaders()
    assert loads == ["one"]


@pytest.mark.django_db(transaction=True)
def test_an_artifact_that_cannot_be_loaded_is_told_by_whoever_asks(loads: list[str]) -> None:
    version = MemoryVersionFactory(path="broken")
    serving.load_in_advance(version)
    wait_for_loaders()
    with pytest.raises(BadArtifact):
        serving.memory_for(version)
    assert loads == ["broken", "broken"]


@pytest.mark.django_db(transaction=True)
def test_one_thread_loads_a_memory_however_many_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on = threading.Event()
    monkeypatch.setattr(serving, "_memories", Memories())
    monkeypatch.setattr(serving, "_load", lambda *_: may_go_on.wait(10) and ScriptedMemory({}))
    version = MemoryVersionFactory(path="one")
    for _ in range(3):
        serving.load_in_advance(version)
    assert len(loaders()) == 1
    may_go_on.set()
    wait_for_loaders()
    assert serving.is_loaded(version)


@pytest.mark.parametrize("is_served", [False, True], ids=["here", "at an endpoint"])
def test_for_a_memory_that_is_there_no_thread_is_started(
    loads: list[str], monkeypatch: pytest.MonkeyPatch, is_served: bool
) -> None:
    monkeypatch.setattr(serving, "_connect", lambda version, endpoint: ScriptedMemory({}))
    version = MemoryVersionFactory(path="one")
    if is_served:
        endpoint = EndpointFactory(role=EndpointRole.MEMORY)
        ServedVersion.objects.create(version=version, endpoint=endpoint, model_name="handbook")
    assert not serving.is_loaded(version)
    serving.memory_for(version)
    assert serving.is_loaded(version)
    monkeypatch.setattr(threading, "Thread", None)  # none can be made
    serving.load_in_advance(version)


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
