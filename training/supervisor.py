"""The work of a TrainingRun: a training engine in a process of its own, watched and recorded.

The engine writes its state into the run's folder, so a run whose worker or engine was killed goes on from the
last checkpoint. The folder becomes the artifact of the version.
"""

from __future__ import annotations

import json
from pathlib import Path

from django.db import transaction

from knowledge.models import Reflection
from training.engine_process import Event, engine_command, follow_engine
from training.models import MemoryVersion, TrainedPair, TrainingRun, pair_digest
from training.provenance import code_version, size_of
from training.rebuilding import keep_source_pairs, perform_rebuild
from training.registry import next_number
from training.services import offer

BATCH = 500
CURVE_POINTS = 300


def perform_training(run: TrainingRun) -> None:
    """Train a version, register it, and make it live if the run says so. Every step can be repeated safely."""
    if run.rebuilds_id or run.rebuilt_same is not None:
        perform_rebuild(run, lambda pairs: _follow_engine(run, _engine_command(run, pairs)))
        return
    version = run.version
    if version is None:
        run.report(phase="preparing", total=run.total)
        pairs = _write_pairs(run)
        _follow_engine(run, _engine_command(run, pairs))
        keep_source_pairs(pairs, run.folder)
        version = _register_version(run)
    run.report(phase="going live" if run.go_live else "moving the candidate")
    reason = f"Training run {run.pk} {'asked for it' if run.go_live else 'made it'}"
    if told := offer(version, run.created_by, go_live=run.go_live, reason=reason):
        run.add_log(told)


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
    return [
        *engine_command("train"),
        "--pairs",
        str(pairs),
        "--output",
        str(run.folder),
        "--config",
        str(config),
    ]


def _follow_engine(run: TrainingRun, command: list[str]) -> None:
    """Forward the engine's events to the run until it ends. Raises EngineFailed, or what ``report`` raises."""

    def record(event: Event) -> None:
        if event.get("event") == "started":
            run.add_log(in_words(event))
        run.report(**_progress(run, event))

    follow_engine(command, run.folder.with_suffix(".log"), record)


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
    version = MemoryVersion.objects.create(
        corpus=run.corpus,
        number=next_number(run.corpus),
        base=manifest["base"],
        method=manifest["method"],
        config=manifest["config"],
        metrics=manifest["metrics"],
        path=run.folder_name,
        sha256=manifest["sha256"],
        data_sha256=manifest["data_sha256"],
        code_version=code_version(),
        parameters=manifest["metrics"].get("parameters"),
        size_bytes=size_of(run.folder),
        base_model=run.base_model,
        licence=run.base_model.licence if run.base_model else "",
        created_by=run.created_by,
    )
    version.corpora.add(run.corpus)
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
        digest=pair_digest(pair["question"], pair["answer"]),
        held_out=pair["held_out"],
    )
