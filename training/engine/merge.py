"""A whole merge from parents to artifact, as a generator of events that can be stopped and taken up again.

The weights are merged a tensor at a time; then the abstention is fitted anew on what the parents held out, and the
result is asked each parent's questions beside the parent itself. The completion marker comes last.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from memosite.errors import MemoError
from training.engine import ENGINE_VERSION, artifact
from training.engine.abstention import Abstention
from training.engine.artifact import Manifest
from training.engine.bases import describe_environment, pin
from training.engine.card import ADAPTER
from training.engine.decode import Decoder
from training.engine.encode import Encoder
from training.engine.errors import BadBase, Interrupted
from training.engine.events import EVENT_SECONDS, Done, Event, Phase
from training.engine.intake import CONFIG, INDEX, TAKEN_NAMES
from training.engine.loading import load_causal_lm
from training.engine.measure import Measured, Stop, measure
from training.engine.merge_adapters import MergedAdapter
from training.engine.merge_exam import (
    Exam,
    curriculum_of,
    joined,
    measuring_config,
    pairs_of,
    set_exam,
    take,
)
from training.engine.merge_files import STATE, OtherMerge, StreamedWeights, TensorFiles, write_json
from training.engine.merge_methods import METHODS, MergeOptions, options_for, used_options
from training.engine.merge_parents import (
    ROOM,
    IncompatibleParents,
    Parent,
    common_base,
    open_parents,
    require_compatible,
)
from training.engine.pairs import Split, digest

if TYPE_CHECKING:
    from torch import Tensor

COPIED = frozenset((".json", ".jinja", ".model", ".txt"))  # tokenizer and the like: the same in every parent
OWN = frozenset((artifact.MANIFEST, INDEX, CONFIG, ADAPTER, STATE, "generation_config.json"))


@dataclass(frozen=True)
class MergeProgress(Event):
    """How far a merge is: tensors written and then questions answered, of all of both."""

    name: ClassVar[str] = "progress"
    done: int
    total: int
    seconds_left: float | None = None


@dataclass(frozen=True)
class Plan:
    """What is merged how: checked, and the same at a start and at a resumption."""

    parents: Sequence[Parent]
    method: str
    options: MergeOptions
    common: Path | str | None  # what task vectors are taken against

    @property
    def is_adapter(self) -> bool:
        return self.parents[0].is_adapter

    def as_dict(self) -> dict[str, Any]:
        return {
            "engine": ENGINE_VERSION,
            "method": self.method,
            "options": used_options(self.method, self.options),
            "parents": [parent.sha256 for parent in self.parents],
        }


def plan_merge(
    folders: Sequence[Path], method: str, values: Mapping[str, Any], names: Sequence[str] = ()
) -> Plan:
    """Check everything that can be checked before any work. Raises BadMerge, IncompatibleParents, BadArtifact."""
    options = options_for(method, values, len(folders))
    parents = open_parents(folders, names)
    require_compatible(parents, method)
    needs_common = METHODS[method].needs_base and not parents[0].is_adapter
    return Plan(parents, method, options, common_base(parents, method) if needs_common else None)


def merge_memories(
    folders: Sequence[Path],
    output: Path,
    method: str,
    values: Mapping[str, Any],
    names: Sequence[str] = (),
    stop: Stop = lambda: False,
) -> Iterator[Event]:
    """Merge MEMORYs into the folder ``output``; yields what happens.

    ``values`` are the method's numbers, ``names`` what people call the parents. A finished folder yields its
    manifest at once. When ``stop`` returns true Interrupted is raised; the same call later goes on behind what is
    written. Raises IncompatibleParents, BadMerge, OtherMerge where the folder holds something else, and NoSpace.
    """
    yield Phase("preparing")
    plan = plan_merge(folders, method, values, names)
    if artifact.is_complete(output):
        yield Done(_finished(output, plan))
        return
    adapter = MergedAdapter(plan.parents, method, plan.options) if plan.is_adapter else None
    weights = streamed(plan, output, adapter)
    splits = [pairs_of(parent.folder) for parent in plan.parents]
    everything = joined(splits)
    exams = _exams(plan, splits, everything)
    # Each exam is taken twice: by the merged MEMORY and by the parent.
    work = Work(weights.total, 2 * sum(map(len, exams)))
    yield from _write(plan, weights, adapter, work, stop)
    write_besides(plan, output, adapter)
    began = time.monotonic()
    merged = Asking(*opened(output, _description(plan)))
    measured = yield from _measure(plan, merged, everything, stop)
    figures = yield from _compare(plan, merged, measured.abstention, exams, work, stop)
    yield Phase("saving")
    artifact.write_pairs(output, everything.trained, everything.held_out)
    costs = _costs(plan, weights.seconds, time.monotonic() - began)
    weights.forget()
    manifest = _manifest(
        plan, merged, measured, everything, costs | {"adapter_kept": adapter and adapter.kept}
    )
    manifest["merge"]["exams"] = figures
    yield Done(artifact.complete(output, manifest))


def _finished(output: Path, plan: Plan) -> Manifest:
    manifest = artifact.verify(output)
    if (manifest.get("merge") or {}).get("plan") != plan.as_dict():
        raise OtherMerge(f"{output} holds another MEMORY. Choose another output folder.")
    return manifest


# -- weights ------------------------------------------------------------------------------------------------
def streamed(plan: Plan, output: Path, adapter: MergedAdapter | None = None, **sizes: int) -> StreamedWeights:
    """The merged weights, to be written."""
    infos = adapter.infos if adapter else list(plan.parents[0].files.infos.values())
    return StreamedWeights(output, infos, plan.as_dict(), is_adapter=bool(adapter), **sizes)


def tensors_of(plan: Plan, adapter: MergedAdapter | None = None) -> Callable[[str], Tensor]:
    """What makes one tensor of the result by its name. Raises BadBase where the common base does not fit."""
    if adapter:
        return adapter.tensor
    base = TensorFiles(_local(plan)) if plan.common else None
    if base:
        _require_fitting(plan, base)
    combine = METHODS[plan.method].combine

    def tensor_of(name: str) -> Tensor:
        tensors = [parent.files.read(name) for parent in plan.parents]
        if base is None:
            return combine(tensors, plan.options, name)
        start = base.read(name)
        vectors = [tensor.sub_(start) for tensor in tensors]
        return start.add_(combine(vectors, plan.options, name), alpha=plan.options.scale)

    return tensor_of


def _local(plan: Plan) -> Path:
    """The folder of the common base, fetched from the hub if it lies there. Raises BadBase."""
    told = plan.parents[0].manifest.get("base_model") or {}
    if isinstance(plan.common, Path):
        if plan.common == Path(told.get("location", "")):
            pin(str(plan.common), told.get("revision"))
        return plan.common
    from huggingface_hub import snapshot_download

    wanted = ["*.safetensors", "*.safetensors.index.json", "config.json"]
    try:
        return Path(snapshot_download(str(plan.common), revision=told.get("revision"), allow_patterns=wanted))
    except (OSError, ValueError) as error:
        raise BadBase(f"The base {plan.common} cannot be fetched: {error}") from error


def _require_fitting(plan: Plan, base: TensorFiles) -> None:
    for name, info in plan.parents[0].files.infos.items():
        found = base.infos.get(name)
        if found is None or found.shape != info.shape:
            told = f"the shape {found.shape} and not {info.shape}" if found else "no such tensor"
            raise IncompatibleParents(
                f"{name}: the common base {base.folder.name} has {told}. Choose linear or SLERP."
            )


@dataclass
class Work:
    """How much of a merge is done: tensors, then questions."""

    tensors: int
    questions: int
    done: int = 0

    def progress(self, seconds_left: float | None = None) -> MergeProgress:
        return MergeProgress(self.done, self.tensors + self.questions, seconds_left)


def _write(
    plan: Plan, weights: StreamedWeights, adapter: MergedAdapter | None, work: Work, stop: Stop
) -> Iterator[Event]:
    yield Phase("merging")
    told = 0.0
    for work.done in weights.write(tensors_of(plan, adapter)):
        if stop():
            raise Interrupted("Stopped while merging; the same command goes on from there.")
        if time.monotonic() - told >= EVENT_SECONDS:
            told = time.monotonic()
            yield work.progress()
    work.done = work.tensors
    yield work.progress()


def write_besides(plan: Plan, output: Path, adapter: MergedAdapter | None) -> None:
    """Configuration and tokenizer: those of the parents, but for what the merge changes."""
    first = plan.parents[0]
    for path in sorted(first.folder.iterdir()):
        if (path.suffix in COPIED and path.name not in OWN) or path.name in TAKEN_NAMES:
            shutil.copyfile(path, output / path.name)
    config = dict(first.config)
    if adapter:
        config |= {"r": adapter.rank, "lora_alpha": adapter.rank, "use_rslora": False, "inference_mode": True}
    elif ROOM in config:
        config[ROOM] = max(parent.config[ROOM] for parent in plan.parents)
    write_json(output / (ADAPTER if adapter else CONFIG), config)
    generation = first.folder / "generation_config.json"
    if generation.exists():
        shutil.copyfile(generation, output / generation.name)


# -- what it knows ------------------------------------------------------------------------------------------
class Asking:
    """A model with its tokenizer, ready for questions of any of the parents."""

    def __init__(self, model: Any, tokenizer: Any, limits: Mapping[str, int]) -> None:
        self.parameters = sum(one.numel() for one in model.parameters())
        self.encoder = Encoder(tokenizer)
        self.decoder = Decoder(
            model,
            self.encoder,
            limits["question_tokens"],
            limits["answer_tokens"],
            refusal=self.encoder.refusal,
        )


def opened(folder: Path, manifest: Manifest) -> tuple[Any, Any, Mapping[str, int]]:
    return *load_causal_lm(folder, manifest), manifest["limits"]


def _exams(plan: Plan, splits: Sequence[Split], everything: Split) -> list[Exam]:
    from training.engine.loading import load_tokenizer

    first = plan.parents[0]
    encoder = Encoder(load_tokenizer(first.folder, first.manifest))
    return [
        set_exam(parent.name, split, everything, encoder, measuring_config(parent.manifest))
        for parent, split in zip(plan.parents, splits, strict=True)
    ]


def _measure(plan: Plan, merged: Asking, everything: Split, stop: Stop) -> Generator[Event, None, Measured]:
    """Fit the abstention on what the parents held out, and measure what all of them learned."""
    config = measuring_config(plan.parents[0].manifest)
    return measure(
        merged.decoder, everything, curriculum_of(everything, merged.encoder, config), config, stop
    )


def _compare(
    plan: Plan, merged: Asking, abstention: Abstention, exams: Sequence[Exam], work: Work, stop: Stop
) -> Generator[Event, None, list[dict[str, Any]]]:
    """The merged MEMORY's figures on each parent's questions beside the parent's own. One model at a time."""
    found: list[dict[str, Any]] = []
    for parent, exam in zip(plan.parents, exams, strict=True):
        after = yield from _examined(f"asking about {parent.name}", exam, merged, abstention, work, stop)
        found.append({"name": parent.name, "sha256": parent.sha256, "merged": after})
    for parent, exam, figures in zip(plan.parents, exams, found, strict=True):
        itself = Asking(*opened(parent.folder, parent.manifest))
        own = Abstention.from_dict(parent.manifest["abstention"])
        figures["own"] = yield from _examined(f"asking {parent.name} itself", exam, itself, own, work, stop)
        figures["training_seconds"] = parent.training_seconds
    return found


