"""The memories that this process has loaded. The one door to torch outside the training process."""

from __future__ import annotations

import threading
from functools import lru_cache

from django.conf import settings

from training.memory import Memory
from training.models import MemoryVersion

LOADED_AT_ONCE = 8
_loading = threading.Lock()


def memory_for(version: MemoryVersion) -> Memory:
    """The version's MEMORY, loaded at its first question. Versions are immutable, so it never goes stale.

    Raises a MemoError when the artifact is missing or was altered.
    """
    with _loading:
        return _load(version.path, version.sha256)


@lru_cache(maxsize=LOADED_AT_ONCE)
def _load(path: str, sha256: str) -> Memory:
    from training.engine.recall import LocalMemory

    return LocalMemory.load(settings.MEMORY_DIR / path, sha256=sha256)
