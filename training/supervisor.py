"""The work of a TrainingRun: a training engine in a process of its own, watched and recorded.

The engine writes its state into the run's folder, so a run whose worker or engine was killed goes on from the
last checkpoint. The folder becomes the artifact of the version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from knowledge.models import Reflection
from memosite.runs import RunCancelled
from training.charts.curve import RECALLS
from training.continuing import Continued, trainable_pairs
from training.engine.artifact import MANIFEST
from training.engine.pairs import Pair, write_pairs
from training.engine_process import Event, engine_command, follow_engine
from training.launching import free_on_devices, launched, must_be_spread, processes
from training.models import BaseModel, MemoryVersion, TrainingRun, VersionKind
from training.plans import config_of, values_of
from training.rebuilding import keep_source_pairs, perform_rebuild
from training.registering import Origin, register_version
from training.registry import remove_work
from training.services import offer

CURVE_POINTS = 300


def perform_training(run: TrainingRun) -> None:
    """Train a version, register it, and make it live if the run says so. Every step can be repeated safely."""
    try:
        _perform(run)
    except RunCancelled:
        if run.version is None:  # nobody goes on from its checkpoint, which may take many gigabytes
            remove_work(run)
        raise


def _perform(run: TrainingRun) -> None:
    if run.rebuilds_id or run.rebuilt_same is not None:
        perform_rebuild(run, lambda pairs: _follow_engine(run, _engine_command(run, pairs)))
        return
    version = run.version
    if version is None:
        run.report(phase="preparing", total=run.total)
        pairs = _write_pairs(run)
        _follow_engine(run, _engine_command(run, pairs))
        keep_source_pairs(pairs, run.folder)
        if run.continues and "forgotten" not in run.result:
            _tell_forgotten(run, run.continues)
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
    write_pairs(unfinished, _pairs_for(run))
    unfinished.replace(path)
    return path


def _pairs_for(run: TrainingRun) -> Iterable[Pair]:
    """All approved pairs; of a continued training those that are new, and a sample of those that it knows."""
    if run.continues is None:
        return trainable_pairs(run.corpus)
    lesson = Continued(run.continues).lesson(run.corpus, run.replay_share, int(values_of(run).get("seed", 1)))
    run.add_log(
        f"{len(lesson.new):,} pairs are new to {run.continues}, {len(lesson.replayed):,} are replayed."
    )
    _keep(run, {"new_pairs": len(lesson.new), "replayed_pairs": len(lesson.replayed)})
    return lesson


def _engine_command(run: TrainingRun, pairs: Path) -> list[str]:
    """The engine's command. The configuration is fixed at the first start, as the pairs are."""
    config = pairs.with_suffix(".config.json")
    if not config.exists():
        unfinished = config.with_suffix(".tmp")
        unfinished.write_text(json.dumps(values_of(run)))
        unfinished.replace(config)
    return [
        *launched("train", processes(), is_spread=_is_spread(run)),
        "--pairs",
        str(pairs),
        "--output",
        str(run.folder),
        "--config",
        str(config),
    ]


def _is_spread(run: TrainingRun) -> bool:
    """Whether the weights are spread over the devices: decided at the first start, as checkpoints are made so."""
    if "is_spread" not in run.result:
        model = run.continues or run.base_model
        parameters, config = model.parameters if model else None, config_of(run)
        is_spread = bool(parameters and config and must_be_spread(parameters, config, free_on_devices()))
        _keep(run, {"is_spread": is_spread})
    return bool(run.result["is_spread"])


def _tell_forgotten(run: TrainingRun, old: MemoryVersion) -> None:
    """Ask the old version's questions before and after, and keep the figures in the run."""

    def record(event: Event) -> None:
        if event.get("event") == "forgotten":
            _keep(run, {"forgotten": event["result"]})
        run.report(**({"phase": "looking for what was forgotten"} if event else {}))

    command = [*engine_command("forgetting"), "--before", str(old.folder), "--after", str(run.folder)]
    follow_engine(command, run.folder.with_suffix(".log"), record)


def _follow_engine(run: TrainingRun, command: list[str]) -> None:
    """Forward the engine's events to the run until it ends. Raises EngineFailed, or what ``report`` raises."""

    def record(event: Event) -> None:
        if event.get("event") == "started":
            run.add_log(in_words(event))
            _keep(run, {"left_out": event["left_out"], "started": event})
        if event.get("event") == "skipped":
            _keep(run, {"too_long": list(event["ids"]), "max_tokens": event["max_tokens"]})
            run.add_log(
                f"{len(event['ids']):,} pairs are longer than {event['max_tokens']:,} tokens and left out."
            )
        run.report(**_progress(run, event))

    follow_engine(command, run.folder.with_suffix(".log"), record)


def _keep(run: TrainingRun, found: Event) -> None:
    run.report(result={**run.result, **found})


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
        for name in ("step", "loss", "tokens_per_second", *RECALLS)
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


def _register_version(run: TrainingRun) -> MemoryVersion:
    """Make the version row of the run's artifact, with the exact pairs it saw.

    A continued version also has the pairs of the one that it goes on from, as it knows them: the engine keeps
    them in the artifact.
    """
    old = run.continues
    base = old.base_model if old else run.base_model
    _pin(base, json.loads((run.folder / MANIFEST).read_text(encoding="utf-8")))
    corpora = {run.corpus, *run.corpora.all(), *(old.corpora.all() if old else ())}
    known = set(Reflection.objects.filter(corpus__in=corpora).values_list("pk", flat=True))

    def reflection_of(pair: Event) -> int | None:
        number = str(pair["id"]).removesuffix("-replayed")
        return int(number) if number.isdecimal() and int(number) in known else None

    origin = Origin(
        VersionKind.TRAINED,
        corpora,
        reflection_of,
        base,
        licence=old.licence if old and not base else "",
        parents=[old] if old else [],
    )
    return register_version(run, origin)


def _pin(base: BaseModel | None, manifest: Event) -> None:
    """Keep the revision that the first training from a base found."""
    found = (manifest.get("base_model") or {}).get("revision")
    if base is None or base.is_built_in or base.revision or not found:
        return
    others = BaseModel.objects.filter(source=base.source, location=base.location, revision=found)
    if not others.exists():
        base.revision = found
        base.save(update_fields=["revision"])
