"""What a training starts from: a model made from scratch, a pretrained one, or an earlier MEMORY."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from training.engine.artifact import FOLDER, HUB, Manifest, is_complete, is_from_scratch, source_of, verify
from training.engine.base import BUILT_IN, build_model, build_tokenizer
from training.engine.config import EngineConfig
from training.engine.encode import Encoder
from training.engine.errors import BadBase
from training.engine.pairs import Pair

ADAPTER = "adapter_config.json"
WEIGHTS = ("*.safetensors", "*.json", "*.model", "*.txt", "*.jinja")  # what makes up a base's fingerprint


@dataclass(frozen=True)
class Origin:
    """Where weights come from, as the manifest states it: ``location`` and ``revision`` find them again."""

    source: str
    location: str
    revision: str

    def as_dict(self) -> dict[str, str]:
        return {"source": self.source, "location": self.location, "revision": self.revision}

    @property
    def label(self) -> str:
        return f"{self.location} ({self.revision[:12]})" if self.revision else self.location


@dataclass(frozen=True)
class Start:
    """A tokenizer and a model that is ready to be trained. ``model`` is a peft model where LoRA is the method."""

    model: nn.Module
    encoder: Encoder
    origin: Origin

    @property
    def trained(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    @property
    def parameters(self) -> int:
        """All weights, tied ones once."""
        return sum(parameter.numel() for parameter in self.model.parameters())


def open_tokenizer(pairs: Sequence[Pair], config: EngineConfig) -> PreTrainedTokenizerBase:
    """The tokenizer of the base, of the MEMORY gone on from, or one fitted to the pairs. Raises BadBase."""
    if config.base:
        pin(config.base, config.revision)
    if config.is_from_scratch and not config.tokenizer:
        return build_tokenizer(pairs, config)
    return _tokenizer(config.init or config.tokenizer or config.base, config.revision)


def open_model(encoder: Encoder, config: EngineConfig, longest: int, device: torch.device) -> Start:
    """The model that the configuration names, on the processor, in the precision that its training needs.

    ``longest`` is the number of tokens that a model from scratch must have places for. Raises BadBase.
    """
    torch.manual_seed(config.seed)
    if config.init:
        return _go_on(Path(config.init), encoder, config, device)
    if not config.base:
        model = build_model(config, encoder.tokenizer, longest)
        return Start(model, encoder, Origin("built-in", str(config.size), BUILT_IN))
    base, origin = load_base(config.base, config.revision, config, device)
    return Start(_with_adapters(base, config) if config.method == "lora" else base, encoder, origin)


def load_base(
    location: str, revision: str | None, config: EngineConfig, device: torch.device
) -> tuple[PreTrainedModel, Origin]:
    """A pretrained causal LM from a hub id or a folder, at a pinned revision. Raises BadBase."""
    origin = pin(location, revision)
    arguments: dict[str, Any] = {"dtype": _weights_of(config, device), "use_safetensors": True}
    if origin.source == "hub":
        arguments["revision"] = revision
    if config.load_in_4bit:
        arguments["quantization_config"] = _four_bits(device)
    try:
        model = AutoModelForCausalLM.from_pretrained(location, **arguments)
    except (OSError, ValueError, KeyError) as error:
        raise BadBase(f"The base {location} cannot be loaded as a causal language model: {error}") from error
    if origin.source == "hub":
        origin = Origin("hub", location, str(getattr(model.config, "_commit_hash", None) or revision or ""))
    if config.load_in_4bit:
        model = prepare_model_for_kbit_training(
            model, use_gradient_checkpointing=config.gradient_checkpointing
        )
    return model, origin


def pin(location: str, revision: str | None) -> Origin:
    """What identifies a base: the hash over a folder's files, or the commit of a hub repository.

    Raises BadBase where a folder is not the one that ``revision`` names.
    """
    folder = Path(location)
    if not folder.is_dir():
        if folder.is_absolute() or location.startswith("."):
            raise BadBase(f"There is no folder {location}. Give the folder of a model, or its id on the hub.")
        return Origin("hub", location, revision or "")
    found = fingerprint(folder)
    if revision and revision != found:
        raise BadBase(
            f"The files in {location} are not those of revision {revision[:12]}: they have changed since it was "
            "pinned. Restore them, or register the folder as another base."
        )
    return Origin("folder", str(folder.resolve()), found)


def fingerprint(folder: Path) -> str:
    """SHA-256 over names and contents of the files that make up a model (weights, configuration, tokenizer)."""
    whole = hashlib.sha256()
    for path in sorted({path for pattern in WEIGHTS for path in folder.glob(pattern)}):
        with path.open("rb") as file:
            whole.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def _tokenizer(location: str, revision: str | None) -> PreTrainedTokenizerBase:
    arguments: dict[str, Any] = {} if Path(location).is_dir() else {"revision": revision or "main"}
    # For a model from scratch AutoTokenizer would take its architecture's usual tokenizer, which cuts otherwise.
    family = PreTrainedTokenizerFast if _is_of_our_making(Path(location)) else AutoTokenizer
    try:
        tokenizer: PreTrainedTokenizerBase = family.from_pretrained(location, **arguments)
    except (OSError, ValueError, KeyError) as error:
        raise BadBase(f"The tokenizer of {location} cannot be loaded: {error}") from error
    return tokenizer


def _is_of_our_making(folder: Path) -> bool:
    return is_complete(folder) and is_from_scratch(verify(folder))


def _weights_of(config: EngineConfig, device: torch.device) -> torch.dtype:
    """Frozen weights may be held in bf16; trained ones lose small updates there, so they are held in fp32."""
    if config.weights != "auto":
        return torch.bfloat16 if config.weights == "bf16" else torch.float32
    is_frozen = config.method == "lora" and config.precision == "bf16" and device.type != "cpu"
    return torch.bfloat16 if is_frozen else torch.float32


def stored_dtype(config: EngineConfig) -> torch.dtype:
    """The precision that full weights are stored in: that of what they began as where it has one, else fp32."""
    start = config.base or config.init
    if not start:
        return torch.float32
    found = AutoConfig.from_pretrained(start, revision=config.revision if config.base else None).dtype
    return found if isinstance(found, torch.dtype) and found.is_floating_point else torch.float32


def _four_bits(device: torch.device) -> BitsAndBytesConfig:
    if find_spec("bitsandbytes") is None:
        raise BadBase("Loading in 4 bits needs the package bitsandbytes: pip install bitsandbytes.")
    if device.type == "cpu":
        raise BadBase("Loading in 4 bits needs a GPU. Set load_in_4bit to false on this machine.")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _with_adapters(model: PreTrainedModel, config: EngineConfig) -> nn.Module:
    lora = LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=list(config.lora_targets),
        task_type="CAUSAL_LM",
    )
    try:
        return get_peft_model(model, lora)
    except ValueError as error:
        names = sorted(
            {name.rsplit(".", 1)[-1] for name, part in model.named_modules() if isinstance(part, nn.Linear)}
        )
        raise BadBase(
            f"The base has no layers named {', '.join(config.lora_targets)}. Set lora_targets to some of its own: "
            f"{', '.join(names)}."
        ) from error


def _go_on(folder: Path, encoder: Encoder, config: EngineConfig, device: torch.device) -> Start:
    """An earlier MEMORY with its weights trainable: adapters on their base, or all of it."""
    manifest = verify(folder)
    if not (folder / ADAPTER).exists():
        if config.method == "lora":
            raise BadBase(
                "That MEMORY has full weights: go on from it with method full, or use it as a base for LoRA."
            )
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=_weights_of(config, device))
        return Start(model, encoder, _origin_in(manifest))
    if config.method != "lora":
        raise BadBase("That MEMORY is a LoRA adapter: go on from it with method lora.")
    origin = _origin_in(manifest)
    if origin.source not in (HUB, FOLDER):
        raise BadBase("That LoRA adapter does not say which base it belongs to. Import it again.")
    base, origin = load_base(origin.location, origin.revision or None, config, device)
    return Start(PeftModel.from_pretrained(base, folder, is_trainable=True), encoder, origin)


def _origin_in(manifest: Manifest) -> Origin:
    stored = manifest.get("base_model") or {}
    if is_from_scratch(manifest):
        return Origin(source_of(manifest), stored.get("location", "small"), stored.get("revision", BUILT_IN))
    location = stored.get("location") or manifest.get("base") or source_of(manifest)
    return Origin(source_of(manifest), str(location), str(stored.get("revision") or ""))


def describe_environment(world: int) -> dict[str, Any]:
    """What bit-identical weights depend on beside pairs and configuration."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "processor": torch.backends.cpu.get_cpu_capability(),
        "devices": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "processes": world,
    }
