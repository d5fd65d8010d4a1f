"""Rows for tests of the gate: its rules, golden sets, and what versions answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from knowledge.models import Corpus
from memosite.runs import Status
from training.models import (
    AskedQuestion,
    EvaluationAnswer,
    EvaluationContestant,
    EvaluationQuestion,
    EvaluationRun,
    EvaluationSet,
    GateRules,
    MemoryVersion,
)

QUESTIONS = ("Who leads Project Atlas?", "Where is the Harbour?")


def make_rules(corpus: Corpus, **rules: Any) -> GateRules:
    """Rules that ask for nothing but what is named."""
    return GateRules.objects.create(corpus=corpus, **{"golden_must_pass": False, **rules})


def make_set(
    corpus: Corpus, name: str = "Must know", questions: Sequence[str] = QUESTIONS, *, golden: bool = True
) -> EvaluationSet:
    made = EvaluationSet.objects.create(corpus=corpus, name=name, is_golden=golden)
    for text in questions:
        EvaluationQuestion.objects.create(evaluation_set=made, text=text, answers=["Ada"])
    return made


def evaluate(
    version: MemoryVersion,
    asked: EvaluationSet,
    *,
    wrong: Sequence[str] = (),
    status: str = Status.SUCCEEDED,
    run: EvaluationRun | None = None,
    **contestant: Any,
) -> EvaluationRun:
    """The version answers the questions of the set as they are now, right but for the ones named."""
    run = run or EvaluationRun.objects.create(
        corpus=version.corpus, evaluation_set=asked, title="Nightly", status=status
    )
    fields = {"kind": "memory", "executive": "rules", "label": "MeMo", **contestant}
    row = EvaluationContestant.objects.create(
        run=run, version=version, position=run.contestants.count(), **fields
    )
    for position, question in enumerate(asked.questions.all()):
        put, _ = AskedQuestion.objects.get_or_create(
            run=run, position=position, defaults={"text": question.text, "answers": question.answers}
        )
        EvaluationAnswer.objects.create(contestant=row, question=put, exact=question.text not in wrong)
    return run
