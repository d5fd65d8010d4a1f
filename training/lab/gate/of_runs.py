"""What the gate says of the versions that a run asked."""

from __future__ import annotations

from training.lab.gate.rules import Finding, findings
from training.models import EvaluationRun, MemoryVersion


def findings_of(run: EvaluationRun) -> list[tuple[MemoryVersion, Finding]]:
    """What the rules of the corpus say to each version of the run."""
    return [(version, finding) for version in versions_of(run) for finding in findings(version)]


def versions_of(run: EvaluationRun) -> list[MemoryVersion]:
    """The versions that answered without noise."""
    rows = run.contestants.filter(version__isnull=False, noise=0).select_related("version__corpus")
    return list(dict.fromkeys(row.version for row in rows if row.version))
