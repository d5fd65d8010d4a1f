"""What a run found: the summary of each contestant, comparisons in pairs, and the figures by tag."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy

from training.evaluation.judge import agreement
from training.evaluation.metrics import Score, Scored, summarise
from training.evaluation.statistics import bootstrap_interval, holm, paired
from training.evaluation.types import Answered
from training.lab.runs.judging import needed_judge
from training.models import AskedQuestion, EvaluationAnswer, EvaluationContestant, EvaluationRun

PROBLEMS_KEPT = 200
MOST_VALUES = 30  # of a tag: one with more tells questions apart, and no kinds of them
FIGURES = ("text", "values", "known", "error", "exact", "f1", "judged", "judged_why", "is_cached")
COST = ("calls", "prompt_tokens", "completion_tokens", "read_tokens", "cost", "seconds")
METRICS = ("exact", "f1")
Answers = dict[int, dict[int, EvaluationAnswer]]  # by contestant, by question


def keep_result(run: EvaluationRun, unjudged: Sequence[dict[str, str]]) -> None:
    """Sum up what contestants answered that were asked everything, and store it with them and the run.

    ``unjudged`` are the answers that got no verdict, each with the reason.
    """
    questions = list(run.questions.order_by("position"))
    answers = _answers(run)
    run.contestants.update(summary={})
    contestants = [
        one for one in run.contestants.order_by("position") if len(answers[one.pk]) == len(questions)
    ]
    for contestant in contestants:
        contestant.summary = summary_of(questions, answers[contestant.pk], is_judged=bool(run.judge))
        contestant.summary |= _seen_in_training(contestant)
        contestant.save(update_fields=["summary"])
    result: dict[str, Any] = {
        "paired": _against_the_first(
            run.contestants.order_by("position")[0], contestants, questions, answers
        ),
        "noise": _against_the_clean(contestants, questions, answers),
        "tags": _by_tag(contestants, questions, answers),
        "judge": run.result.get("judge", {}),
    }
    problems = [*_problems(contestants, questions, answers), *unjudged]
    run.report(result=result, item_errors=problems[:PROBLEMS_KEPT])


def _answers(run: EvaluationRun) -> Answers:
    found: Answers = defaultdict(dict)
    for row in EvaluationAnswer.objects.filter(contestant__run=run).only(
        "contestant", "question", *FIGURES, *COST
    ):
        found[row.contestant_id][row.question_id] = row
    return found


def summary_of(
    questions: Sequence[AskedQuestion], answers: Mapping[int, EvaluationAnswer], *, is_judged: bool = False
) -> dict[str, Any]:
    """The summary of one contestant's answers, with its errors, what was cached, and what the judge says."""
    scored = [_scored(row, answers[row.pk]) for row in questions]
    given = [answers[row.pk] for row in questions]
    summary: dict[str, Any] = summarise(scored).as_dict()
    summary["errors"] = sum(1 for row in given if row.error)
    summary["cached"] = sum(1 for row in given if row.is_cached)
    return summary | (_judged(given) if is_judged else {})


def _seen_in_training(contestant: EvaluationContestant) -> dict[str, int]:
    """Of a memory, how many of the questions it was trained on, letter by letter."""
    if contestant.version is None:
        return {}
    trained = contestant.version.pairs.filter(held_out=False).order_by().values("question")
    return {"trained_on": contestant.run.questions.filter(text__in=trained).count()}


def _scored(question: AskedQuestion, row: EvaluationAnswer) -> Scored:
    costs = {name: getattr(row, name) for name in COST}
    answered = Answered(row.text, tuple(row.values), row.known, **costs)
    return Scored(question.as_question(), answered, Score(row.exact, row.f1), failed=bool(row.error))


def _judged(answers: Iterable[EvaluationAnswer]) -> dict[str, Any]:
    """The share that is right in the judge's eyes, and how far its own verdicts agree with the exact match.

    What needs no judge counts in the share, and in no agreement: there nobody could differ.
    """
    rows = [row for row in answers if row.judged is not None]
    if not rows:
        return {}
    verdicts, seen = [bool(row.judged) for row in rows], [row for row in rows if needed_judge(row)]
    interval = bootstrap_interval([float(verdict) for verdict in verdicts])
    agreed = agreement([row.exact for row in seen], [row.judged for row in seen])
    return {
        "judged": sum(verdicts) / len(verdicts),
        "judged_low": interval.low,
        "judged_high": interval.high,
        "judged_questions": len(rows),
        "judge_saw": len(seen),
        "judge_agreement": agreed.share,
        "judge_kappa": agreed.kappa,
    }


