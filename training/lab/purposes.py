"""The work of a ProbeRun, by what it is for: which questions it asks, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from training.lab.forgetting import services as forgetting
from training.lab.probes import diff, learned
from training.lab.probes.probing import Questions, ask_all
from training.models import ProbeRun, Purpose

PURPOSES: dict[str, tuple[Callable[[ProbeRun], Questions], Callable[[ProbeRun], dict[str, Any]]]] = {
    Purpose.LEARNED: (learned.questions_of, learned.result_of),
    Purpose.DIFF: (diff.questions_of, diff.result_of),
    Purpose.FORGETTING: (forgetting.questions_of, forgetting.result_of),
}


def perform_probes(run: ProbeRun) -> None:
    """Ask all that the run is to ask, then keep what came of it in its ``result``. It can be repeated safely."""
    questions_of, result_of = PURPOSES[run.purpose]
    run.report(phase="collecting questions")
    ask_all(run, questions_of(run))
    run.report(phase="comparing answers")
    run.report(result={**run.result, **result_of(run)})
