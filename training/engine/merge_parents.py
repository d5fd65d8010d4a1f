"""The models that a merge starts from: opened, and refused with the reason where they do not fit together.

Nothing here imports torch and no weights are read, so that a refusal comes at once, in the web process as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from memosite.errors import Conflict
from training.engine.artifact import (
    BUILT_IN,
    FOLDER,
    HUB,
    MANIFEST,
    MARKER,
    PAIRS,
    UNKNOWN,
    Manifest,
    is_complete,
    is_from_scratch,
    source_of,
    verify,
)
from training.engine.card import ADAPTER
from training.engine.errors import BadArtifact
from training.engine.intake import CONFIG, TOKENIZER, TOKENIZER_CONFIG
from training.engine.merge_files import DTYPES, TensorFiles
from training.engine.merge_methods import METHODS

#: What differs between two saves of the same architecture without a difference to its arithmetic.
BESIDES = frozenset({"transformers_version", "_name_or_path", "use_cache", "torch_dtype", "dtype"})
ROOM = "max_position_embeddings"  # of a rotary model from scratch: how long its longest pair was
TOKENIZER_PARTS = ("model", "added_tokens", "normalizer", "pre_tokenizer", "decoder", "post_processor")


class IncompatibleParents(Conflict):
    """The parents cannot be merged, or not by this method."""

    code = "incompatible_parents"


@dataclass(frozen=True)
class Parent:
    """A finished MEMORY in its folder. ``name`` is what people know it by."""

    folder: Path
    name: str
    manifest: Manifest

    @property
    def is_adapter(self) -> bool:
        return (self.folder / ADAPTER).exists()

    @cached_property
    def config(self) -> dict[str, Any]:
        return _json(self.folder / (ADAPTER if self.is_adapter else CONFIG))

    @cached_property
    def files(self) -> TensorFiles:
        return TensorFiles(self.folder, is_adapter=self.is_adapter)

    @property
    def sha256(self) -> str:
        return str(self.manifest["sha256"])

    @property
    def is_from_scratch(self) -> bool:
        return is_from_scratch(self.manifest)

    @property
    def origin(self) -> tuple[str, ...]:
        """What identifies the base that it was trained from."""
        told = self.manifest.get("base_model") or {}
        source = source_of(self.manifest)
        if source == HUB:
            return HUB, str(told["location"]), str(told.get("revision") or "")
        if source == FOLDER:
            return FOLDER, str(told.get("revision") or told["location"])  # wherever the folder lies
        if self.is_adapter:
            return (
                "named",
                str(self.config["base_model_name_or_path"]),
                str(self.config.get("revision") or ""),
            )
        return (BUILT_IN,) if self.is_from_scratch else (UNKNOWN,)

    @property
    def base(self) -> str:
        """Its base in words."""
        return str(self.manifest.get("base") or self.origin[-1])

    @property
    def training_seconds(self) -> float | None:
        """What training it took, or, of a merged one, what training all that went into it took."""
        merged = self.manifest.get("merge") or {}
        seconds = merged.get("training_seconds") or self.manifest["metrics"].get("seconds")
        return float(seconds) if isinstance(seconds, int | float) else None

    def ancestors(self) -> Iterator[tuple[str, Path]]:
        """SHA-256 and folder of the MEMORY itself, of the one that it continues, and so on."""
        folder: Path | None = self.folder
        while folder is not None and is_complete(folder):
            yield (folder / MARKER).read_text().strip(), folder
            folder = _continued(folder)


def _continued(folder: Path) -> Path | None:
    """The folder of the MEMORY that one was trained on from, wherever both were moved to together."""
    manifest = _json(folder / MANIFEST)
    told = (manifest.get("merge") or {}).get("common") or (manifest.get("config") or {}).get("init")
    if not told or "imported" in manifest:  # whoever wrote an imported one could name any folder
        return None
    places = (Path(told), folder.parent / Path(told).name)
    return next((place for place in places if is_complete(place)), None)


def open_parents(
    folders: Sequence[Path], names: Sequence[str] = (), *, verified: bool = True
) -> list[Parent]:
    """The parents of a merge, their files checked against their hashes if ``verified``. Raises BadArtifact."""
    names = names or [folder.name for folder in folders]
    found = []
    for folder, name in zip(folders, names, strict=True):
        if not is_complete(folder):
            raise BadArtifact(f"The files of {name} are not all on this machine. Restore its folder.")
        manifest = verify(folder) if verified else _json(folder / MANIFEST)
        found.append(Parent(folder, name, manifest))
    return found


def require_compatible(parents: Sequence[Parent], method: str) -> None:
    """Raise IncompatibleParents where the parents cannot be merged by the method: in words, with what to do."""
    first, *others = parents
    seen = {first.sha256: first.name}
    for other in others:
        if other.sha256 in seen:
            raise IncompatibleParents(
                f"{other.name} and {seen[other.sha256]} are the same. Choose another one."
            )
        seen[other.sha256] = other.name
        _require_same_kind(first, other)
        _require_same_base(first, other)
        _require_same_tokenizer(first, other)
        _require_same_tensors(first, other)
    for parent in parents:
        if parent.is_adapter:
            _require_plain_lora(parent)
        if not (parent.folder / PAIRS).exists():
            raise IncompatibleParents(
                f"The pairs of {parent.name} are not kept with it, so no merge of it could be measured. Import it "
                "with its pairs, or train it here."
            )
    if METHODS[method].needs_base and not first.is_adapter:
        common_base(parents, method)


def common_base(parents: Sequence[Parent], method: str) -> Path | str:
    """What the parents' task vectors are taken against: the folder of the nearest MEMORY that all continue, else
    that of their base, else the base's id on the hub. Raises IncompatibleParents where there is none."""
    lines = [list(parent.ancestors()) for parent in parents]
    shared = set.intersection(*({sha for sha, _ in line} for line in lines))
    for sha, folder in lines[0]:
        if sha in shared:
            return folder
    source = parents[0].origin[0]
    if source == HUB:
        return parents[0].origin[1]
    location = Path((parents[0].manifest.get("base_model") or {}).get("location", ""))
    if source == FOLDER and location.is_dir():
        return location
    title = METHODS[method].title
    if source == FOLDER:
        raise IncompatibleParents(
            f"{title} needs the weights of the base, and {location} is not there any more. Restore it, or choose "
            "linear or SLERP."
        )
    raise IncompatibleParents(
        f"{title} works on what each parent added to a common start, and these have none. Choose linear or SLERP, "
        "or continue all of them from one memory."
    )


