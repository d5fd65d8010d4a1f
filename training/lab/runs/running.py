"""Putting the questions of a set to contestants: checked and stored at once, asked by a worker.

Every answer is stored as it comes. A run whose worker was killed goes on behind the last one, and what an
earlier run was answered is taken from there, unless the run is to ask everything anew. What failed is never taken
over, and is asked again when a run goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from knowledge.models import Corpus, Role
from memosite.errors import MemoError, NotAllowed
from memosite.models import Endpoint, EndpointRole
from memosite.people import account_of
from training.audience import require_audience
from training.evaluation.metrics import score
from training.evaluation.types import Answered, Contestant, Question, Unaskable
from training.lab.runs.asking import Pace, as_they_come
from training.lab.runs.contestants import Spec, build
from training.lab.runs.executives import at_once, require_offered
from training.lab.runs.judging import begin_judging, judge_answers, judge_key
from training.lab.runs.lineup import BadContestant, checked, kind_named, label_of, spec_of, unsuited
from training.lab.runs.noise import check_noise, with_distractors
from training.lab.runs.results import keep_result
from training.models import (
    AskedQuestion,
    EvaluationAnswer,
    EvaluationContestant,
    EvaluationRun,
    EvaluationSet,
    MemoryVersion,
)
from training.registry import hold_versions

MOST_CONTESTANTS = 40
#: So many failures of one contestant in a row end its part: its server is down, and asking on costs hours.
MOST_FAILURES = 20
GO_ON = "Put that right, then let the run go on."
ROWS_AT_ONCE = 500
COST = ("calls", "prompt_tokens", "completion_tokens", "read_tokens", "cost", "seconds")


class BadEvaluation(MemoError):
    """An evaluation cannot be as it was asked for."""

    code = "bad_evaluation"
    status = 422


class ContestantFails(MemoError):
    """A contestant could not be asked at all, or not many times in a row."""

    code = "contestant_fails"


# --- Starting --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Noise:
    """How many distractor documents there are for each document, at each of the ``levels``, and where from.

    What retrieval searches is noisy at once; a memory has to have learned the distractors. ``versions`` names for
    each level the one that did. Where none is named, memory answers at that level no question.
    """

    levels: tuple[float, ...] = (0.0,)
    distractors: Corpus | None = None
    versions: Mapping[float, MemoryVersion] | None = None


def start_evaluation(
    evaluation_set: EvaluationSet,
    specs: Sequence[Spec],
    person: Any = None,
    *,
    noise: Noise | None = None,
    judge: Endpoint | None = None,
    is_fresh: bool = False,
    title: str = "",
) -> EvaluationRun:
    """Queue the questions of a set for contestants, after checking all that can be checked at once.

    ``person`` None is the operator of the site. Raises NotAllowed unless the person is a curator of the corpus
    and may read all that is asked; BadEvaluation, BadContestant, BadNoise, ExecutiveNotOffered and UnknownKind
    where it cannot be as it was asked for; VersionGone where a version was deleted.
    """
    corpus, noise = evaluation_set.corpus, noise or Noise()
    if person is not None:
        corpus.require(person, Role.CURATOR)
    entries = _entries([checked(spec) for spec in specs], noise)
    _check(evaluation_set, entries, noise, judge, person)
    with transaction.atomic():
        hold_versions(spec.version for spec, _ in entries if spec.version)
        run = EvaluationRun.objects.create(
            corpus=corpus,
            evaluation_set=evaluation_set,
            title=title.strip()[:120] or f"{evaluation_set.name}: {_named(entries)}"[:120],
            noise=list(noise.levels),
            distractors=noise.distractors if any(noise.levels) else None,
            judge=judge,
            judge_key=judge_key(judge) if judge else "",
            is_fresh=is_fresh,
            created_by=account_of(person),
        )
        _store_questions(run, evaluation_set)
        _store_contestants(run, entries)
        run.tells_of(corpus, *(spec.version for spec, _ in entries))
        if run.distractors:
            run.corpora.add(run.distractors)
    run.enqueue()
    return run


def _entries(specs: Sequence[Spec], noise: Noise) -> list[tuple[Spec, float]]:
    """Every contestant at every level. Of memories, those of the first version stand for all at a noisy one."""
    found = []
    for level in dict.fromkeys(noise.levels):
        learned = (noise.versions or {}).get(level)
        for spec in specs:
            if not level or spec.version is None:
                found.append((spec, level))
            elif learned is not None and spec.version == _first_version(specs):
                found.append((replace(spec, version=learned), level))
    return found


def _first_version(specs: Sequence[Spec]) -> MemoryVersion | None:
    return next((spec.version for spec in specs if spec.version), None)


def _check(
    evaluation_set: EvaluationSet,
    entries: Sequence[tuple[Spec, float]],
    noise: Noise,
    judge: Endpoint | None,
    person: Any,
) -> None:
    if not entries:
        raise BadEvaluation("Choose at least one contestant.")
    if len(entries) > MOST_CONTESTANTS:
        raise BadEvaluation(
            f"{len(entries)} contestants are too many for one run; {MOST_CONTESTANTS} at most. Start several."
        )
    if not evaluation_set.questions.exists():
        raise BadEvaluation(f"The set “{evaluation_set}” has no questions yet. Add some, then start again.")
    for kind in dict.fromkeys(spec.kind for spec, _ in entries):
        if why := unsuited(kind_named(kind), evaluation_set):
            raise BadEvaluation(why)
    if judge is not None and judge.role != EndpointRole.JUDGE:
        raise BadEvaluation(f"“{judge}” is no judge. Choose an endpoint of the role judge.")
    check_noise(evaluation_set.corpus, noise.distractors, noise.levels)
    specs = [spec for spec, _ in entries]
    for version in (spec.version for spec in specs if spec.version):
        require_audience(version, person)
    distractors = noise.distractors if any(noise.levels) else None
    _require_rights(specs, evaluation_set.corpus, distractors, person)


def _require_rights(specs: Sequence[Spec], corpus: Corpus, distractors: Corpus | None, person: Any) -> None:
    """Raise ExecutiveNotOffered or NotAllowed where documents and answers would go where they may not."""
    told = [corpus]
    if distractors:
        told.append(distractors)
        if person is not None:
            sent = any(kind_named(spec.kind).sends_documents(spec) for spec in specs)
            distractors.require(person, Role.CURATOR if sent else Role.READER)
    require_offered(
        [spec.executive for spec in specs], told, [spec.version for spec in specs if spec.version]
    )


def _named(entries: Sequence[tuple[Spec, float]]) -> str:
    """The contestants in a few words, for a run's title."""
    labels = list(dict.fromkeys(label_of(spec) for spec, _ in entries))
    return " against ".join(labels) if len(labels) < 4 else f"{len(entries)} contestants"


