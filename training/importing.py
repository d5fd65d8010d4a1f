"""Taking in model folders as versions: those that were exported here, and any other causal language model."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.db import transaction

from knowledge.models import Corpus
from memosite.errors import Unavailable
from memosite.people import account_of
from training.build_info import size_of
from training.engine import ENGINE_VERSION, artifact
from training.engine.card import licence_in
from training.engine.intake import CONFIG, FolderRefused, Intake, examine, is_taken
from training.import_measuring import evaluated
from training.imported import as_known_here, known_base, settle_adapter
from training.models import BaseModel, MemoryVersion, VersionKind
from training.registering import add_pairs
from training.registry import next_number

METHOD = "imported"
MOST_FILES = 200
BLOCK = 1 << 20
ANSWER_TOKENS, QUESTION_TOKENS = 256, 512
#: Nothing was measured, so nothing is held back: every finished answer stands.
ANSWERS_EVERYTHING = {"threshold": 0.0, "echo": {"names": False, "common": None}}


class NoSpace(Unavailable):
    """The disk is too full."""

    code = "no_space"


def import_folder(
    corpus: Corpus, folder: Path, person: Any = None, *, notes: str = "", evaluate: bool = False
) -> MemoryVersion:
    """Copy a transformers or adapter folder below the memory folder and register it as a version of the corpus.

    A folder that was exported by such a site is verified and keeps its figures, settings and threshold; any other
    one answers everything. ``evaluate`` has it measured on the approved pairs of the corpus (slow). Figures that
    were measured neither so nor of a version of this corpus are shown, and count for nothing.
    Raises FolderRefused, NoSpace, and EngineFailed where it cannot be measured; then nothing has changed.
    """
    intake = examine(folder)
    base = known_base(intake)
    _require_space(sum((folder / name).stat().st_size for name in intake.files))
    settings.MEMORY_DIR.mkdir(parents=True, exist_ok=True)
    target = settings.MEMORY_DIR / f"{corpus.slug}-import-{uuid.uuid4().hex[:12]}"
    try:
        manifest = _copy(folder, target, intake, base)
        is_known = _was_exported_from(corpus, manifest)
        if evaluate and not is_known:
            manifest, is_known = evaluated(corpus, target, manifest), True
        with transaction.atomic():
            return _register(corpus, target, intake, manifest, base, person, notes, is_measured_here=is_known)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _was_exported_from(corpus: Corpus, manifest: artifact.Manifest) -> bool:
    """Whether it is an unaltered version of the corpus: the hash is over the figures as well."""
    same = corpus.versions.filter(sha256=manifest["imported"]["sha256"], is_measured_here=True)
    return bool(manifest["metrics"]) and same.exists()


def _require_space(needed: int) -> None:
    existing = next(path for path in (settings.MEMORY_DIR, *settings.MEMORY_DIR.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if needed * 1.05 > free:
        raise NoSpace(
            f"The files take {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free. Make room first."
        )


def _copy(folder: Path, target: Path, intake: Intake, base: BaseModel | None) -> artifact.Manifest:
    """The files and then the marker: a copy that is cut off is no artifact, and ``sweep_memories`` removes it."""
    target.mkdir(parents=True)
    for name in intake.files:
        shutil.copyfile(folder / name, target / name)
    if intake.is_adapter and base:
        settle_adapter(target, base)
    kept = {
        key: value
        for key, value in (intake.manifest or {}).items()
        if key not in ("files", "sha256", "format")
    }
    made = kept or _foreign_manifest(intake)
    origin = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": (intake.manifest or {}).get("sha256"),
    }
    return artifact.complete(target, as_known_here(made, base) | {"imported": origin})


def _foreign_manifest(intake: Intake) -> artifact.Manifest:
    longest = intake.config.get("max_position_embeddings")
    room = longest if isinstance(longest, int) and longest > 1 else QUESTION_TOKENS + ANSWER_TOKENS
    answer = min(ANSWER_TOKENS, room // 2)
    base = (
        intake.config["base_model_name_or_path"] if intake.is_adapter else intake.config.get("_name_or_path")
    )
    return {
        "engine": ENGINE_VERSION,
        "method": METHOD,
        "base": str(base or intake.architecture),
        "config": {},
        "metrics": {},
        "abstention": ANSWERS_EVERYTHING,
        "limits": {"question_tokens": min(QUESTION_TOKENS, room - answer), "answer_tokens": answer},
        "data_sha256": "",
    }


def _register(
    corpus: Corpus,
    target: Path,
    intake: Intake,
    manifest: artifact.Manifest,
    base: BaseModel | None,
    person: Any,
    notes: str,
    *,
    is_measured_here: bool,
) -> MemoryVersion:
    Corpus.objects.select_for_update().get(pk=corpus.pk)
    version = MemoryVersion.objects.create(
        corpus=corpus,
        number=next_number(corpus),
        kind=VersionKind.IMPORTED,
        base=str(manifest["base"])[:200],
        base_model=base,
        licence=_licence(target, base),
        method=str(manifest["method"])[:40],
        config=manifest["config"],
        metrics=manifest["metrics"],
        is_measured_here=is_measured_here or not manifest["metrics"],
        path=target.name,
        sha256=manifest["sha256"],
        data_sha256=manifest["data_sha256"],
        parameters=manifest["metrics"].get("parameters") or intake.parameters,
        size_bytes=size_of(target),
        notes=notes,
        created_by=account_of(person),
    )
    _set_audience(version, manifest)
    if (target / artifact.PAIRS).exists():
        add_pairs(version, target / artifact.PAIRS)
    return version


def _set_audience(version: MemoryVersion, manifest: artifact.Manifest) -> None:
    """The corpus; and where it was exported from a version of this site, all that that one learned from."""
    version.corpora.add(version.corpus)
    if sha256 := manifest["imported"]["sha256"]:
        for origin in MemoryVersion.objects.filter(sha256=sha256):
            version.corpora.add(*origin.corpora.all())
            version.parents.add(origin)


def _licence(target: Path, base: BaseModel | None) -> str:
    card = target / "README.md"
    told = licence_in(card.read_text(encoding="utf-8", errors="replace")) if card.exists() else ""
    return told or (base.licence if base else "")


# --- Zip files ---------------------------------------------------------------------------------------------
def import_zip(
    corpus: Corpus, file: IO[bytes], person: Any = None, *, notes: str = "", evaluate: bool = False
) -> MemoryVersion:
    """As ``import_folder``, from a zip file that holds the folder or its files. Raises FolderRefused."""
    with _unpacked(file) as folder:
        return import_folder(corpus, folder, person, notes=notes, evaluate=evaluate)


@contextmanager
def _unpacked(file: IO[bytes]) -> Iterator[Path]:
    """The zip's folder, unpacked beside the memories for as long as it is needed."""
    settings.MEMORY_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=settings.MEMORY_DIR) as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(file) as archive:
                _unpack(archive, folder)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise FolderRefused(f"The zip file cannot be read: {error}. Pack the folder again.") from error
        yield folder


