"""The plan of a training: base, recipe and numbers, checked as a whole before anything begins."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.conf import settings

from knowledge.models import Corpus
from memosite.errors import Conflict, MemoError
from training.audience import require_audience
from training.continuing import FIXED, Continued, Lesson
from training.engine import capacity
from training.engine.capacity import Forecast
from training.engine.config import EngineConfig, as_yaml, build_config, equivalent_command, problems_in
from training.engine.devices import free_memory
from training.engine.errors import BadConfig
from training.engine.recipes import RECIPES, recipe_values
from training.launching import can_be_spread, free_on_devices
from training.models import BaseModel, BaseSource, MemoryVersion, TrainingRun

REPLAY_SHARE = 0.3
FROM_SCRATCH, PRETRAINED = "from-scratch", "lora"  # the recipes of those who choose none
#: Keys that the choice of base or version decides, and the field where that choice is made.
DECIDED = {"base": "base", "revision": "base", "size": "base", "tokenizer": "base", "init": "continues"}
GB = 1e9


class NothingToTrain(Conflict):
    """No approved pairs."""

    code = "nothing_to_train"


class BadPlan(MemoError):
    """A training that cannot be as it was asked for. ``problems`` by field: base, recipe, a key of it ..."""

    code = "bad_plan"

    def __init__(self, problems: Mapping[str, list[str]]) -> None:
        self.problems = dict(problems)
        told = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in self.problems.items())
        super().__init__(f"The training cannot be started like this. {told}")

    def members(self) -> dict[str, Any]:
        return {"errors": self.problems}


@dataclass(frozen=True)
class Wishes:
    """What a person asks for. Without ``base_model`` a model from scratch is trained, in a size for the facts.

    ``recipe`` is the preset that ``config`` differs from; without one, that which suits the base. ``continues`` is
    the version to go on from, ``replay_share`` the share of its pairs that are trained again.
    """

    base_model: BaseModel | None = None
    recipe: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    continues: MemoryVersion | None = None
    replay_share: float = REPLAY_SHARE

    @property
    def is_from_scratch(self) -> bool:
        return self.continues is None and (self.base_model is None or self.base_model.is_built_in)

    @property
    def preset_name(self) -> str:
        """The recipe by its name; none where a version is continued, whose settings are the preset then."""
        if self.continues:
            return ""
        return self.recipe or (FROM_SCRATCH if self.is_from_scratch else PRETRAINED)

    def preset(self) -> dict[str, Any]:
        """Every key with its value before ``config`` changes any. Raises BadConfig for an unknown recipe."""
        values = {key: one.default for key, one in EngineConfig.model_fields.items()}
        values |= Continued(self.continues).values if self.continues else recipe_values(self.preset_name)
        return values | (self._base_values() if not self.continues else {})

    def _base_values(self) -> dict[str, Any]:
        base = self.base_model
        if base is None:
            return {}
        if base.is_built_in:
            return {"size": base.location}
        return {"base": base.location, "revision": base.revision or None}


def wishes_of(run: TrainingRun) -> Wishes:
    """What a run was asked to be."""
    return Wishes(run.base_model, run.recipe, run.config, run.continues, run.replay_share)


def values_of(run: TrainingRun) -> dict[str, Any]:
    """Every value that the engine is to train the run with."""
    if run.rebuilds_id:
        own = dict(run.config)
    else:
        wishes = wishes_of(run)
        own = wishes.preset() | dict(run.config)
    # The folder of a version moves with the folder of all memories.
    return own | ({"init": str(run.continues.folder)} if run.continues else {})


def config_of(run: TrainingRun) -> EngineConfig | None:
    """The whole configuration of a run; none where this release does not understand it any more."""
    try:
        return build_config(run.version.config if run.version else values_of(run))
    except BadConfig:
        return None


@dataclass(frozen=True)
class Plan:
    """A training that can begin. ``values`` are those that differ from the preset."""

    corpus: Corpus
    wishes: Wishes
    values: dict[str, Any]
    config: EngineConfig
    lesson: Lesson | None = None  # of a continued training

    @property
    def recipe(self) -> str:
        return self.wishes.preset_name

    @property
    def yaml(self) -> str:
        return as_yaml(self.config)

    @property
    def command(self) -> str:
        return command_of(self.config.model_dump(mode="json"), self.recipe)

    @cached_property
    def amounts(self) -> tuple[int, int]:
        """How many facts and pairs the training has before it."""
        if self.lesson:
            pairs = list(self.lesson)
            return len({pair.fact for pair in pairs}), len(pairs)
        return amounts_of(self.corpus)

    @cached_property
    def forecast(self) -> Forecast | None:
        """What a training from scratch will take; nothing is known of how quick other bases are."""
        return capacity.forecast(*self.amounts, self.config) if self.wishes.is_from_scratch else None

    @cached_property
    def parameters(self) -> int | None:
        """Weights of the model, as far as they are known beforehand."""
        wishes = self.wishes
        if self.forecast:
            return self.forecast.parameters
        if wishes.continues:
            return wishes.continues.parameters
        return wishes.base_model.parameters if wishes.base_model else None

    @property
    def memory(self) -> tuple[int, int] | None:
        """Bytes that weights and optimiser take, and bytes that are free; where the size is known.

        Several GPUs count together where the training can be spread over them.
        """
        if self.parameters is None:
            return None
        on_gpus = free_on_devices()
        needed = capacity.memory_bytes(self.parameters, self.config, on_gpu=bool(on_gpus))
        if not on_gpus:
            return needed, free_memory()
        return needed, len(on_gpus) * min(on_gpus) if can_be_spread(self.config) else max(on_gpus)

    @cached_property
    def warnings(self) -> list[str]:
        """What may go wrong, in words; none of it keeps the training from being started."""
        return list(self._warnings())

    def _warnings(self) -> Iterator[str]:
        if self.forecast and self.forecast.warning:
            yield self.forecast.warning
        if (memory := self.memory) and memory[0] > memory[1]:
            needed, free = (f"{part / GB:.1f} GB" for part in memory)
            yield (
                f"Weights and optimiser take about {needed} of memory, and {free} are free on this machine. Take "
                "a smaller base, LoRA, or a machine with more memory for the worker."
            )
        if self.lesson and not self.lesson.replayed and self.wishes.replay_share:
            yield "The pairs of that version are not kept with it: none can be replayed."

    def as_dict(self) -> dict[str, Any]:
        """The plan for programs."""
        facts, pairs = self.amounts
        memory = self.memory
        forecast = self.forecast
        return {
            "base": self.wishes.base_model.name if self.wishes.base_model else None,
            "recipe": self.recipe,
            "continues": self.wishes.continues.number if self.wishes.continues else None,
            "replay_share": self.wishes.replay_share if self.wishes.continues else None,
            "facts": facts,
            "pairs": pairs,
            "new_pairs": len(self.lesson.new) if self.lesson else None,
            "replayed_pairs": len(self.lesson.replayed) if self.lesson else None,
            "parameters": self.parameters,
            "size": forecast.size if forecast else None,
            "suggested_size": forecast.suggested if forecast else None,
            "holds_facts": forecast.holds if forecast else None,
            "seconds": round(forecast.seconds) if forecast else None,
            "memory_bytes": memory[0] if memory else None,
            "free_memory_bytes": memory[1] if memory else None,
            "warnings": self.warnings,
            "config": self.config.model_dump(mode="json"),
            "command": self.command,
            "yaml": self.yaml,
        }


def amounts_of(corpus: Corpus) -> tuple[int, int]:
    """Facts and pairs that a training of the corpus would learn now."""
    rows = corpus.reflections.trainable().order_by()
    return rows.values("fact").distinct().count(), rows.count()


def command_of(values: Mapping[str, Any], recipe: str) -> str:
    """The engine's command line for a whole set of values."""
    preset = build_config({}).model_dump(mode="json") | (recipe_values(recipe) if recipe else {})
    return equivalent_command(
        {key: value for key, value in values.items() if preset.get(key) != value}, recipe
    )


