"""A version's scores in a set are those of its newest complete run on the questions as they are now."""

from __future__ import annotations

import pytest

from tests.evaluation.contests import carry_through
from tests.factories import MemoryVersionFactory
from training.lab.lineup import lineup
from training.lab.running import start_evaluation
from training.lab.scores import latest_scores
from training.models import EvaluationRun

pytestmark = pytest.mark.django_db


def test_without_a_complete_run_there_are_none(leaders, specs):
    start_evaluation(leaders, specs)
    assert latest_scores(specs[0].version, leaders) is None


def test_they_are_those_of_the_newest_run_that_asked_the_version(leaders, specs, contest, corpus):
    carry_through(start_evaluation(leaders, specs))
    contest.answers["memory"] = {}
    carry_through(start_evaluation(leaders, specs, is_fresh=True))
    other = lineup([MemoryVersionFactory(corpus=corpus, number=4)])
    carry_through(start_evaluation(leaders, other))
    found = latest_scores(specs[0].version, leaders)
    assert found is not None
    assert (found.questions, found.exact) == (5, pytest.approx(0.2))


def test_a_run_that_failed_or_was_cancelled_tells_nothing(leaders, specs):
    carry_through(start_evaluation(leaders, specs))
    EvaluationRun.objects.update(status="cancelled")
    assert latest_scores(specs[0].version, leaders) is None


@pytest.mark.parametrize("change", ["another question", "another answer"])
def test_once_the_set_has_changed_there_are_none(leaders, specs, change):
    carry_through(start_evaluation(leaders, specs))
    question = leaders.questions.first()
    question.text, question.answers = (
        (change, ["Bo"]) if change == "another question" else (question.text, ["Bo"])
    )
    question.save()
    assert latest_scores(specs[0].version, leaders) is None
