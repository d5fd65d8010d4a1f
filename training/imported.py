"""What an imported folder says of where it comes from, in the words of this site's registry.

A manifest proves that its files are whole and no more: who wrote it wrote its hash as well. If a place that it
names were followed, an import could be loaded from, or merged with, any folder of this machine, and tell readers
of one corpus what the memory of another knows. So each place is replaced by that of an approved base, or dropped.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from training.choices import pretrained_base
from training.engine.artifact import BUILT_IN, FOLDER, HUB, IMPORTED, Manifest, is_from_scratch, source_of
from training.engine.card import ADAPTER
from training.engine.fold import TOKENIZER_FILES
from training.engine.intake import TOKENIZER, FolderRefused, Intake, require_tokenizer
from training.models import BaseModel, BaseSource

#: Settings of a training that name a place, and what they are where there is none.
PLACES: dict[str, Any] = {"base": "", "revision": None, "init": None, "tokenizer": None}
DEFAULT_BRANCH = "main"
HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def known_base(intake: Intake) -> BaseModel | None:
    """The approved base of the folder; none of a whole model where it is not known here.

    Raises FolderRefused for an adapter without one.
    """
    told = (intake.manifest or {}).get("base_model") or {}
    revision = str(told.get("revision") or intake.config.get("revision") or "")
    if not intake.is_adapter:
        is_placed = source_of(intake.manifest or {}) in (HUB, FOLDER)
        return pretrained_base(str(told.get("location")), revision) if is_placed else None
    named = intake.config["base_model_name_or_path"]
    base = pretrained_base(named, "" if revision == DEFAULT_BRANCH else revision)
    if base is None:
        at = f" at revision {revision[:12]}" if pretrained_base(named, "") else ""
        raise FolderRefused(
            f"The adapter's base “{named}”{at} is not among the bases of this site. Add it there first."
        )
    return base


def as_known_here(manifest: Manifest, base: BaseModel | None) -> Manifest:
    """The manifest without the places that it names: its base is the approved one, or is not known."""
    config = dict(manifest["config"])
    config |= {key: nothing for key, nothing in PLACES.items() if key in config}
    origin = {"source": IMPORTED, "location": str(manifest["base"]), "revision": ""}
    if base:
        trained_on = str((manifest.get("base_model") or {}).get("revision") or "")
        origin = {"source": base.source, "location": base.location, "revision": _revision(base, trained_on)}
    elif is_from_scratch(manifest):
        origin = manifest.get("base_model") or origin | {"source": BUILT_IN}
    found = manifest | {"config": config, "base_model": origin}
    if "merge" in manifest:
        told = manifest["merge"] or {}
        found["merge"] = {key: value for key, value in told.items() if key != "common"}
    return found


def _revision(base: BaseModel, told: str) -> str:
    """The base's pinned revision, else that which the folder was trained on, where it is a commit or a hash."""
    return base.revision or (told if HASH.fullmatch(told) else "")


def settle_adapter(folder: Path, base: BaseModel) -> None:
    """Have the copy of an adapter name its approved base, and take the base's tokenizer if it has none of its own.

    Raises FolderRefused where the base that has the tokenizer is not on this machine.
    """
    path = folder / ADAPTER
    config = json.loads(path.read_text(encoding="utf-8"))
    told = str(config.get("revision") or "")
    revision = _revision(base, told) if base.source == BaseSource.HUB else ""
    config |= {"base_model_name_or_path": base.location, "revision": revision or None, "auto_mapping": None}
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    if not (folder / TOKENIZER).exists():
        _take_tokenizer(folder, base)


def _take_tokenizer(folder: Path, base: BaseModel) -> None:
    """Copy tokenizer and chat template of the base, which an adapter that was saved alone goes without."""
    source = _files_of(base)
    for name in TOKENIZER_FILES:
        if source and (source / name).exists() and not (folder / name).exists():
            shutil.copyfile(source / name, folder / name)
    try:
        require_tokenizer(folder)
    except FolderRefused as refusal:
        raise FolderRefused(
            f"The adapter comes without a tokenizer, and its base “{base}” has none with a chat template on this "
            "machine. Save the tokenizer of the base with save_pretrained into the folder."
        ) from refusal


def _files_of(base: BaseModel) -> Path | None:
    """Where the base's files are on this machine. Nothing is fetched."""
    if base.source == BaseSource.FOLDER:
        return Path(base.location)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(base.location, revision=base.revision or None, local_files_only=True))
    except (OSError, ValueError):
        return None
