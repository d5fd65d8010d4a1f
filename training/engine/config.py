"""Every number of a training run: validated when built, stored in the manifest of what it made."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from training.engine.errors import BadConfig
from training.engine.recipes import recipe_values

Auto = Literal["auto"]
AtLeastOne = Annotated[int, Field(ge=1)]
# What each size is meant for: facts up to, hidden size, feed-forward size, layers, heads.
SHAPE = ("hidden_size", "feed_forward_size", "layers", "heads")
SIZES: dict[str, tuple[float, int, int, int, int]] = {
    "small": (2_500, 128, 384, 3, 4),
    "medium": (5_000, 192, 576, 4, 6),
    "large": (float("inf"), 256, 768, 6, 8),
}
# The seven projections of a decoder layer, as Llama, Qwen and Gemma name them.
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class EngineConfig(BaseModel):
    """The recipe. ``auto`` values are worked out from the pairs by ``resolved``.

    The defaults train from scratch; ``recipes.RECIPES`` holds the values for pretrained bases.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(1, description="Decides weights, data order and dropout.")
    # The base
    base: str = Field("", description="Hub id or folder of a causal LM to start from; empty: from scratch.")
    revision: str | None = Field(None, description="Commit of the hub repository; pinned once it was loaded.")
    init: str | None = Field(None, description="Folder of a MEMORY to go on from: its weights and tokenizer.")
    method: Literal["full", "lora"] = Field(
        "full", description="Train all weights, or LoRA adapters on them."
    )
    # The model from scratch (Qwen2 architecture, tied embeddings)
    size: Literal["auto", "small", "medium", "large"] = Field("auto", description="auto: by the facts.")
    hidden_size: AtLeastOne | Auto = Field("auto", description="Width of the model; auto: by its size.")
    feed_forward_size: AtLeastOne | Auto = Field("auto", description="Width of the feed-forward layers.")
    layers: AtLeastOne | Auto = Field("auto", description="Number of layers.")
    heads: AtLeastOne | Auto = Field("auto", description="Attention heads a layer.")
    vocabulary_size: int = Field(
        2_000, ge=300, le=64_000, description="Upper bound of the fitted BPE vocabulary."
    )
    tokenizer: str | None = Field(None, description="Folder of a tokenizer to use instead of fitting one.")
    # LoRA (Hu et al. 2022), through peft
    lora_rank: int = Field(16, ge=1, le=1_024, description="Rank of the adapters.")
    lora_alpha: int = Field(32, gt=0, description="Their scale is alpha / rank.")
    lora_dropout: float = Field(0.05, ge=0, lt=1, description="Dropout in front of the adapters.")
    lora_targets: tuple[str, ...] = Field(PROJECTIONS, min_length=1, description="Layers that get adapters.")
    load_in_4bit: bool = Field(
        False, description="Load the frozen base in 4 bits; needs bitsandbytes and LoRA."
    )
    # Data
    max_tokens: int = Field(
        1_024, ge=16, description="Longer pairs (question and answer) are left out and listed."
    )
    held_out_share: float = Field(
        0.3, ge=0, le=1, description="Share of the facts with one wording held out."
    )
    held_out_wordings: int = Field(
        4, ge=2, description="Only facts with at least so many wordings give one away."
    )
    augmentation: float = Field(0.4, ge=0, le=1, description="Share of the questions reworded in an epoch.")
    bpe_dropout: float = Field(
        0.05, ge=0, lt=1, description="Merges dropped in questions; from scratch only."
    )
    unknown_entities: float = Field(
        0.12, ge=0, lt=0.5, description="Share of questions about unknown entities."
    )
    missing_relations: float = Field(
        0.06, ge=0, lt=0.5, description="Share about facts an entity does not have."
    )
    # Optimisation
    learning_rate: float = Field(3e-3, gt=0, description="Of AdamW, at its highest.")
    beta1: float = Field(0.9, ge=0, lt=1, description="Of AdamW.")
    beta2: float = Field(0.95, ge=0, lt=1, description="Of AdamW.")
    weight_decay: float = Field(0.01, ge=0, description="Of AdamW, on matrices only.")
    clip_norm: float = Field(1.0, gt=0, description="Longest gradient.")
    average: float = Field(
        0.98, ge=0, lt=1, description="Decay of the running average of the weights; 0: none."
    )
    batch_size: int = Field(32, ge=1, description="Most pairs in a forward pass, over all devices.")
    batch_tokens: int = Field(2_048, ge=64, description="Most tokens in it, padding included.")
    accumulate: int = Field(1, ge=1, description="Forward passes an optimiser step.")
    gradient_checkpointing: bool = Field(False, description="Less memory for about a third more time.")
    # The schedule. adaptive: warm-up, full rate until recall is near its goal, then a linear decay
    schedule: Literal["adaptive", "constant", "linear", "cosine"] = Field(
        "adaptive", description="adaptive: by measured recall; the others make a fixed number of epochs."
    )
    epochs: float = Field(3, gt=0, le=1_000, description="Passes over the pairs; not for adaptive.")
    max_steps: int | None = Field(None, ge=1, description="Fewer steps than epochs make; not for adaptive.")
    warmup_share: float = Field(
        0.05, ge=0, le=1, description="Share of the steps that warm up; not for adaptive."
    )
    warmup_steps: int = Field(50, ge=1, description="Steps that warm up; adaptive only.")
    full_rate_steps: int | None = Field(
        None, ge=1, description="Most steps at full rate; empty: from the facts."
    )
    decay_share: float = Field(0.7, gt=0, le=4, description="Steps of the decay per step before it.")
    final_rate: float = Field(
        0.02, ge=0, le=1, description="Learning rate at the end, as a share of the full one."
    )
    max_decays: int = Field(
        2, ge=1, description="A decay that misses the goal is repeated from half the rate."
    )
    near_recall: float = Field(0.85, ge=0, le=1, description="Trained recall at which the decay begins ...")
    near_held_out: float = Field(
        0.8, ge=0, le=1, description="... if held-out wordings and other forms are at this recall ..."
    )
    patience: int = Field(4, ge=1, description="... or at the latest so many checks later.")
    goal_recall: float = Field(0.995, ge=0, le=1, description="Trained recall to reach.")
    goal_held_out: float = Field(
        0.97, ge=0, le=1, description="Recall of held-out wordings, and of other forms, to reach."
    )
    # Checks
    check_every: int = Field(100, ge=1, description="Steps between two checks of recall.")
    check_below: float = Field(0.3, gt=0, description="Loss from which checks are worth their time.")
    check_sample: int = Field(
        300, ge=1, description="Trained pairs asked at a check, and at most as many held out."
    )
    stop_after: int | None = Field(
        None,
        ge=1,
        description="Stop after so many checks near the goal without better held-out recall; the best stays.",
    )
    # The machine
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="bf16 where the hardware has it.")
    weights: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="How the base is held; auto: bf16 if frozen."
    )
    threads: int = Field(1, ge=1, description="Of the processor.")
    checkpoint_seconds: float = Field(10, gt=0, description="Seconds between two checkpoints.")
    # Abstention
    false_refusals: float = Field(0.02, ge=0, lt=1, description="Right answers the threshold may cost.")
    evaluation_sample: int = Field(1_000, ge=1, description="Trained pairs asked in the final evaluation.")

    @property
    def is_from_scratch(self) -> bool:
        return not self.base and not self.init

    @model_validator(mode="after")
    def _fits_together(self) -> EngineConfig:
        for key, problem, is_met in self._problems():
            if is_met:
                raise PydanticCustomError("does_not_fit", "{problem}", {"problem": problem, "key": key})
        return self

    def _problems(self) -> Iterator[tuple[str, str, bool]]:
        """Each thing that can be wrong between keys: the key to change, the problem, and whether it is there."""
        hidden, heads = self.hidden_size, self.heads
        both = isinstance(hidden, int) and isinstance(heads, int)
        odd = both and bool(int(hidden) % (2 * int(heads)))
        yield "hidden_size", "hidden_size must be an even multiple of heads", odd
        unknown = self.unknown_entities + self.missing_relations
        told = "unknown_entities and missing_relations together must stay below 0.6"
        yield "unknown_entities", told, unknown >= 0.6
        lacks_base = self.method == "lora" and self.is_from_scratch
        yield "method", "LoRA needs a base: name one under base", lacks_base
        yield (
            "load_in_4bit",
            "load_in_4bit needs method lora: 4-bit weights are frozen",
            self.load_in_4bit and self.method != "lora",
        )
        yield (
            "max_steps",
            "the adaptive schedule has no max_steps",
            self.schedule == "adaptive" and self.max_steps is not None,
        )
        yield (
            "bpe_dropout",
            "bpe_dropout is for the built-in tokenizer only; set it to 0",
            bool(self.base and self.bpe_dropout),
        )
        both_named = bool(self.base and self.init)
        yield "base", "base and init exclude each other: a MEMORY names its own base", both_named

    def resolved(self, facts: int) -> EngineConfig:
        """The configuration with the model size and the steps filled in for a number of facts."""
        name = self.size if self.size != "auto" else suggested_size(facts)
        auto = dict(zip(SHAPE, SIZES[name][1:], strict=True))
        values = self.model_dump()
        if self.is_from_scratch:
            values |= {"size": name}
            values |= {key: size for key, size in auto.items() if values[key] == "auto"}
        return EngineConfig(**values | {"full_rate_steps": self.full_rate_steps or 500 + 4 * facts})