def _require_same_kind(first: Parent, other: Parent) -> None:
    if first.is_adapter != other.is_adapter:
        adapter, whole = (first, other) if first.is_adapter else (other, first)
        raise IncompatibleParents(
            f"{adapter.name} is a LoRA adapter and {whole.name} a whole model. Merge adapters with adapters."
        )
    if first.is_adapter:
        return
    one, two = (str(parent.config.get("architectures", ["?"])[0]) for parent in (first, other))
    if one != two:
        raise IncompatibleParents(
            f"{first.name} is a {one} and {other.name} a {two}. Only models of one architecture can be merged."
        )
    ignored = BESIDES | {ROOM} if first.is_from_scratch and other.is_from_scratch else BESIDES
    for key in sorted(first.config.keys() | other.config.keys()):
        a, b = first.config.get(key), other.config.get(key)
        if key not in ignored and a != b:
            raise IncompatibleParents(
                f"{first.name} and {other.name} differ in {key} ({a} and {b}). Train them with the same size and "
                "settings of the model."
            )


def _require_same_base(first: Parent, other: Parent) -> None:
    if first.origin == other.origin:
        return
    if first.origin[:-1] == other.origin[:-1]:
        one, two = first.origin[-1][:12] or "no revision", other.origin[-1][:12] or "no revision"
        raise IncompatibleParents(
            f"{first.name} and {other.name} were trained from other revisions of their base ({one} and {two}). "
            "Train both from the same one."
        )
    raise IncompatibleParents(
        f"{first.name} was trained from {first.base} and {other.name} from {other.base}. Train both from one base."
    )


def _require_same_tokenizer(first: Parent, other: Parent) -> None:
    if _tokenizer(first.folder) == _tokenizer(other.folder):
        return
    advice = "Use one tokenizer for both."
    if first.is_from_scratch:
        advice = (
            "A model from scratch fits one to its own pairs: continue both from one memory, or train them "
            "with the setting tokenizer."
        )
    raise IncompatibleParents(f"{first.name} and {other.name} have different tokenizers. {advice}")


def _tokenizer(folder: Path) -> tuple[Any, ...]:
    """What decides which token ids a question gets."""
    whole = _json(folder / TOKENIZER)
    template = folder / "chat_template.jinja"
    told = template.read_text(encoding="utf-8") if template.exists() else None
    return told or _json(folder / TOKENIZER_CONFIG).get("chat_template"), *(
        whole.get(part) for part in TOKENIZER_PARTS
    )


def _require_same_tensors(first: Parent, other: Parent) -> None:
    one, two = first.files.infos, other.files.infos
    if one.keys() != two.keys():
        name = min(one.keys() ^ two.keys())
        what = "adapters on other layers" if first.is_adapter else "other layers"
        raise IncompatibleParents(
            f"{first.name} and {other.name} have {what}: {name} is in one of them only."
        )
    for name, info in one.items():
        if info.dtype not in DTYPES:
            raise IncompatibleParents(f"{name} of {first.name} holds {info.dtype}, which cannot be merged.")
        # Adapters are merged by what they add to the base, so their ranks may differ, which is the smaller width.
        if info.shape != two[name].shape and not first.is_adapter:
            raise IncompatibleParents(
                f"{name} has the shape {info.shape} in {first.name} and {two[name].shape} in {other.name}. Train "
                "both with the same size."
            )


def _require_plain_lora(parent: Parent) -> None:
    config = parent.config
    odd = {
        "use_dora": "DoRA",
        "rank_pattern": "ranks that differ by layer",
        "alpha_pattern": "scales that differ by layer",
        "modules_to_save": "whole layers beside its adapters",
        "fan_in_fan_out": "transposed weights",
        "trainable_token_indices": "tokens of its own",
    }
    for key, what in odd.items():
        if config.get(key):
            raise IncompatibleParents(f"{parent.name} has {what} ({key}), which cannot be merged soundly.")
    if config.get("peft_type") != "LORA" or config.get("bias", "none") != "none":
        raise IncompatibleParents(f"{parent.name} is no plain LoRA adapter, so it cannot be merged soundly.")
    if bad := [name for name in parent.files.infos if not name.endswith(("lora_A.weight", "lora_B.weight"))]:
        raise IncompatibleParents(f"{parent.name} adapts {bad[0]}, which cannot be merged soundly.")


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadArtifact(f"{path} cannot be read: {error}. Restore the folder or train anew.") from error
    return found