# --- Comparisons -----------------------------------------------------------------------------------------------
def _against_the_first(
    first: EvaluationContestant,
    contestants: Sequence[EvaluationContestant],
    questions: Sequence[AskedQuestion],
    answers: Answers,
) -> list[dict[str, Any]]:
    """Every contestant beside the run's first one at the same noise, question by question.

    At a level at which that one was not asked to the end nobody is compared.
    """
    opponents: dict[float, EvaluationContestant] = {}
    for one in contestants:
        is_first = one == first or (
            one.noise != first.noise and one_and_the_same(one) == one_and_the_same(first)
        )
        if is_first:
            opponents.setdefault(one.noise, one)
    compared = [one for one in contestants if one.noise in opponents and one != opponents[one.noise]]
    return _adjusted([_pair(one, opponents[one.noise], questions, answers) for one in compared])


def _against_the_clean(
    contestants: Sequence[EvaluationContestant], questions: Sequence[AskedQuestion], answers: Answers
) -> list[dict[str, Any]]:
    """Every contestant with noise beside itself without."""
    clean: dict[str, EvaluationContestant] = {}
    for one in contestants:
        if not one.noise:
            clean.setdefault(one_and_the_same(one), one)
    noisy = [one for one in contestants if one.noise and one_and_the_same(one) in clean]
    return _adjusted([_pair(one, clean[one_and_the_same(one)], questions, answers) for one in noisy])


def _adjusted(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The comparisons, each with its p adjusted for how many there are."""
    for metric in METRICS:
        for pair, p in zip(pairs, holm([pair[metric]["p"] for pair in pairs]), strict=True):
            pair[metric]["adjusted_p"] = p
    return pairs


def one_and_the_same(contestant: EvaluationContestant) -> str:
    """What a contestant is at every level of noise; of memories, another version learned the noise."""
    return f"{contestant.kind}|{contestant.executive}|{sorted(contestant.options.items())}"


def _pair(
    one: EvaluationContestant,
    other: EvaluationContestant,
    questions: Sequence[AskedQuestion],
    answers: Answers,
) -> dict[str, Any]:
    told: dict[str, Any] = {"position": one.position, "against": other.position}
    for metric in METRICS:
        mine, its = (
            [float(getattr(answers[row.pk][question.pk], metric)) for question in questions]
            for row in (one, other)
        )
        found = paired(mine, its)
        told[metric] = {name: getattr(found, name) for name in ("difference", "low", "high", "p")}
    return told


# --- By tag ----------------------------------------------------------------------------------------------------
def _by_tag(
    contestants: Sequence[EvaluationContestant], questions: Sequence[AskedQuestion], answers: Answers
) -> dict[str, list[dict[str, Any]]]:
    """For each tag and value how many questions have it, and by contestant the shares of exact match and F1."""
    groups: dict[str, dict[str, list[AskedQuestion]]] = defaultdict(lambda: defaultdict(list))
    for question in questions:
        for name, value in question.tags.items():
            groups[str(name)][str(value)].append(question)
    return {
        name: [
            {"value": value, "questions": len(rows), "figures": _figures(contestants, rows, answers)}
            for value, rows in sorted(values.items(), key=lambda pair: _in_order(pair[0]))
        ]
        for name, values in groups.items()
        if len(values) <= MOST_VALUES
    }


def _in_order(value: str) -> tuple[float, str]:
    """Numbers by their size, before words."""
    return (float(value), "") if value.isdecimal() else (float("inf"), value)


def _figures(
    contestants: Sequence[EvaluationContestant], rows: Sequence[AskedQuestion], answers: Answers
) -> list[dict[str, Any]]:
    found = []
    for one in contestants:
        given = [answers[one.pk][row.pk] for row in rows]
        shares = {metric: float(numpy.mean([getattr(row, metric) for row in given])) for metric in METRICS}
        interval = bootstrap_interval([float(row.exact) for row in given])
        found.append({"position": one.position, **shares, "low": interval.low, "high": interval.high})
    return found


def _problems(
    contestants: Sequence[EvaluationContestant], questions: Sequence[AskedQuestion], answers: Answers
) -> list[dict[str, str]]:
    """The questions that could not be put to a contestant."""
    return [
        {"document": question.text[:200], "step": one.label, "error": answers[one.pk][question.pk].error}
        for one in contestants
        for question in questions
        if answers[one.pk][question.pk].error
    ]
