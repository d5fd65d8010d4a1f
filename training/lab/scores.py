"""What a version scored in an evaluation set, for whoever decides whether it may go live."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from memosite.runs import COMPLETE
from training.evaluation.metrics import Summary
from training.models import EvaluationContestant, EvaluationSet, MemoryVersion


def latest_scores(version: MemoryVersion, evaluation_set: EvaluationSet) -> Summary | None:
    """The summary of the version's newest complete evaluation on the set as it is now, without noise.

    The first contestant of that run that asked the version counts. None where there is no such run: one that asked
    other questions, because the set was changed since, tells nothing of the set.
    """
    runs = EvaluationContestant.objects.filter(
        version=version, noise=0, run__evaluation_set=evaluation_set, run__status__in=COMPLETE
    )
    wanted = _content(evaluation_set.questions.all())
    for contestant in runs.select_related("run").order_by("-run__pk", "position"):
        if contestant.summary and _content(contestant.run.questions.all()) == wanted:
            return as_summary(contestant.summary)
    return None


def as_summary(stored: dict[str, Any]) -> Summary:
    """A stored summary as it was computed."""
    known = {field.name for field in fields(Summary)}
    return Summary(**{name: value for name, value in stored.items() if name in known})


def _content(questions: Iterable[Any]) -> list[tuple[str, str]]:
    """What is asked and what is right."""
    return sorted(
        (row.text, repr((sorted(map(str, row.answers)), row.is_set, row.answerable))) for row in questions
    )