def _store_questions(run: EvaluationRun, evaluation_set: EvaluationSet) -> None:
    copied = ("text", "answers", "is_set", "answerable", "documents", "tags")
    rows = [
        AskedQuestion(run=run, position=position, source=row, **{name: getattr(row, name) for name in copied})
        for position, row in enumerate(evaluation_set.questions.order_by("pk"), start=1)
    ]
    AskedQuestion.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)


def _store_contestants(run: EvaluationRun, entries: Sequence[tuple[Spec, float]]) -> None:
    EvaluationContestant.objects.bulk_create(
        EvaluationContestant(
            run=run,
            position=position,
            kind=spec.kind,
            label=label_of(spec),
            version=spec.version,
            executive=spec.executive,
            options=dict(spec.options),
            noise=level,
        )
        for position, (spec, level) in enumerate(entries, start=1)
    )


# --- The work --------------------------------------------------------------------------------------------------
def perform_evaluation(run: EvaluationRun) -> None:
    """Ask what is not answered yet, have it judged, and sum it up. Every step can be repeated safely."""
    _require_open(run)
    given = EvaluationAnswer.objects.filter(contestant__run=run)
    given.exclude(error="").delete()
    begin_judging(run)
    asked = run.questions.count() * run.contestants.count()
    run.report(phase="asking", total=asked * (2 if run.judge else 1), done=given.count())
    broken: list[MemoError] = []  # none of them withholds what the others found
    unjudged: list[dict[str, str]] = []
    with asyncio.Runner() as runner:
        for contestant in run.contestants.select_related("version__corpus"):
            try:
                Examination(run, contestant, runner).hold()
            except ContestantFails as error:
                broken.append(error)
        try:
            unjudged = judge_answers(run, runner).problems if run.judge_key else []
        except MemoError as error:
            broken.append(error)
    run.report(phase="summing up")
    keep_result(run, unjudged)
    if broken:
        raise ContestantFails(" ".join(map(str, broken)))


