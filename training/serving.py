"""The memories that this process has loaded. The one door to torch outside the training process."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import lru_cache

from django.conf import settings

from memosite.errors import MemoError
from training.memory import Memory
from training.models import MemoryVersion

LOADED_AT_ONCE = 8
LOADER = "memory loader"
_loading = threading.Lock()


def memory_for(version: MemoryVersion) -> Memory:
    """The version's MEMORY, loaded at its first question. Versions are immutable, so it never goes stale.

    Raises a MemoError when the artifact is missing or was altered.
    """
    with _loading:
        return _load(version.path, version.sha256)


def load_in_advance(version: MemoryVersion) -> None:
    """Begin to load the version's MEMORY in a thread of its own, while somebody is still typing.

    What goes wrong is left to ``memory_for`` to tell.
    """
    work = threading.Thread(
        target=_try_to_load, args=(version.path, version.sha256), name=LOADER, daemon=True
    )
    work.start()


def _try_to_load(path: str, sha256: str) -> None:
    with _loading, suppress(MemoError):
        _load(path, sha256)


@lru_cache(maxsize=LOADED_AT_ONCE)
def _load(path: str, sha256: str) -> Memory:
    from training.engine.recall import LocalMemory

    return LocalMemory.load(settings.MEMORY_DIR / path, sha256=sha256)
