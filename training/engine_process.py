"""A training engine in a process of its own: started, listened to, and never left behind.

The engine writes its state to the disk, so the same command goes on where a killed one left off.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from memosite.errors import MemoError

SILENCE_SECONDS = 180  # an engine that gives no sign of life for so long hangs
INTERRUPTED = 3  # the engine's exit code after it saved its state and stopped
Event = dict[str, Any]


class EngineFailed(MemoError):
    """The training engine ended with an error, or not at all."""

    code = "training_failed"


def engine_command(name: str) -> list[str]:
    """How a command of the engine begins: by this Python, and ended with this process."""
    return [sys.executable, "-m", "training.engine", name, "--exit-with-parent"]


def follow_engine(command: list[str], log: Path, record: Callable[[Event], None]) -> None:
    """Run the engine's command to its end; ``record`` gets each event, and an empty one each silent second.

    Raises EngineFailed, or what ``record`` raises: then the engine is stopped, having saved its state.
    """
    failure = ""
    with _engine(command, log) as (process, events):
        for event in events:
            failure = event.get("message", failure) if event.get("event") == "error" else failure
            record(event)
        code = process.wait()
    if code == INTERRUPTED:
        raise EngineFailed("The training engine was stopped from outside. Start the run again to go on.")
    if code:
        raise EngineFailed(failure or f"The training engine died (exit code {code}); its log says more.")


@contextmanager
def _engine(command: list[str], log: Path) -> Iterator[tuple[subprocess.Popen[str], Iterator[Event]]]:
    """Start the engine; on leaving, however that happens, it is stopped and has saved a checkpoint.

    Its standard input stays open as long as this process lives: the engine stops by itself when it closes.
    """
    with log.open("a", encoding="utf-8") as stderr:
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            command,
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        try:
            yield process, _events(process)
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()


def _events(process: subprocess.Popen[str]) -> Iterator[Event]:
    """The engine's events, and an empty one each second without any, so that the caller can look around."""
    lines: queue.Queue[str | None] = queue.Queue()
    assert process.stdout is not None  # noqa: S101 - it was opened as a pipe
    threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
    last_heard = time.monotonic()
    while True:
        try:
            line = lines.get(timeout=1)
        except queue.Empty:
            if time.monotonic() - last_heard > SILENCE_SECONDS:
                raise EngineFailed(
                    f"The training engine gave no sign of life for {SILENCE_SECONDS} s."
                ) from None
            yield {}
            continue
        if line is None:
            return
        last_heard = time.monotonic()
        if line.startswith("{"):  # a launcher may say something of its own
            yield json.loads(line)


def _pump(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    try:
        for line in stream:
            lines.put(line)
    except ValueError:  # the stream was closed under us: the run is being stopped
        pass
    lines.put(None)
