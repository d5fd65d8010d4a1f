"""What the gate says of the versions that a run asked."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from training.models import EvaluationRun, MemoryVersion


def failures_of(run: EvaluationRun) -> list[str]:
    """The rules of the corpus that a version of the run does not hold, in words."""
    return [f"{version}: {finding.words}" for version in versions_of(run) for finding in _broken(version)]


def versions_of(run: EvaluationRun) -> list[MemoryVersion]:
    """The versions that answered without noise."""
    rows = run.contestants.filter(version__isnull=False, noise=0).select_related("version__corpus")
    return list(dict.fromkeys(row.version for row in rows if row.version))


def _broken(version: MemoryVersion) -> Iterator[Any]:
    gate = import_module("training.lab.gate")  # which reads scores of runs, and so comes after them
    return (finding for finding in gate.findings(version) if not finding.passed)
