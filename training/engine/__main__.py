"""The engine's command line: train, ask, inspect. Events go to standard output, words for people to stderr.

Exit codes: 0 done, 1 an error that was explained, 3 interrupted with a checkpoint saved.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from memosite.errors import MemoError
from training.engine.config import load_config
from training.engine.errors import Busy, Interrupted, Unwritable
from training.engine.events import Alive, Event, Failed, Phase
from training.engine.merge_command import add_commands
from training.engine.pairs import read_pairs
from training.engine.recipes import RECIPES

DONE, FAILED, INTERRUPTED = 0, 1, 3
GRACE_SECONDS = 20  # after its parent has died, a process that does not stop by itself is ended
ALIVE_SECONDS = 15.0  # between two signs of life
STUCK_SECONDS = 3600.0  # no step, no check and no download of a file takes so long


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except Interrupted as stopped:
        _say(str(stopped))
        return INTERRUPTED
    except MemoError as error:
        _say(str(error))
        if hasattr(options, "exit_with_parent"):
            Output().emit(Failed(str(error), error.code))
        return FAILED
    return code


def train(options: argparse.Namespace) -> int:
    """Train to the end, printing events."""
    output, stop = Output(), StopRequest(options.exit_with_parent)
    with output.signs_of_life():
        output.emit(Phase("preparing"))
        config = load_config(options.config, options.set, options.recipe)
        pairs = read_pairs(options.pairs)
        with alone_in(options.output):
            from training.engine.run import (
                train_memory,
            )  # torch takes seconds to import; errors need not wait

            for event in train_memory(pairs, options.output, config, lambda: stop.requested or output.closed):
                output.emit(event)
    return DONE


def with_events(
    work: Callable[[argparse.Namespace, Callable[[Event], None], Callable[[], bool]], None],
) -> Callable[[argparse.Namespace], int]:
    """A command of work that emits events and looks now and then whether it is to stop."""

    def command(options: argparse.Namespace) -> int:
        output, stop = Output(), StopRequest(options.exit_with_parent)
        writing = alone_in(options.output) if hasattr(options, "output") else nullcontext()
        with output.signs_of_life(), writing:
            work(options, output.emit, lambda: stop.requested or output.closed)
        return DONE

    return command


def forgetting(options: argparse.Namespace, emit: Callable[[Event], None], stop: Callable[[], bool]) -> None:
    """Compare two MEMORYs on the pairs of the first, emitting events."""
    from training.engine.retention import forgotten

    for event in forgotten(options.before, options.after, stop):
        emit(event)


def fit(options: argparse.Namespace, emit: Callable[[Event], None], stop: Callable[[], bool]) -> None:
    """Measure a MEMORY on pairs, emitting events."""
    pairs = read_pairs(options.pairs)
    from training.engine.fitting import fitted

    for event in fitted(options.model, pairs, stop):
        emit(event)


def ask(options: argparse.Namespace) -> int:
    """Put one question to a trained MEMORY."""
    from training.engine.recall import LocalMemory

    (answer,) = LocalMemory.load(options.model).answer([options.question])
    as_json = {"text": answer.text, "confidence": round(answer.confidence, 4), "known": answer.known}
    print(json.dumps(as_json, ensure_ascii=False) if options.json else answer.text)  # noqa: T201
    return DONE


def inspect(options: argparse.Namespace) -> int:
    """Print the manifest of a trained MEMORY after checking its files."""
    from training.engine.artifact import verify

    print(json.dumps(verify(options.model), indent=2, ensure_ascii=False))  # noqa: T201
    return DONE


class Output:
    """Standard output as a stream of events. ``closed`` once nobody reads it any more.

    Of several processes that train together (``accelerate launch``) only the first one speaks.
    """

    closed = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = time.monotonic()  # when it had something to say

    def emit(self, event: Event) -> None:
        if not is_first():
            return
        with self._lock:
            if not isinstance(event, Alive):
                self._last = time.monotonic()
            if not self.closed:
                self._print(json.dumps(event.as_dict(), ensure_ascii=False))

    def _print(self, line: str) -> None:
        try:
            print(line, flush=True)  # noqa: T201
        except BrokenPipeError:
            self.closed = True
            # Python flushes standard output once more at exit; give it somewhere to go
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    @contextmanager
    def signs_of_life(self, seconds: float = ALIVE_SECONDS) -> Iterator[None]:
        """Say so in between: one step of a large model, or the loading of its weights, may take minutes.

        After ``STUCK_SECONDS`` without anything else to say it stops: whoever listens takes it for stuck.
        """
        over = threading.Event()

        def tell() -> None:
            while not over.wait(seconds):
                if time.monotonic() - self._last < STUCK_SECONDS:
                    self.emit(Alive())

        thread = threading.Thread(target=tell, daemon=True)
        thread.start()
        try:
            yield
        finally:  # a thread that prints while Python shuts down would crash it
            over.set()
            thread.join()


def is_first() -> bool:
    """Whether this process is the only one that trains, or the first of them."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder against a second process that would write to it. Raises Busy, Unwritable.

    An engine whose parent was killed may need ``GRACE_SECONDS`` for its last step: the next one waits for it.
    """
    if not is_first():
        yield
        return
    folder = folder.resolve()
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=2 * GRACE_SECONDS)
    except Timeout as error:
        raise Busy(f"Another process works on {folder}. Wait for its end, or stop it.") from error
    except OSError as error:
        raise Unwritable(f"{folder.parent} cannot be written to: {error}. Choose another folder.") from error
    try:
        yield
    finally:
        lock.release()


class StopRequest:
    """Whether somebody wants the training to stop: a signal, or the end of the process that started it."""

    def __init__(self, exit_with_parent: bool) -> None:
        self.requested = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        if exit_with_parent:
            threading.Thread(target=self._wait_for_parent, daemon=True).start()

    def _on_signal(self, number: int, frame: Any) -> None:
        self.requested = True

    def _wait_for_parent(self) -> None:
        """The parent holds the other end of standard input, which closes however the parent dies."""
        while os.read(sys.stdin.fileno(), 4096):
            pass
        self.requested = True
        threading.Event().wait(GRACE_SECONDS)
        os._exit(INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.engine", description=__doc__)
    commands = parser.add_subparsers(required=True)

    one = commands.add_parser("train", help="train a MEMORY, or go on with an interrupted training")
    one.add_argument("--pairs", type=Path, required=True, help="JSON lines with id, question, answer, fact")
    one.add_argument("--output", type=Path, required=True, help="folder of the MEMORY")
    one.add_argument("--recipe", choices=list(RECIPES), help="preset that the configuration starts from")
    one.add_argument("--config", type=Path, help="YAML or JSON file with configuration keys")
    one.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="one configuration key")
    one.add_argument("--exit-with-parent", action="store_true", help="stop when standard input closes")
    one.set_defaults(command=train)

    one = commands.add_parser("ask", help="ask a trained MEMORY")
    one.add_argument("--model", type=Path, required=True, help="folder of the MEMORY")
    one.add_argument("question")
    one.add_argument("--json", action="store_true", help="print text, confidence and known as JSON")
    one.set_defaults(command=ask)

    one = commands.add_parser("inspect", help="check a MEMORY's files and print its manifest")
    one.add_argument("model", type=Path, help="folder of the MEMORY")
    one.set_defaults(command=inspect)

    one = commands.add_parser(
        "forgetting", help="what a MEMORY still recalls of the one that it goes on from"
    )
    one.add_argument("--before", type=Path, required=True, help="folder of the MEMORY gone on from")
    one.add_argument("--after", type=Path, required=True, help="folder of the one that goes on from it")
    one.add_argument("--exit-with-parent", action="store_true", help="stop when standard input closes")
    one.set_defaults(command=with_events(forgetting))
    one = commands.add_parser("fit", help="figures and a threshold of a MEMORY, measured on pairs")
    one.add_argument("--model", type=Path, required=True, help="folder of the MEMORY")
    one.add_argument("--pairs", type=Path, required=True, help="JSON lines with id, question, answer, fact")
    one.add_argument("--exit-with-parent", action="store_true", help="stop when standard input closes")
    one.set_defaults(command=with_events(fit))
    add_commands(commands, with_events)
    return parser


def _say(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
