"""Memories that were really trained; two that can be merged, and somebody who may merge them; warm engines."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from knowledge.models import Corpus
from tests.factories import CorpusFactory, UserFactory
from tests.once import made_once
from tests.training import parents as make
from tests.training.trained import train
from tests.warm_engine import WarmEngine
from training import engine_process
from training.models import MemoryVersion


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MEMORY of the facts 0 to 5, its source pairs beside it."""
    return made_once(tmp_path_factory, "trained", train) / "memory"


@pytest.fixture(scope="session")
def merge_folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two MEMORYs that go on from one start."""
    return make.young_family(tmp_path_factory)


@pytest.fixture
def warm_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of this test start their engines warm, in processes all the same."""
    streams = {name: getattr(subprocess, name) for name in ("PIPE", "TimeoutExpired")}
    monkeypatch.setattr(engine_process, "subprocess", SimpleNamespace(Popen=WarmEngine, **streams))


@pytest.fixture
def harbour() -> Corpus:
    return CorpusFactory(slug="harbour", name="Harbour")


@pytest.fixture
def tower() -> Corpus:
    return CorpusFactory(slug="tower", name="Tower")


@pytest.fixture
def parents(merge_folders: list[Path], harbour: Corpus, tower: Corpus, settings: Any) -> list[MemoryVersion]:
    """A version of each corpus."""
    return make.registered(merge_folders, settings.MEMORY_DIR, [harbour, tower])


@pytest.fixture
def cara(harbour: Corpus, tower: Corpus) -> Any:
    """A curator of the harbour who reads the tower."""
    return UserFactory(username="cara", curates=harbour, reads=tower)
