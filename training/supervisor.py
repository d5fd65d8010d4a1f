"""The work of a TrainingRun: a training engine in a process of its own, watched and recorded.

The engine writes its state into the run's folder, so a run whose worker or engine was killed goes on from the
last checkpoint. The folder becomes the artifact of the version.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from knowledge.models import Reflection
from memosite.errors import MemoError
from training.models import MemoryVersion, TrainedPair, TrainingRun
from training.services import promote

SILENCE_SECONDS = 180  # an engine that says nothing for so long hangs
INTERRUPTED = 3  # the engine's exit code after it saved a checkpoint and stopped
BATCH = 500
CURVE_POINTS = 300
Event = dict[str, Any]


class EngineFailed(MemoError):
    """The training engine ended with an error, or not at all."""

    code = "training_failed"


def perform_training(run: TrainingRun) -> None:
    """Train a version, register it, and make it live if the run says so. Every step can be repeated safely."""
    version = run.version
    if version is None:
        run.report(phase="preparing", total=run.total)
        pairs = _write_pairs(run)
        _follow_engine(run, _engine_command(run, pairs))
        version = _register_version(run)
    if run.go_live and not version.is_live:
        run.report(phase="going live")
        promote(version, run.created_by, reason=f"Training run {run.pk} asked for it")


def _write_pairs(run: TrainingRun) -> Path:
    """Fix the pairs of the run at its first start; a resumed run trains on the very same file."""
    path = run.folder.with_suffix(".pairs.jsonl")
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("w", encoding="utf-8") as file:
        for row in run.corpus.reflections.trainable().order_by("pk"):
            line = {"id": str(row.pk), "question": row.question, "answer": row.answer, "fact": row.fact}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    unfinished.replace(path)
    return path


def _engine_command(run: TrainingRun, pairs: Path) -> list[str]:
    config = pairs.with_suffix(".config.json")
    config.write_text(json.dumps(run.config))
    engine = [sys.executable, "-m", "training.engine", "train", "--exit-with-parent"]
    return [*engine, "--pairs", str(pairs), "--output", str(run.folder), "--config", str(config)]


def _follow_engine(run: TrainingRun, command: list[str]) -> None:
    """Forward the engine's events to the run until it ends. Raises EngineFailed, or what ``report`` raises."""
    with _engine(command, run.folder.with_suffix(".log")) as (process, events):
        failure = ""
        for event in events:
            failure = event.get("message", failure) if event.get("event") == "error" else failure
            if event.get("event") == "started":
                run.add_log(in_words(event))
            run.report(**_progress(run, event))
        code = process.wait()
    if code == INTERRUPTED:
        raise EngineFailed("The training engine was stopped from outside. Start the training again to go on.")
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
                raise EngineFailed(f"The training engine said nothing for {SILENCE_SECONDS} s.") from None
            yield {}
            continue
        if line is None:
            return
        last_heard = time.monotonic()
        yield json.loads(line)


def _pump(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    try:
        for line in stream:
            lines.put(line)
    except ValueError:  # the stream was closed under us: the run is being stopped
        pass
    lines.put(None)


def in_words(started: Event) -> str:
    """One line about what a training begins with, or from where it goes on."""
    if started.get("resumed_at"):
        return f"Resumed from the checkpoint at step {started['resumed_at']:,}."
    return (
        f"{started['parameters']:,} parameters, {started['pairs']:,} pairs about {started['facts']:,} facts; "
        f"{started['held_out']:,} wordings held out, {started['left_out']:,} contradicting pairs left out."
    )


def _progress(run: TrainingRun, event: Event) -> Event:
    """The run's fields that an engine event changes."""
    if event.get("event") == "phase":
        return {"phase": str(event["phase"])[:60]}
    if event.get("event") != "progress":
        return {}
    point = {
        name: event[name]
        for name in ("step", "loss", "recall", "held_out_recall")
        if event.get(name) is not None
    }
    return {
        "phase": "training",
        "done": event["step"],
        "total": event["steps"],
        "seconds_left": event.get("seconds_left"),
        "curve": thinned([*run.curve, point]),
    }


def thinned(points: list[Event]) -> list[Event]:
    """At most ``CURVE_POINTS`` points: beyond that every other one goes, measured recall is kept."""
    if len(points) <= CURVE_POINTS:
        return points
    return [point for place, point in enumerate(points) if place % 2 == 0 or "recall" in point]


@transaction.atomic
def _register_version(run: TrainingRun) -> MemoryVersion:
    """Make the version row of the run's artifact, with the exact pairs it saw."""
    manifest = json.loads((run.folder / "manifest.json").read_text())
    latest = MemoryVersion.objects.filter(corpus=run.corpus).aggregate(Max("number"))["number__max"]
    version = MemoryVersion.objects.create(
        corpus=run.corpus,
        number=(latest or 0) + 1,
        base=manifest["base"],
        method=manifest["method"],
        config=manifest["config"],
        metrics=manifest["metrics"],
        path=run.folder_name,
        sha256=manifest["sha256"],
    )
    known = set(run.corpus.reflections.values_list("pk", flat=True))
    with (run.folder / "pairs.jsonl").open(encoding="utf-8") as file:
        rows = [_trained_pair(version, json.loads(line), known) for line in file]
    TrainedPair.objects.bulk_create(rows, batch_size=BATCH)
    seen = version.pairs.exclude(reflection=None).values("reflection")
    Reflection.objects.filter(pk__in=seen).update(trained=True)
    run.version = version
    run.save(update_fields=["version"])
    return version


def _trained_pair(version: MemoryVersion, pair: Event, known: set[int]) -> TrainedPair:
    reflection = int(pair["id"])
    return TrainedPair(
        version=version,
        reflection_id=reflection if reflection in known else None,
        question=pair["question"],
        answer=pair["answer"],
        held_out=pair["held_out"],
    )
