"""A tiny MEMORY that was really trained, as an artifact and as a version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.factories import CorpusFactory, MemoryVersionFactory
from tests.training.bases import save_qwen2
from tests.training.test_engine import facts, run, write
from training.engine.config import load_config
from training.engine.pairs import Pair
from training.engine.run import train_memory
from training.models import MemoryVersion, TrainedPair, pair_digest
from training.rebuilding import keep_source_pairs

QUICK = {"full_rate_steps": 40, "near_recall": 1.0, "max_decays": 1, "check_below": 0.01}


def train(folder: Path) -> Path:
    """Train for a few seconds; returns the artifact, its source pairs beside it."""
    code, events = run(write(folder, facts(6), **QUICK))
    assert code == 0, events[-1]
    return folder / "memory"


def train_adapter(folder: Path) -> Path:
    """A LoRA adapter on a base of random weights: it knows nothing yet, and says it in words of its own."""
    pairs = facts(6)
    base = save_qwen2(folder / "base", [f"{pair['question']} {pair['answer']}" for pair in pairs])
    folder = folder / "adapter"
    write(folder, pairs)
    options = [f"base={base}", "max_steps=12", "learning_rate=5e-3", "accumulate=1"]
    config = load_config(None, options, "lora")
    for _ in train_memory([Pair(**pair) for pair in pairs], folder / "memory", config):
        pass
    return folder / "memory"


def version_of(artifact: Path, memories: Path, **fields: Any) -> MemoryVersion:
    """A version of the corpus “harbour” whose folder is a copy of the artifact, as if it were registered."""
    fields.setdefault("corpus", None)
    corpus = fields.pop("corpus") or CorpusFactory(slug="harbour", name="Harbour")
    folder = shutil.copytree(artifact, memories / "harbour-first")
    pairs_file = shutil.copy(artifact.parent / "pairs.jsonl", memories / "harbour-first.pairs.jsonl")
    keep_source_pairs(pairs_file, folder)
    pairs_file.unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    version: MemoryVersion = MemoryVersionFactory(
        corpus=corpus,
        path=folder.name,
        **{key: manifest[key] for key in ("base", "method", "config", "metrics", "sha256", "data_sha256")},
        **fields,
    )
    pairs = [json.loads(line) for line in (folder / "pairs.jsonl").read_text().splitlines()]
    TrainedPair.objects.bulk_create(
        TrainedPair(
            version=version,
            question=pair["question"],
            answer=pair["answer"],
            digest=pair_digest(pair["question"], pair["answer"]),
            held_out=pair["held_out"],
        )
        for pair in pairs
    )
    return version
