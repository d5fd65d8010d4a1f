"""A Celery broker that is a folder, so that one machine needs no server. Set REDIS_URL to use Redis instead."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

SCHEME = "memosite-files"
URL = f"{SCHEME}://localhost"  # a folder has no host, but kombu warns of an address without one


class Channel(filesystem.Channel):
    """kombu's folder channel with files that appear whole or not at all.

    kombu writes in place, so a reader may see half a file, and a sender killed in between leaves an empty one
    that stops every later reader. Here each file is written under another name first and then moved.
    """

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        file = self._exchange_file(exchange)
        entry = [routing_key or "", pattern or "", queue or ""]
        table = [list(row) for row in self.get_table(exchange)]
        if entry not in table:
            self._write_whole(file, [entry, *table])

    def get_table(self, exchange: str) -> list[filesystem.exchange_queue_t]:
        try:
            rows = loads(self._exchange_file(exchange).read_text())
        except (FileNotFoundError, ValueError):
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:
        name = f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg"
        self._write_whole(Path(self.data_folder_out) / name, payload)

    def _get(self, queue: str) -> dict[str, Any]:
        for waiting in sorted(Path(self.data_folder_in).glob(f"[!.]*.{queue}.msg")):
            taken = Path(self.processed_folder) / waiting.name
            try:
                waiting.rename(taken)  # one reader wins; the others get an error and look further
            except OSError:
                continue
            content = taken.read_text()
            taken.unlink()
            return loads(content)
        raise Empty

    def _write_whole(self, target: Path, content: object) -> None:
        unfinished = target.with_name(f".{uuid.uuid4()}")
        try:
            unfinished.write_text(dumps(content))
            unfinished.replace(target)
        except OSError as error:
            raise ChannelError(f"Cannot write {target}") from error


class Transport(filesystem.Transport):
    Channel = Channel


def options(folder: Path) -> dict[str, Any]:
    """Transport options for a broker in ``folder``, which is made if need be."""
    folders = {
        "data_folder_in": folder / "messages",
        "data_folder_out": folder / "messages",
        "processed_folder": folder / "taken",
        "control_folder": folder / "queues",
    }
    for path in folders.values():
        path.mkdir(parents=True, exist_ok=True)
    return {
        **{name: str(path) for name, path in folders.items()},
        "polling_interval": 0.1,
    }


def register() -> None:
    """Let Celery find this transport under ``memosite-files://``."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