def _unpack(archive: zipfile.ZipFile, folder: Path) -> None:
    """Write the files of one folder out under their plain names, never more bytes than are allowed in all.

    What the archive says about sizes and paths is not trusted: names are checked, and bytes counted as they come.
    """
    members = _members(archive)
    most = settings.MAX_MODEL_UPLOAD_BYTES
    _require_space(min(most, sum(member.file_size for member in members.values())))
    written = 0
    for name, member in members.items():
        with archive.open(member) as source, (folder / name).open("xb") as target:
            while block := source.read(BLOCK):
                written += len(block)
                if written > most:
                    raise FolderRefused(
                        f"Its files take more than {most >> 20} MiB unpacked. Use the command import_version."
                    )
                target.write(block)


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files to take by name: those beside ``config.json`` or the adapter's. Raises FolderRefused."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MOST_FILES:
        raise FolderRefused(
            f"The zip file holds {len(infos)} files; a model folder has at most {MOST_FILES}."
        )
    found: dict[str, zipfile.ZipInfo] = {}
    roots = set()
    for info in infos:
        path = PurePosixPath(info.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename:
            raise FolderRefused(
                f"The zip file holds the path “{info.filename}”, which leads out of its folder."
            )
        if path.name.startswith(".") or "__MACOSX" in path.parts or not is_taken(path.name):
            continue
        roots.add(path.parent)
        found[path.name] = info
    if len(roots) != 1:
        raise FolderRefused(
            f"The zip file has to hold one folder with {CONFIG} and its weights, and no others."
        )
    if len(found) != len({name.casefold() for name in found}):
        raise FolderRefused(
            "The zip file holds two files whose names differ in case only. Pack the folder again."
        )
    return found
