"""Figures and a threshold for a version that comes in without: measured on the approved pairs of its corpus."""

from __future__ import annotations

import tempfile
from pathlib import Path

from knowledge.models import Corpus
from training.continuing import trainable_pairs
from training.engine import artifact
from training.engine.pairs import write_pairs
from training.engine_process import Event, engine_command, follow_engine


def evaluated(corpus: Corpus, folder: Path, manifest: artifact.Manifest) -> artifact.Manifest:
    """The manifest of an artifact with what an engine measured, written into its folder. Raises EngineFailed."""
    found: Event = {}

    def record(event: Event) -> None:
        if event.get("event") == "fitted":
            found.update({key: event[key] for key in ("abstention", "metrics")})

    with tempfile.TemporaryDirectory(prefix="evaluating-") as name:
        pairs = Path(name) / "pairs.jsonl"
        write_pairs(pairs, trainable_pairs(corpus))
        command = [*engine_command("fit"), "--model", str(folder), "--pairs", str(pairs)]
        follow_engine(command, Path(name) / "engine.log", record)
    kept = {key: value for key, value in manifest.items() if key not in ("files", "sha256")}
    return artifact.complete(folder, kept | found)