def _require_open(run: EvaluationRun) -> None:
    """Raise NotAllowed where the person who asked for it has lost a right since."""
    person = run.created_by
    if person is None:
        return
    if not run.corpus.allows(person, Role.CURATOR):
        raise NotAllowed(f"{person} is no curator of “{run.corpus}” any more.")
    if not EvaluationRun.objects.for_reader(person).filter(pk=run.pk).exists():
        raise NotAllowed(f"{person} may no longer read everything that this run asks.")


class Examination:
    """One contestant's part of a run."""

    def __init__(self, run: EvaluationRun, row: EvaluationContestant, runner: asyncio.Runner) -> None:
        self.run, self.row, self.runner = run, row, runner
        self.pace = Pace()
        self.failures = 0

    def hold(self) -> None:
        """Ask what this contestant has not answered. Raises ContestantFails where it fails again and again."""
        answered = self.row.answers.values("question")
        questions = list(self.run.questions.exclude(pk__in=answered))
        if not questions:
            return
        self.run.report(phase=f"asking {self.row.label}"[:60])
        spec, contestant = self._make()
        keys = {row.pk: content_key(contestant.fingerprint, row.as_question()) for row in questions}
        if not self.run.is_fresh:
            questions = take_over(self.row, questions, keys)
        if questions:
            self._prepare(contestant)
        answers = as_they_come(
            questions,
            lambda row: contestant.answer(row.as_question()),
            self.runner,
            at_once=at_once(spec.executive),
            meanwhile=self.run.report,
        )
        with closing(answers):  # type: ignore[type-var]
            for row, answered_or_not in answers:
                self._keep(row, answered_or_not, keys[row.pk])

    def _make(self) -> tuple[Spec, Contestant]:
        """Raises ContestantFails where something is missing that it needs, or it may not be asked any more."""
        try:
            spec = spec_of(self.row)
            distractors = self.run.distractors if self.row.noise else None
            _require_rights([spec], self.run.corpus, distractors, self.run.created_by)
            passages = with_distractors(self.run.corpus, self.run.distractors, self.row.noise)
            return spec, build(spec, passages)
        except MemoError as error:
            raise ContestantFails(f"{self.row.label} cannot be asked: {error}") from error

    def _prepare(self, contestant: Contestant) -> None:
        """Before the clock of the first question runs. Raises ContestantFails."""
        made_ready = as_they_come(
            [contestant], lambda one: one.prepare(), self.runner, meanwhile=self.run.report
        )
        with closing(made_ready):  # type: ignore[type-var]
            for _, outcome in made_ready:
                if isinstance(outcome, MemoError):
                    raise ContestantFails(f"{self.row.label} cannot be asked: {outcome} {GO_ON}")

    def _keep(self, question: AskedQuestion, answered: Answered | MemoError, key: str) -> None:
        answer = row_of(self.row, question, answered, key)
        EvaluationAnswer.objects.bulk_create([answer], ignore_conflicts=True)
        done = self.run.done + 1
        self.run.report(done=done, seconds_left=self.pace.left(max(0, self.run.total - done)))
        if not isinstance(answered, Unaskable):
            self.failures = self.failures + 1 if answer.error else 0
        if self.failures >= MOST_FAILURES:
            told = f"{self.row.label} failed {self.failures} times in a row, at last so: {answer.error}"
            raise ContestantFails(f"{told} {GO_ON}")


