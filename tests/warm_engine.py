"""Engines in processes that start at once, for tests of what an engine does and not of how it is started.

They are forked from a process that has loaded torch and the engine, which takes a fresh one most of its seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    ["training.engine.__main__", "training.engine.run", "training.engine.merge", "peft"]
)


class WarmEngine:
    """As much of ``subprocess.Popen`` as is used on an engine. ``command`` is that of a fresh one."""

    stdin: IO[str]
    stdout: IO[str]

    def __init__(self, command: list[str], *, stderr: IO[str], cwd: Path | None = None, **_: Any) -> None:
        assert command[:3] == [sys.executable, "-m", "training.engine"], command
        their_input, our_end = _PROCESSES.Pipe(duplex=False)
        our_output, their_output = _PROCESSES.Pipe(duplex=False)
        their_errors = Connection(os.dup(stderr.fileno()), readable=False)
        theirs = (their_input, their_output, their_errors)
        self._process = _PROCESSES.Process(target=_be_engine, args=(command[3:], cwd, *theirs))
        self._process.start()
        self.stdin = os.fdopen(os.dup(our_end.fileno()), "w")
        self.stdout = os.fdopen(os.dup(our_output.fileno()))
        for end in (*theirs, our_end, our_output):
            end.close()

    def __enter__(self) -> WarmEngine:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdin, self.stdout):
            with suppress(BrokenPipeError):
                stream.close()
        self.wait()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("engine", timeout or 0)
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def _be_engine(arguments: list[str], folder: Path | None, *streams: Connection) -> None:
    """The engine's command line in a process that was just forked: its streams are those of a fresh one."""
    from training.engine.__main__ import main

    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - multiprocessing has put nothing in its place
    if folder:
        os.chdir(folder)
    sys.exit(main(arguments))
