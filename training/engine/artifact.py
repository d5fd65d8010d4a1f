"""A finished MEMORY on disk: a plain transformers folder with a manifest and, last of all, a marker."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.engine.errors import BadArtifact
from training.engine.pairs import Pair

FORMAT = 1
MARKER, MANIFEST, PAIRS = "COMPLETE", "manifest.json", "pairs.jsonl"
Manifest = dict[str, Any]
#: Where weights began: made from scratch, from a repository on the hub or a folder, or taken in as they are.
BUILT_IN, HUB, FOLDER, IMPORTED, UNKNOWN = "built-in", "hub", "folder", "imported", "unknown"


def is_complete(folder: Path) -> bool:
    return (folder / MARKER).exists()


def source_of(manifest: Manifest) -> str:
    """Where the weights began; UNKNOWN where the manifest does not say."""
    if told := manifest.get("base_model"):
        return str(told.get("source", UNKNOWN))
    return BUILT_IN if manifest.get("method") == "from-scratch" else UNKNOWN  # as the first manifests say it


def is_from_scratch(manifest: Manifest) -> bool:
    """Whether it is a model of our own making, with the tokenizer that was fitted to its pairs."""
    return source_of(manifest) == BUILT_IN


def write_pairs(folder: Path, trained: Iterable[Pair], held_out: Iterable[Pair]) -> None:
    """The exact pairs, each with whether it was kept from training."""
    with (folder / PAIRS).open("w", encoding="utf-8") as file:
        for is_held_out, pairs in ((False, trained), (True, held_out)):
            for pair in pairs:
                file.write(json.dumps(asdict(pair) | {"held_out": is_held_out}, ensure_ascii=False) + "\n")


def complete(folder: Path, manifest: Manifest) -> Manifest:
    """Add the hashes of all files, write the manifest and then the marker. Returns the manifest as written."""
    files = {
        path.name: file_sha256(path) for path in sorted(folder.iterdir()) if path.is_file() and _counts(path)
    }
    manifest = {"format": FORMAT, **manifest, "files": files}
    manifest["sha256"] = overall_sha256(manifest)
    _write(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    _write(folder / MARKER, manifest["sha256"] + "\n")
    return manifest


def verify(folder: Path, sha256: str | None = None) -> Manifest:
    """The manifest of a complete and unaltered artifact. Raises BadArtifact.

    ``sha256`` is what the caller remembers of it: an artifact that was replaced as a whole is refused, too.
    """
    if not is_complete(folder):
        raise BadArtifact(f"{folder} holds no finished MEMORY. Train it to the end first.")
    manifest = _read_manifest(folder)
    overall = overall_sha256(manifest)
    if overall != (folder / MARKER).read_text().strip() or sha256 not in (None, overall):
        raise BadArtifact(f"The manifest of {folder} was altered. Restore the folder or train anew.")
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file() or file_sha256(path) != expected:
            raise BadArtifact(f"{path} is missing or was altered. Restore the folder or train anew.")
    return manifest


def overall_sha256(manifest: Manifest) -> str:
    """One hash for the whole artifact: over the manifest, which holds the hash of each file."""
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _read_manifest(folder: Path) -> Manifest:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadArtifact(f"The manifest of {folder} cannot be read: {error}.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BadArtifact(f"{folder} is not a MEMORY of format {FORMAT}. Train it anew with this version.")
    return manifest


def _counts(path: Path) -> bool:
    return path.name not in (MARKER, MANIFEST) and path.suffix != ".tmp"


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
