"""The indexes that a process keeps: those used last, as many pairs as it may hold."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from chat.evidence.index import PairIndex


class Shelf:
    """Indexes by key. What was not used for longest goes first once all together hold more than ``most`` pairs.

    Threads that want the same index build it once. The index used last always stays, however large.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, PairIndex] = OrderedDict()
        self._building: dict[Hashable, Lock] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, build: Callable[[], PairIndex]) -> PairIndex:
        """The index of the key, built if it is not there. Raises what ``build`` raises."""
        index = self._look_up(key)
        if index is not None:
            return index
        with self._lock:
            building = self._building.setdefault(key, Lock())
        try:
            with building:
                index = self._look_up(key)
                return index if index is not None else self._keep(key, build())
        finally:
            with self._lock:
                self._building.pop(key, None)

    def _look_up(self, key: Hashable) -> PairIndex | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: Hashable, index: PairIndex) -> PairIndex:
        with self._lock:
            self._kept[key] = index
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > self._most:
                self._kept.popitem(last=False)
        return index