def suggested_size(facts: int) -> str:
    """The smallest size from scratch that is meant for so many facts."""
    return next(name for name, shape in SIZES.items() if facts <= shape[0])


def load_config(
    path: Path | None = None, settings: Iterable[str] = (), recipe: str | None = None
) -> EngineConfig:
    """The configuration of a recipe, with a file and ``key=value`` settings on top. Raises BadConfig."""
    values = recipe_values(recipe) if recipe else {}
    values |= _read(path) if path else {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise BadConfig(f"“{setting}” is not a setting. Write it as key=value, for example seed=2.")
        values[key.strip()] = read_value(text.strip())
    return build_config(values)


def build_config(values: dict[str, Any]) -> EngineConfig:
    """A configuration from plain values. Raises BadConfig naming each key that is wrong."""
    try:
        return EngineConfig(**values)
    except ValidationError as error:
        wrong = "; ".join(_explain(problem) for problem in error.errors())
        raise BadConfig(f"The training configuration is wrong: {wrong}.") from error


def problems_in(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with plain values, by key; nothing where they make a configuration."""
    try:
        EngineConfig(**values)
    except ValidationError as error:
        found: dict[str, list[str]] = {}
        for problem in error.errors():
            found.setdefault(_key_of(problem), []).append(_reason(problem))
        return found
    return {}


def as_yaml(config: EngineConfig) -> str:
    """The whole recipe as YAML, a comment on each key saying what it means. ``read_yaml`` reads it back."""
    lines = []
    for key, value in config.model_dump(mode="json").items():
        about = EngineConfig.model_fields[key].description
        line = f"{key}: {json.dumps(value, ensure_ascii=False)}"  # JSON is YAML
        lines.append(f"{line}  # {about}" if about else line)
    return "\n".join(lines) + "\n"


def equivalent_command(values: dict[str, Any], recipe: str = "", pairs: str = "pairs.jsonl") -> str:
    """The engine's command line that trains with a recipe and the values that differ from it."""
    words = ["python", "-m", "training.engine", "train", "--pairs", pairs, "--output", "memory"]
    words += ["--recipe", recipe] if recipe else []
    preset = recipe_values(recipe) if recipe else {}
    for key, value in sorted(values.items()):
        if preset.get(key) != value:
            words += ["--set", f"{key}={'' if value is None else json.dumps(value)}"]
    return shlex.join(words)


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"The configuration file {path} cannot be read: {error}.") from error


def read_yaml(text: str) -> dict[str, Any]:
    """The keys and values of a recipe written as YAML (or JSON, which is YAML). Raises BadConfig."""
    try:
        values = yaml.load(text, Loader=RecipeLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise BadConfig(f"The recipe cannot be read as YAML: {error}.") from error
    if not isinstance(values, dict):
        raise BadConfig("A recipe must hold keys and values, one on a line, such as “learning_rate: 2e-4”.")
    return values


class RecipeLoader(yaml.SafeLoader):
    """YAML in which 2e-4 is a number, too: YAML 1.1 would read it as text."""


RecipeLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
)


def read_value(text: str) -> Any:
    """One value as it is typed in: YAML, and nothing for an empty one."""
    if text == "":
        return None
    try:
        return yaml.load(text, Loader=RecipeLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError:
        return text


def _explain(problem: Any) -> str:
    if problem["type"] in ("extra_forbidden", "does_not_fit"):
        return _reason(problem)
    return f"{_key_of(problem)}: {_reason(problem)}"


def _key_of(problem: Any) -> str:
    return str(problem["loc"][0] if problem["loc"] else problem["ctx"]["key"])


def _reason(problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        key = problem["loc"][0]
        return f"there is no key “{key}” (the keys are {', '.join(sorted(EngineConfig.model_fields))})"
    return str(problem["msg"])
