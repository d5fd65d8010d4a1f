"""A corpus with an evaluation set, and contestants that answer by heart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from knowledge.models import Corpus
from tests.evaluation.contests import Contest, make_set, replaced_kinds
from tests.factories import CorpusFactory, MemoryVersionFactory
from training.lab.runs.contestants import Spec
from training.lab.runs.lineup import lineup
from training.models import EvaluationSet


@pytest.fixture
def contest() -> Iterator[Contest]:
    yield from replaced_kinds(Contest())


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour", name="Harbour")


@pytest.fixture
def leaders(corpus: Corpus) -> EvaluationSet:
    return make_set(corpus)


@pytest.fixture
def specs(corpus: Corpus, contest: Contest) -> list[Spec]:
    """A memory that knows all, and retrieval that finds nothing."""
    return lineup([MemoryVersionFactory(corpus=corpus, number=3)], against=[("bm25", {"top": 1})])
