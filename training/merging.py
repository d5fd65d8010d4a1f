"""Merging versions into a new one: checked at once, done by a training engine in a process of its own.

The engine writes whole tensors and its state into the run's folder: a merge that was killed goes on behind them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from knowledge.models import Corpus, Role
from memosite.errors import Conflict, NotAllowed
from memosite.people import account_of
from training.audience import require_audience
from training.engine.artifact import MANIFEST
from training.engine.merge_methods import BadMerge, options_for, used_options
from training.engine.merge_parents import open_parents, require_compatible
from training.engine_process import Event, engine_command, follow_engine
from training.exporting import ArtifactMissing
from training.models import MemoryVersion, MergeRun, TrainedPair, VersionKind
from training.registering import Origin, Pair, register_version
from training.registry import hold_versions
from training.services import offer


def start_merge(
    corpus: Corpus,
    parents: Sequence[MemoryVersion],
    method: str,
    options: Mapping[str, Any],
    person: Any = None,
) -> MergeRun:
    """Queue the merging of versions into a new one of ``corpus``, after checking all that can be checked at once.

    ``options`` are the method's numbers; ``person`` None is the operator of the site. Raises NotAllowed unless the
    person is a curator of the corpus and may ask each parent; BadMerge, IncompatibleParents and ArtifactMissing
    where the parents or numbers do not fit, VersionGone where a parent was deleted, and Conflict while another
    merge is at work on the corpus.
    """
    if person is not None:
        corpus.require(person, Role.CURATOR)
    for parent in parents:
        require_audience(parent, person)
    numbers = check_merge(parents, method, options)
    try:
        with transaction.atomic():
            hold_versions(parents, corpus)
            run = MergeRun.objects.create(
                corpus=corpus,
                method=method,
                options=numbers,
                created_by=account_of(person),
            )
            for parent in parents:  # one by one: their order is that of the rows
                run.parents.add(parent)
            run.tells_of(corpus, *parents)
    except IntegrityError as error:
        raise Conflict("A merge is already at work on this corpus. Wait for it, or cancel it.") from error
    run.enqueue()
    return run


def check_merge(parents: Sequence[MemoryVersion], method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of the merge with the method's defaults. Raises BadMerge, IncompatibleParents, ArtifactMissing.

    No weights are read: the engine checks the files against their hashes when it begins.
    """
    if len({parent.pk for parent in parents}) < len(parents):
        raise BadMerge("A version is named twice. Name each parent once.")
    numbers = options_for(method, options, len(parents))
    for parent in parents:
        if not (parent.folder / MANIFEST).exists():
            raise ArtifactMissing(f"The files of {parent} are not on this machine. Restore its folder.")
    folders, names = [parent.folder for parent in parents], [str(parent) for parent in parents]
    require_compatible(open_parents(folders, names, verified=False), method)
    return used_options(method, numbers)


# --- The work ------------------------------------------------------------------------------------------------
def perform_merge(run: MergeRun) -> None:
    """Merge, register the version and make it the candidate. Every step can be repeated safely."""
    version = run.version
    if version is None:
        run.report(phase="preparing", total=run.total)
        parents = run.parents_in_order
        _require_open(run, parents)
        run.folder.parent.mkdir(parents=True, exist_ok=True)
        follow_engine(
            _command(run, parents),
            run.folder.with_suffix(".log"),
            lambda event: run.report(**_progress(event)),
        )
        _keep_result(run, parents)
        version = register_version(run, _origin(run, parents))
    run.report(phase="moving the candidate")
    if told := offer(version, run.created_by, go_live=False, reason=f"Merge {run.pk} made it"):
        run.add_log(told)


def _require_open(run: MergeRun, parents: Sequence[MemoryVersion]) -> None:
    """Raise NotAllowed where the person who asked for it has lost a right since."""
    person = run.created_by
    if person is None:
        return
    if not run.corpus.allows(person, Role.CURATOR):
        raise NotAllowed(f"{person} is no curator of “{run.corpus}” any more.")
    for parent in parents:
        require_audience(parent, person)


def _command(run: MergeRun, parents: Sequence[MemoryVersion]) -> list[str]:
    command = [*engine_command("merge"), *(str(parent.folder) for parent in parents)]
    command += ["--output", str(run.folder), "--method", run.method]
    command += ["--names", *(str(parent) for parent in parents)]
    for name, value in run.options.items():
        command += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return command


def _progress(event: Event) -> Event:
    """The run's fields that an engine event changes. More people see the phase than may know of the parents."""
    if event.get("event") == "phase":
        phase = str(event["phase"])
        return {"phase": "asking what each parent knows" if phase.startswith("asking") else phase}
    if event.get("event") != "progress":
        return {}
    return {"done": event["done"], "total": event["total"], "seconds_left": event.get("seconds_left")}


def _keep_result(run: MergeRun, parents: Sequence[MemoryVersion]) -> None:
    """Copy what the engine measured into the run. ``exams`` come one a parent, in the parents' order."""
    merge = json.loads((run.folder / MANIFEST).read_text(encoding="utf-8"))["merge"]
    figures = ("seconds", "evaluation_seconds", "training_seconds", "adapter_kept")
    run.result = {name: merge.get(name) for name in figures} | {
        "exams": [exam | {"version": parent.pk} for exam, parent in zip(merge["exams"], parents, strict=True)]
    }
    run.save(update_fields=["result"])


def _origin(run: MergeRun, parents: Sequence[MemoryVersion]) -> Origin:
    """What the parents say together. A pair is of the row that a parent had it from."""
    learned = TrainedPair.objects.filter(version__in=parents, reflection__isnull=False)
    rows = {
        (question, answer): reflection
        for question, answer, reflection in learned.values_list("question", "answer", "reflection")
    }

    def reflection_of(pair: Pair) -> int | None:
        return rows.get((pair["question"], pair["answer"]))

    licences = dict.fromkeys(parent.licence for parent in parents if parent.licence)
    return Origin(
        VersionKind.MERGED,
        run.corpora.all(),
        reflection_of,
        base_model=next((parent.base_model for parent in parents if parent.base_model), None),
        licence=", ".join(licences)[:80],
        parents=parents,
    )
