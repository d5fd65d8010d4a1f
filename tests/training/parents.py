"""Tiny MEMORYs that can be merged: continued from one start, adapters on one base, whole models of one base."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from knowledge.models import Corpus
from tests.factories import MemoryVersionFactory, ReflectionFactory, TrainedPairFactory
from tests.once import made_once
from tests.training.bases import save_qwen2
from tests.training.test_engine import TINY, facts
from training.engine.config import EngineConfig
from training.engine.pairs import Pair
from training.engine.run import train_memory
from training.models import MemoryVersion

SHORT = {
    "schedule": "linear",
    "epochs": 400,
    "check_every": 1000,
    "precision": "fp32",
    "evaluation_sample": 20,
}
LORA = {"method": "lora", "learning_rate": 5e-3, "average": 0.0, "bpe_dropout": 0.0, "batch_size": 8}


def pairs(first: int, last: int) -> list[Pair]:
    """The wordings of the facts from the first to before the last."""
    return [Pair(**pair) for pair in facts(last)[4 * first :]]


def train(folder: Path, some: list[Pair], steps: int, **config: Any) -> Path:
    """A MEMORY after so many steps."""
    for _ in train_memory(some, folder, EngineConfig(**{**SHORT, "max_steps": steps, **config})):
        pass
    return folder


def family(folder: Path, steps: int = 30) -> tuple[Path, list[Path]]:
    """A MEMORY from scratch, and two that go on from it with facts of their own."""
    start = train(folder / "start", pairs(0, 8), steps, **{**TINY, "check_every": 1000})
    children = [
        train(folder / name, pairs(first, first + 4), steps, init=str(start), learning_rate=1e-3)
        for name, first in (("one", 8), ("two", 12))
    ]
    return start, children


def young_family(folders: pytest.TempPathFactory) -> list[Path]:
    """Two MEMORYs that go on from one start, hardly trained, for tests of merging that read them alone."""
    folder = made_once(folders, "young-family", lambda made: family(made, steps=6))
    return [folder / "one", folder / "two"]


def registered(folders: list[Path], memories: Path, corpora: list[Corpus]) -> list[MemoryVersion]:
    """Copies of finished MEMORYs as versions, each of the corpus in its place, with reflections of its pairs."""
    versions = []
    for folder, corpus in zip(folders, corpora, strict=True):
        path = shutil.copytree(folder, memories / f"{corpus.slug}-{folder.name}").name
        manifest = json.loads((folder / "manifest.json").read_text())
        keys = ("base", "method", "config", "metrics", "sha256", "data_sha256")
        fields = {key: manifest[key] for key in keys}
        version = MemoryVersionFactory(corpus=corpus, path=path, licence="apache-2.0", **fields)
        for line in (folder / "pairs.jsonl").read_text().splitlines():
            pair = {key: json.loads(line)[key] for key in ("question", "answer", "held_out")}
            reflection = ReflectionFactory(corpus=corpus, question=pair["question"], answer=pair["answer"])
            TrainedPairFactory(version=version, reflection=reflection, **pair)
        versions.append(version)
    return versions


def base_of(folder: Path) -> Path:
    return save_qwen2(folder, [f"{pair.question} {pair.answer}" for pair in pairs(0, 16)])


def adapters(folder: Path, base: Path, steps: int = 12, ranks: tuple[int, int] = (4, 6)) -> list[Path]:
    """Two LoRA adapters on a base, of their own ranks and facts."""
    return [
        train(folder / name, pairs(first, first + 4), steps, **LORA, base=str(base), lora_rank=rank)
        for (name, first), rank in zip((("one", 0), ("two", 4)), ranks, strict=True)
    ]