def row_of(
    contestant: EvaluationContestant, question: AskedQuestion, answered: Answered | MemoError, key: str
) -> EvaluationAnswer:
    """The row that keeps what a contestant said, or why it said nothing."""
    row = EvaluationAnswer(contestant=contestant, question=question, content_key=key)
    if isinstance(answered, MemoError):
        row.error = str(answered) or type(answered).__name__
        return row
    marks = score(question.as_question(), answered)
    row.text, row.known, row.exact, row.f1 = answered.text, answered.known, marks.exact, marks.f1
    row.values = list(answered.values)
    row.transcript = [dict(event) for event in answered.transcript]
    for name in COST:
        setattr(row, name, getattr(answered, name))
    return row


# --- What was answered before ----------------------------------------------------------------------------------
def content_key(fingerprint: str, question: Question) -> str:
    """64 hexadecimal digits: the same contestant asked the same question, about the same documents."""
    parts = [fingerprint, question.text, sorted(question.documents)]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def take_over(
    contestant: EvaluationContestant, questions: Sequence[AskedQuestion], keys: Mapping[int, str]
) -> list[AskedQuestion]:
    """Copy what an earlier run of the corpus was answered, marked anew; the questions that are left to ask."""
    left: list[AskedQuestion] = []
    for begin in range(0, len(questions), ROWS_AT_ONCE):
        some = questions[begin : begin + ROWS_AT_ONCE]
        asked = [keys[row.pk] for row in some]
        earlier, verdicts = _earlier(contestant.run, asked), _verdicts(contestant.run, asked)
        copies = [
            _copy(earlier[key], contestant, row, verdicts.get(key))
            for row in some
            if (key := keys[row.pk]) in earlier
        ]
        EvaluationAnswer.objects.bulk_create(copies, ignore_conflicts=True)
        contestant.run.report(done=contestant.run.done + len(copies))
        left += [row for row in some if keys[row.pk] not in earlier]
    return left


def _earlier(run: EvaluationRun, keys: Sequence[str]) -> dict[str, EvaluationAnswer]:
    """The newest answers with these keys; what failed is none."""
    return _newest(run, keys, EvaluationAnswer.objects.all())


def _verdicts(run: EvaluationRun, keys: Sequence[str]) -> dict[str, EvaluationAnswer]:
    """The newest answers with these keys that this run's judge has judged, whichever run asked it to."""
    if not run.judge_key:
        return {}
    judged = EvaluationAnswer.objects.exclude(judged=None).filter(contestant__run__judge_key=run.judge_key)
    return _newest(run, keys, judged.defer("transcript"))


def _newest(
    run: EvaluationRun, keys: Sequence[str], answers: QuerySet[EvaluationAnswer]
) -> dict[str, EvaluationAnswer]:
    """By key; each run keeps a copy of what it took over, so of all copies only the newest is loaded."""
    found = answers.filter(content_key__in=keys, error="", contestant__run__corpus=run.corpus)
    newest = found.order_by().values("content_key").annotate(newest=Max("pk")).values("newest")
    return {row.content_key: row for row in answers.filter(pk__in=newest).select_related("question")}


def _copy(
    earlier: EvaluationAnswer,
    contestant: EvaluationContestant,
    question: AskedQuestion,
    judged: EvaluationAnswer | None,
) -> EvaluationAnswer:
    """The same answer in another run, with the verdict on ``judged`` where the judge would be shown the same."""
    answered = Answered(
        earlier.text,
        tuple(earlier.values),
        earlier.known,
        transcript=tuple(earlier.transcript),
        **{name: getattr(earlier, name) for name in COST},
    )
    row = row_of(contestant, question, answered, earlier.content_key)
    row.is_cached = True
    if judged is not None and _is_judged_alike(judged, row, question):
        row.judged, row.judged_why = judged.judged, judged.judged_why
    return row


def _is_judged_alike(judged: EvaluationAnswer, row: EvaluationAnswer, question: AskedQuestion) -> bool:
    """Whether the judge would be shown just what it was shown then."""
    said, asked = ("text", "values", "known"), ("text", "answers", "is_set", "answerable")
    return all(getattr(judged, name) == getattr(row, name) for name in said) and all(
        getattr(judged.question, name) == getattr(question, name) for name in asked
    )


__all__ = ["BadContestant", "BadEvaluation", "Noise", "perform_evaluation", "start_evaluation"]
