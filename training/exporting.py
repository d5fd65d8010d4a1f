"""Versions as folders that other software loads: weights, tokenizer, a model card, and the manifest."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from memosite.errors import Conflict, Unavailable
from training.engine.artifact import MANIFEST, MARKER, is_complete
from training.engine.card import ADAPTER, CardFacts, model_card
from training.engine.intake import CARD
from training.models import BaseSource, MemoryVersion

PAIR_FILES = ("pairs.jsonl", "source_pairs.jsonl")  # the knowledge in clear words
BLOCK = 1 << 20


class ArtifactMissing(Unavailable):
    """The version's folder is not on this machine."""

    code = "artifact_missing"


def card_of(version: MemoryVersion) -> str:
    """The version's model card."""
    return model_card(_facts(version))


def _facts(version: MemoryVersion) -> CardFacts:
    base = version.base_model
    manifest = _manifest(version)
    return CardFacts(
        name=str(version),
        corpora=[str(corpus) for corpus in version.corpora.order_by("name")],
        kind=version.kind,
        base=version.base,
        base_repository=base.location if base and base.source == BaseSource.HUB else "",
        base_revision=base.revision if base else "",
        licence=version.licence,
        method=version.method,
        parents=[str(parent) for parent in version.parents.select_related("corpus")],
        pairs=version.pairs.filter(held_out=False).count(),
        held_out=version.pairs.filter(held_out=True).count(),
        data_sha256=version.data_sha256,
        sha256=version.sha256,
        code_version=version.code_version,
        made=f"{version.trained_at:%d %B %Y}".lstrip("0"),
        parameters=version.parameters or 0,
        config=version.config,
        metrics=version.metrics,
        environment=manifest.get("environment") or {},
        is_adapter=is_adapter(version),
    )


def _manifest(version: MemoryVersion) -> dict[str, Any]:
    try:
        found = json.loads((version.folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def exported_files(version: MemoryVersion, *, with_pairs: bool = False) -> dict[str, Path]:
    """The files of the export by name, the card apart. Raises ArtifactMissing.

    The pairs are left out unless asked for: they are the knowledge in clear words.
    """
    if not is_complete(version.folder):
        raise ArtifactMissing(
            f"The files of {version} are not on this machine. Restore its folder “{version.path}” from a backup."
        )
    left_out = {MARKER, CARD, *(() if with_pairs else PAIR_FILES)}
    return {
        path.name: path
        for path in sorted(version.folder.iterdir())
        if path.is_file() and path.name not in left_out and path.suffix != ".tmp"
    }


def export_folder(version: MemoryVersion, folder: Path, *, with_pairs: bool = False) -> None:
    """Write the export into a new or empty folder. Raises Conflict where there is something in it."""
    files = exported_files(version, with_pairs=with_pairs)
    _make_empty(folder)
    for name, path in files.items():
        shutil.copyfile(path, folder / name)
    (folder / CARD).write_text(card_of(version), encoding="utf-8")


def export_folded(version: MemoryVersion, folder: Path) -> None:
    """Write an adapter version with its base as one plain model, for software that knows no adapters.

    It is held in memory as a whole. Raises Conflict where the version is no adapter, or the folder is not empty.
    """
    exported_files(version)
    if not is_adapter(version):
        raise Conflict(f"{version} is a whole model already. Export it as it is.")
    _make_empty(folder)
    from training.engine.fold import fold_adapter

    fold_adapter(version.folder, folder)
    (folder / CARD).write_text(model_card(replace(_facts(version), is_adapter=False)), encoding="utf-8")


def is_adapter(version: MemoryVersion) -> bool:
    return (version.folder / ADAPTER).exists()


def _make_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is not an empty folder. Name a new one.")
    folder.mkdir(parents=True, exist_ok=True)


def export_zip(version: MemoryVersion, *, with_pairs: bool = False) -> Iterator[bytes]:
    """The export as a zip file with one folder in it, a block at a time; nothing is held in memory or on disk.

    Raises ArtifactMissing before the first block. Weights do not compress, so nothing is compressed.
    """
    files = exported_files(version, with_pairs=with_pairs)
    return _zipped(export_name(version), files, card_of(version))


def export_name(version: MemoryVersion) -> str:
    return f"{version.corpus.slug}-v{version.number}"


class _Outgoing:
    """What a zip file is written to: it keeps the bytes until they are sent."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data, self._waiting = b"".join(self._waiting), []
        return data


def _zipped(root: str, files: dict[str, Path], card: str) -> Iterator[bytes]:
    out = _Outgoing()
    with zipfile.ZipFile(out, "w") as archive:  # type: ignore[call-overload]  # it cannot be sought in: zipfile copes
        archive.writestr(f"{root}/{CARD}", card)
        for name, path in files.items():
            entry = zipfile.ZipInfo.from_file(path, f"{root}/{name}", strict_timestamps=False)
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                while block := source.read(BLOCK):
                    target.write(block)
                    yield out.take()
    yield out.take()