def plan_training(corpus: Corpus, person: Any = None, wishes: Wishes | None = None) -> Plan:
    """Check what a person asks for. Raises NothingToTrain, NotAllowed for a closed version, BadPlan by field."""
    wishes = wishes or Wishes()
    if not corpus.reflections.trainable().exists():
        raise NothingToTrain("This corpus has no approved pairs. Generate pairs and approve them first.")
    if wishes.continues:
        require_audience(wishes.continues, person)
    problems: dict[str, list[str]] = defaultdict(list)
    for name, problem in _choice_problems(corpus, wishes):
        problems[name].append(problem)
    if problems:
        raise BadPlan(problems)
    preset = wishes.preset()
    values = differing(wishes.config, preset)
    for name, problem in _decided_problems(wishes, values):
        problems[name].append(problem)
    for key, texts in problems_in(
        preset | {key: values[key] for key in values if key not in problems}
    ).items():
        problems[key] += texts
    if problems:
        raise BadPlan(problems)
    plan = Plan(corpus, wishes, values, build_config(preset | values), _lesson(corpus, wishes))
    if found := dict(_plan_problems(plan)):
        raise BadPlan({name: [text] for name, text in found.items()})
    return plan


def differing(config: Mapping[str, Any], preset: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a recipe that are not those of its preset; lists and tuples are alike."""
    return {
        key: value
        for key, value in config.items()
        if key not in preset or _plain(value) != _plain(preset[key])
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return list(value)
    return value if value != "" else None


def _lesson(corpus: Corpus, wishes: Wishes) -> Lesson | None:
    if wishes.continues is None:
        return None
    seed = int(wishes.preset().get("seed", 1))
    return Continued(wishes.continues).lesson(corpus, wishes.replay_share, seed)


def _choice_problems(corpus: Corpus, wishes: Wishes) -> Iterator[tuple[str, str]]:
    """What is wrong with base, recipe and version, each by itself and together."""
    base, version = wishes.base_model, wishes.continues
    if base and not base.is_offered:
        yield "base", f"“{base}” is not offered any more. Choose another base."
    if not 0 <= wishes.replay_share <= 1:
        yield "replay_share", "A share between 0 and 1 is expected, such as 0.3."
    if version:
        yield from _continuing_problems(corpus, wishes, version)
    elif wishes.recipe and wishes.recipe not in RECIPES:
        yield "recipe", f"There is no recipe “{wishes.recipe}”. Choose one of {', '.join(RECIPES)}."
    elif RECIPES[wishes.preset_name].needs_base and wishes.is_from_scratch:
        title = RECIPES[wishes.preset_name].title
        yield "recipe", f"“{title}” is for a pretrained base. Choose such a base, or “From scratch”."
    elif not RECIPES[wishes.preset_name].needs_base and not wishes.is_from_scratch:
        yield "recipe", f"“{base}” is a pretrained base: choose full fine-tuning or LoRA for it."


def _continuing_problems(corpus: Corpus, wishes: Wishes, version: MemoryVersion) -> Iterator[tuple[str, str]]:
    base = wishes.base_model
    if version.corpus_id != corpus.pk:
        yield "continues", f"{version} is no version of this corpus."
    elif not Continued(version).is_here:
        yield "continues", f"The files of {version} are not on this machine, so it cannot be continued."
    if base and not _is_base_of(base, version):
        yield "base", f"{version} has another base, {version.base}, and goes on with that one alone."
    if wishes.recipe:
        yield "recipe", "A continued training keeps the recipe of its version; single numbers can be changed."


def _is_base_of(base: BaseModel, version: MemoryVersion) -> bool:
    if version.base_model_id:
        return version.base_model_id == base.pk
    return base.source == BaseSource.BUILT_IN and version.config.get("size") == base.location


def _decided_problems(wishes: Wishes, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Values of keys that the choice of base or version decides."""
    for key, name in DECIDED.items():
        if key == "size" and wishes.base_model is None and not wishes.continues:
            continue  # a model from scratch may be of any size
        if key in values:
            yield key, f"This follows from the choice under “{name}”: leave it out here."
    if wishes.continues:
        for key in FIXED:
            if key in values and key not in DECIDED:
                yield key, f"{wishes.continues} keeps its own {key.replace('_', ' ')}: leave it out here."


def _plan_problems(plan: Plan) -> Iterator[tuple[str, str]]:
    """What only the whole plan tells."""
    if plan.lesson and not plan.lesson.new:
        yield (
            "continues",
            f"{plan.wishes.continues} knows every approved pair: there is nothing new to learn.",
        )
    if plan.parameters is not None:
        trained = capacity.trained_parameters(plan.parameters, plan.config)
        needed = capacity.disk_bytes(plan.parameters, trained)
        place = next(path for path in (settings.MEMORY_DIR, *settings.MEMORY_DIR.parents) if path.exists())
        free = shutil.disk_usage(place).free
        if needed > free:
            yield (
                "base",
                f"The training needs about {needed / GB:.1f} GB on the disk, and {free / GB:.1f} GB are free. "
                "Delete old versions, or choose a smaller base.",
            )
