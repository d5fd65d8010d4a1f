"""The memories that this process answers with. The one door to torch outside the training process."""

from __future__ import annotations

import gc
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from django.conf import settings
from django.db import connection

from memosite.endpoints import settings_of
from memosite.errors import MemoError, Unavailable
from memosite.interpreter import leave_what_stays_to_itself
from memosite.llm import EndpointSettings
from training.memory import Memory
from training.microbatch import Limits, MicroBatcher
from training.models import MemoryVersion, ServedVersion
from training.remote import RemoteMemory

LOADED_AT_ONCE = 8
LOADER = "memory loader"


class NoManifest(Unavailable):
    """The version's folder cannot be read."""

    code = "no_manifest"


class Memories:
    """Memories by what they were loaded from, the least recently used given up first.

    What is given up while somebody still asks it lives on until they are done, and is found again by others
    meanwhile: nothing is dropped under a running chat or held in memory twice.
    """

    def __init__(self, limit: int = LOADED_AT_ONCE) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, Memory] = OrderedDict()
        self._alive: WeakValueDictionary[Hashable, Memory] = WeakValueDictionary()
        self._looking, self._loading = threading.Lock(), threading.Lock()

    def get(self, key: Hashable, load: Callable[[], Memory]) -> Memory:
        """The memory under ``key``, loaded if there is none. One is loaded at a time."""
        if found := self._find(key):
            return found
        with self._loading:
            if found := self._find(key):
                return found
            found = self._keep(key, load())
            gc.collect()
            gc.freeze()
            return found

    def holds(self, key: Hashable) -> bool:
        """Whether the memory under ``key`` is loaded."""
        return self._find(key) is not None

    def _find(self, key: Hashable) -> Memory | None:
        with self._looking:
            found = self._alive.get(key)
            if found is not None:
                self._touch(key, found)
            return found

    def _keep(self, key: Hashable, memory: Memory) -> Memory:
        with self._looking:
            self._alive[key] = memory
            self._touch(key, memory)
        return memory

    def _touch(self, key: Hashable, memory: Memory) -> None:
        self._kept[key] = memory
        self._kept.move_to_end(key)
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)


_memories = Memories()
#: What a thread is loading in advance.
_on_the_way: set[Hashable] = set()


def memory_for(version: MemoryVersion) -> Memory:
    """The version's MEMORY, loaded at its first question. Versions are immutable, so it never goes stale.

    A version that an endpoint serves is asked there, any other in this process. Whoever holds the MEMORY may go
    on asking it, whatever the aliases point at by then. Raises a MemoError when the artifact is missing or was
    altered, or the endpoint has no key.
    """
    return _memories.get(*_source_of(version))


def is_loaded(version: MemoryVersion) -> bool:
    """Whether the version's MEMORY is in this process, so that ``memory_for`` returns at once.

    Raises a MemoError where an endpoint serves the version and has no key.
    """
    return _memories.holds(_local(version)) or _memories.holds(_source_of(version)[0])


def load_in_advance(version: MemoryVersion) -> None:
    """Begin to load the version's MEMORY in a thread of its own, while somebody is still typing.

    What goes wrong on the way is left to ``memory_for`` to tell. Where it is loaded, or being loaded, there is
    nothing to do. Raises a MemoError where an endpoint serves the version and has no key.
    """
    if _memories.holds(_local(version)):
        return
    key, load = _source_of(version)
    if key in _on_the_way or _memories.holds(key):
        return
    _on_the_way.add(key)
    threading.Thread(target=_load_in_thread, args=(key, load), name=LOADER, daemon=True).start()


def recall_limits() -> Limits:
    """How questions are gathered, as the site is set."""
    return Limits(
        rows=settings.RECALL_BATCH_ROWS,
        wait_ms=settings.RECALL_WAIT_MS,
        queue=settings.RECALL_QUEUE,
        kept=settings.RECALL_KEPT,
        seconds=settings.TURN_SECONDS,
    )


def _local(version: MemoryVersion) -> Hashable:
    return (version.path, version.sha256)


def _source_of(version: MemoryVersion) -> tuple[Hashable, Callable[[], Memory]]:
    """What names the version's MEMORY in this process, and how it is loaded. Raises NoKey."""
    served = ServedVersion.objects.filter(version=version).select_related("endpoint").first()
    if served is None:
        return _local(version), lambda: _load(version.path, version.sha256)
    endpoint = replace(settings_of(served.endpoint), model=served.model_name)
    return (version.sha256, endpoint), lambda: _connect(version, endpoint)


def _load_in_thread(key: Hashable, load: Callable[[], Memory]) -> None:
    try:
        with suppress(MemoError):
            _memories.get(key, load)
    finally:
        _on_the_way.discard(key)
        connection.close()  # this thread's own


def _load(path: str, sha256: str) -> Memory:
    from training.engine.recall import LocalMemory

    leave_what_stays_to_itself()  # of the engine; what is loaded after this may be collected again
    return MicroBatcher(LocalMemory.load(settings.MEMORY_DIR / path, sha256=sha256), recall_limits())


def _connect(version: MemoryVersion, endpoint: EndpointSettings) -> Memory:
    from training.engine.abstention import Abstention

    manifest = _manifest_of(version)
    abstention = Abstention.from_dict(manifest["abstention"])
    longest = min(endpoint.max_tokens, manifest["limits"]["answer_tokens"])
    return RemoteMemory(replace(endpoint, max_tokens=longest), abstention.judge, settings.RECALL_QUEUE)


def _manifest_of(version: MemoryVersion) -> dict[str, Any]:
    """The manifest alone, checked against the version's hash: the weights may be on the server only."""
    from training.engine.artifact import MANIFEST, overall_sha256

    try:
        manifest: dict[str, Any] = json.loads((version.folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NoManifest(f"The manifest of {version} cannot be read. Restore {version.folder}.") from error
    if overall_sha256(manifest) != version.sha256:
        raise NoManifest(f"The manifest of {version} was altered. Restore {version.folder}, or train anew.")
    return manifest
