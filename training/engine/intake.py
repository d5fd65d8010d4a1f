"""Whether a folder is a language model that can be taken in: looked at file by file, nothing in it is run.

Weights are read as safetensors only. Pickles (``.bin``, ``.pt``) and Python files can run code when they are
loaded, so a folder with any of them is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from memosite.errors import MemoError
from training.engine.artifact import MANIFEST, file_sha256, overall_sha256
from training.engine.card import ADAPTER

CONFIG, TOKENIZER, TOKENIZER_CONFIG = "config.json", "tokenizer.json", "tokenizer_config.json"
INDEX, WEIGHTS, ADAPTER_WEIGHTS = (
    "model.safetensors.index.json",
    "model.safetensors",
    "adapter_model.safetensors",
)
CAUSAL = "ForCausalLM"
RUNS_CODE = frozenset(
    (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".py", ".h5", ".msgpack", ".so", ".sh")
)
TAKEN = frozenset((".json", ".jsonl", ".safetensors", ".txt", ".md", ".jinja", ".model"))
TAKEN_NAMES = frozenset(("LICENSE", "NOTICE", "MODIFICATIONS"))
#: What a manifest of ours says, and below it what only some of them do.
TOLD: dict[str, type] = dict.fromkeys(("config", "metrics", "limits", "abstention", "files"), dict)
TOLD |= dict.fromkeys(("base", "method", "data_sha256"), str)
MAY_TELL: dict[str, type] = {"base_model": dict, "merge": dict}
#: Ways to begin a LoRA that leave the weights of the base as they are, which other adapters share.
HARMLESS = (None, True, False, "gaussian", "eva")
CARD = "README.md"
OPTIONAL = frozenset(("pairs.jsonl", "source_pairs.jsonl"))  # an export leaves them out unless asked for


class FolderRefused(MemoError):
    """The folder is not a model that can be taken in."""

    code = "folder_refused"
    status = 422


@dataclass(frozen=True)
class Intake:
    """A folder that can be taken in: the names of the files to take, and what they say."""

    files: tuple[str, ...]
    config: dict[str, Any]
    is_adapter: bool
    manifest: dict[str, Any] | None  # of a folder that this product exported, verified
    parameters: int

    @property
    def architecture(self) -> str:
        return "LoRA adapter" if self.is_adapter else str(self.config["architectures"][0])


def is_taken(name: str) -> bool:
    """Whether a file of that name belongs to a model. Raises FolderRefused for one that could run code."""
    path = Path(name)
    if path.suffix.lower() in RUNS_CODE:
        raise FolderRefused(
            f"{name} could run code when it is loaded. Save the weights as safetensors, without Python files."
        )
    return path.suffix.lower() in TAKEN or path.name in TAKEN_NAMES


def examine(folder: Path) -> Intake:
    """What the folder holds. Raises FolderRefused with what is wrong and what to do."""
    if not folder.is_dir():
        raise FolderRefused(f"{folder} is not a folder. Name the folder that holds {CONFIG}.")
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    names = [name for name in names if not name.startswith(".") and is_taken(name)]
    is_adapter = ADAPTER in names
    config = _json(folder / (ADAPTER if is_adapter else CONFIG))
    if is_adapter:
        _check_adapter(config)
        weights = [ADAPTER_WEIGHTS]
        names = [name for name in names if name not in (INDEX, CONFIG)]  # of no use, and never looked at
    else:
        _check_config(config)
        weights = _weight_files(folder)
    if not is_adapter or {TOKENIZER, TOKENIZER_CONFIG} & set(
        names
    ):  # an adapter may do with that of its base
        require_tokenizer(folder)
    parameters = sum(_check_weights(folder / name) for name in weights)
    unused = {name for name in names if name.endswith(".safetensors")} - set(weights)
    taken = tuple(name for name in names if name not in unused and name != MANIFEST)
    return Intake(taken, config, is_adapter, _our_manifest(folder, names, weights), parameters)


def examine_encoder(folder: Path) -> None:
    """Look at the folder of an embedding model without loading it. Raises FolderRefused as ``examine`` does."""
    if not folder.is_dir():
        raise FolderRefused(f"{folder} is not a folder. Name the folder that holds {CONFIG}.")
    for path in folder.iterdir():
        is_taken(path.name)
    _refuse_own_code(_json(folder / CONFIG), CONFIG, "a model")
    _tokenizer_settings(folder)
    for name in _weight_files(folder):
        _check_weights(folder / name)


def _refuse_own_code(values: dict[str, Any], name: str, what: str) -> None:
    if values.get("auto_map"):
        raise FolderRefused(
            f"Its {name} asks for code of its own (auto_map). Take {what} that transformers knows."
        )


def _json(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise FolderRefused(
            f"There is no {path.name}: a model folder has {CONFIG}, an adapter folder {ADAPTER}. "
            "Name the folder itself."
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FolderRefused(
            f"{path.name} cannot be read as JSON: {error}. Download the model again."
        ) from error
    if not isinstance(values, dict):
        raise FolderRefused(f"{path.name} does not hold one JSON object. Download the model again.")
    return values


def _check_config(config: dict[str, Any]) -> None:
    architectures = config.get("architectures")
    named = architectures[0] if isinstance(architectures, list) and architectures else "nothing"
    if not str(named).endswith(CAUSAL):
        raise FolderRefused(
            f"Its {CONFIG} names {named} as its architecture. A MEMORY is a causal language model: …{CAUSAL}."
        )
    _refuse_own_code(config, CONFIG, "a model")


def _check_adapter(config: dict[str, Any]) -> None:
    if config.get("peft_type") != "LORA":
        raise FolderRefused(
            f"The adapter is of type {config.get('peft_type')}. Only LoRA adapters are known here."
        )
    if not isinstance(config.get("base_model_name_or_path"), str) or not config["base_model_name_or_path"]:
        raise FolderRefused(f"Its {ADAPTER} does not name its base (base_model_name_or_path). Add it.")
    changes_base = {
        "bias": config.get("bias", "none") != "none",
        "init_lora_weights": config.get("init_lora_weights", True) not in HARMLESS,
        "layer_replication": bool(config.get("layer_replication")),
        "megatron_config": bool(config.get("megatron_config")),
    }
    if found := [key for key, does in changes_base.items() if does]:
        raise FolderRefused(
            f"The adapter changes more than it adds ({found[0]}: {config[found[0]]}), and its base is shared with "
            "others. Merge it into its base, and import the whole model."
        )


def require_tokenizer(folder: Path) -> None:
    """Raise FolderRefused unless the folder has a tokenizer and a chat template."""
    settings = _tokenizer_settings(folder)
    jinja = folder / "chat_template.jinja"
    if not settings.get("chat_template") and not (
        jinja.exists() and jinja.read_text(encoding="utf-8").strip()
    ):
        raise FolderRefused(
            "Its tokenizer has no chat template, so nobody knows how to put a question to it. Take the instruct "
            "variant of the model, or add a chat_template.jinja."
        )


def _tokenizer_settings(folder: Path) -> dict[str, Any]:
    if not (folder / TOKENIZER).exists():
        raise FolderRefused(
            f"There is no {TOKENIZER}. Save the tokenizer with save_pretrained into the folder."
        )
    _json(folder / TOKENIZER)
    settings = _json(folder / TOKENIZER_CONFIG)
    _refuse_own_code(settings, TOKENIZER_CONFIG, "one")
    return settings


def _weight_files(folder: Path) -> list[str]:
    """The files that hold the weights: one, or the shards that the index names."""
    if not (folder / INDEX).exists():
        return [WEIGHTS]
    shards = _json(folder / INDEX).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise FolderRefused(f"{INDEX} names no weights. Download the model again.")
    names = sorted({str(name) for name in shards.values()})
    if bad := [name for name in names if Path(name).name != name or not name.endswith(".safetensors")]:
        raise FolderRefused(f"{INDEX} names “{bad[0]}”, which is no safetensors file of the folder.")
    return names


def _check_weights(path: Path) -> int:
    """How many numbers a safetensors file holds. Opening it checks its header against its length."""
    if not path.is_file():
        raise FolderRefused(
            f"The weights are not all there: {path.name} is missing. Download the model again."
        )
    try:
        with safe_open(path, framework="np") as tensors:
            return sum(_size(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise FolderRefused(
            f"{path.name} is damaged or cut off ({error}). Download the model again."
        ) from error


def _size(shape: Iterable[int]) -> int:
    size = 1
    for width in shape:
        size *= width
    return size


def _our_manifest(folder: Path, names: list[str], weights: list[str]) -> dict[str, Any] | None:
    """The manifest of a folder that this product exported. Raises FolderRefused where its files were altered."""
    if MANIFEST not in names:
        return None
    manifest = _json(folder / MANIFEST)
    told = manifest | {key: manifest.get(key) or {} for key in MAY_TELL}
    if any(not isinstance(told.get(key), kind) for key, kind in (TOLD | MAY_TELL).items()):
        return None  # somebody else's manifest
    files = manifest["files"]
    if overall_sha256(manifest) != manifest.get("sha256") or not set(weights) <= files.keys():
        raise FolderRefused(
            f"{MANIFEST} was altered. Export the version again, or remove it to take the rest in."
        )
    for name, expected in files.items():
        if name == CARD:  # every export writes its own
            continue
        path = folder / name
        is_missing = Path(name).name != name or not path.is_file()
        if is_missing and name in OPTIONAL:
            continue
        if is_missing or file_sha256(path) != expected:
            raise FolderRefused(
                f"{name} is missing or was altered since the export. Export the version again."
            )
    return manifest