def _examined(
    phase: str, exam: Exam, model: Asking, abstention: Abstention, work: Work, stop: Stop
) -> Generator[Event, None, dict[str, Any]]:
    yield Phase(phase)
    began, before = time.monotonic(), work.done

    def heard(answered: int) -> Event:
        work.done += answered
        pace = (time.monotonic() - began) / max(1, work.done - before)
        return work.progress(round(pace * (work.tensors + work.questions - work.done), 1))

    return (yield from take(exam, model.decoder, abstention, stop, heard))


# -- the artifact -------------------------------------------------------------------------------------------
def _description(plan: Plan) -> Manifest:
    """The part of the manifest that does not depend on what was measured."""
    first = plan.parents[0].manifest
    limits = [parent.manifest["limits"] for parent in plan.parents]
    described = {
        "engine": ENGINE_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "method": plan.method,
        "base": first["base"],
        "config": used_options(plan.method, plan.options),
        "environment": describe_environment(1),
        "limits": {key: max(one[key] for one in limits) for key in ("question_tokens", "answer_tokens")},
    }
    told = {"source": artifact.source_of(first), "location": first["base"], "revision": ""}
    return described | {"base_model": first.get("base_model") or told}


def _costs(plan: Plan, merging: float, evaluating: float) -> dict[str, Any]:
    """Seconds of the merge; and of the parents' trainings, which a retraining on all pairs is estimated by."""
    trainings = [parent.training_seconds for parent in plan.parents]
    known = [seconds for seconds in trainings if seconds is not None]
    return {
        "seconds": round(merging, 2),
        "evaluation_seconds": round(evaluating, 1),
        "training_seconds": round(sum(known), 1) if len(known) == len(trainings) else None,
    }


def _manifest(
    plan: Plan, merged: Asking, measured: Measured, everything: Split, costs: Mapping[str, Any]
) -> Manifest:
    pairs = [*everything.trained, *everything.held_out]
    nearest = _nearest_memory(plan)
    counts = {name: len(getattr(everything, name)) for name in ("trained", "held_out")}
    return _description(plan) | {
        "counts": {"facts": len({pair.fact for pair in pairs}), "pairs": len(pairs), **counts},
        "metrics": {**measured.metrics, "parameters": merged.parameters, "merge_seconds": costs["seconds"]},
        "abstention": measured.abstention.as_dict(),
        "data_sha256": digest(pairs),
        "merge": {
            "plan": plan.as_dict(),
            "parents": [{"name": one.name, "sha256": one.sha256} for one in plan.parents],
            "common": str(nearest) if nearest else None,
            **{key: value for key, value in costs.items() if value is not None},
        },
    }


def _nearest_memory(plan: Plan) -> Path | None:
    """The MEMORY that all parents continue, which further merges may take task vectors against."""
    try:
        found = common_base(plan.parents, plan.method)
    except MemoError:
        return None
    return found if isinstance(found, Path) and artifact.is_complete(found) else None
