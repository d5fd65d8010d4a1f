"""Two memories that can be merged, as versions of two corpora, and somebody who may merge them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from knowledge.models import Corpus
from tests.factories import CorpusFactory, UserFactory
from tests.training import parents as make
from training.models import MemoryVersion


@pytest.fixture(scope="session")
def merge_folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two MEMORYs that go on from one start."""
    return make.family(tmp_path_factory.mktemp("family"), steps=6)[1]


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
