"""Making the version row of a finished artifact, with the exact pairs that are in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction

from knowledge.models import Corpus, Reflection
from training.build_info import code_version, size_of
from training.engine.artifact import MANIFEST, PAIRS
from training.models import (
    BaseModel,
    MemoryVersion,
    MergeRun,
    TrainedPair,
    TrainingRun,
    VersionKind,
    pair_digest,
)
from training.registry import next_number

BATCH = 500
Pair = dict[str, Any]


@dataclass(frozen=True)
class Origin:
    """Where a run's version comes from. ``reflection_of`` tells the key of the row that a pair was made from."""

    kind: VersionKind
    corpora: Iterable[Corpus]
    reflection_of: Callable[[Pair], int | None]
    base_model: BaseModel | None = None
    licence: str = ""
    parents: Iterable[MemoryVersion] = ()


@transaction.atomic
def register_version(run: TrainingRun | MergeRun, origin: Origin) -> MemoryVersion:
    """Make the version of the run's finished folder: once, however often and by whichever workers it is called."""
    Corpus.objects.select_for_update().get(pk=run.corpus_id)
    if made := MemoryVersion.objects.filter(corpus=run.corpus, path=run.folder_name).first():
        run.version = made
        return made
    manifest = json.loads((run.folder / MANIFEST).read_text(encoding="utf-8"))
    version = MemoryVersion.objects.create(
        corpus=run.corpus,
        number=next_number(run.corpus),
        kind=origin.kind,
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
        base_model=origin.base_model,
        licence=origin.licence or (origin.base_model.licence if origin.base_model else ""),
        created_by=run.created_by,
    )
    version.corpora.set(origin.corpora)
    version.parents.set(origin.parents)
    add_pairs(version, run.folder / PAIRS, origin.reflection_of)
    seen = version.pairs.exclude(reflection=None).values("reflection")
    Reflection.objects.filter(pk__in=seen).update(trained=True)
    run.version = version
    run.save(update_fields=["version"])
    return version


def add_pairs(
    version: MemoryVersion, file: Path, reflection_of: Callable[[Pair], int | None] = lambda pair: None
) -> None:
    """Keep the pairs of an artifact's file as the version's own."""
    with file.open(encoding="utf-8") as lines:
        rows = (_trained_pair(version, pair, reflection_of(pair)) for pair in map(json.loads, lines))
        while some := list(islice(rows, BATCH)):
            TrainedPair.objects.bulk_create(some)


def _trained_pair(version: MemoryVersion, pair: Pair, reflection: int | None) -> TrainedPair:
    question, answer = str(pair["question"]), str(pair["answer"])
    return TrainedPair(
        version=version,
        reflection_id=reflection,
        question=question,
        answer=answer,
        digest=pair_digest(question, answer),
        held_out=bool(pair["held_out"]),
    )
