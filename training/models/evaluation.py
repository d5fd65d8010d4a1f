"""Sets of questions, the runs that put them to contestants, and what these answered."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import MD5
from django.urls import reverse

from knowledge.models import Corpus, Reflection
from memosite.models import Endpoint
from memosite.runs import Run, Status
from training.evaluation.types import Question
from training.models.closing import Closable
from training.models.runs import ClosableRunQuerySet
from training.models.versions import MemoryVersion


class SetSource(models.TextChoices):
    """Where the questions of a set come from."""

    HAND = "hand", "written by hand"
    FILE = "file", "a file"
    FEEDBACK = "feedback", "people's feedback"
    HELD_OUT = "held_out", "held-out wordings of approved pairs"
    PROBES = "probes", "probes of passages"


class EvaluationSet(models.Model):
    """A named set of questions about a corpus. A golden one is must-pass: the gate asks for all of it."""

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="evaluation_sets")
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    source = models.CharField(max_length=20, choices=SetSource.choices, default=SetSource.HAND)
    is_golden = models.BooleanField(
        default=False,
        help_text="Must-pass: the gate lets no version go live that misses one of its questions.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["corpus", "name"], name="one_evaluation_set_a_name")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("evaluation-set", args=[self.corpus.slug, self.pk])


class EvaluationQuestion(models.Model):
    """A question of a set. ``training.evaluation.types.Question`` says what its fields mean."""

    evaluation_set = models.ForeignKey(EvaluationSet, on_delete=models.CASCADE, related_name="questions")
    text = models.TextField(verbose_name="question")
    answers = models.JSONField(
        default=list, blank=True, help_text="Accepted answers, or the members of a set."
    )
    is_set = models.BooleanField(default=False, help_text="All answers are asked for, not any one of them.")
    answerable = models.BooleanField(default=True, help_text="If not, “I don't know” is the right answer.")
    documents = models.JSONField(default=list, blank=True, help_text="Titles of the documents it rests on.")
    tags = models.JSONField(default=dict, blank=True, help_text="Such as hops and kind.")
    reflection = models.ForeignKey(
        Reflection, null=True, blank=True, on_delete=models.SET_NULL, related_name="probes"
    )

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(  # an index over long texts themselves is refused by PostgreSQL
                "evaluation_set", MD5("text"), name="a_question_once_in_a_set"
            )
        ]

    def __str__(self) -> str:
        return self.text

    def as_question(self) -> Question:
        return _question_in(self)


def _question_in(row: EvaluationQuestion | AskedQuestion) -> Question:
    """The question that a row holds, without the row."""
    return Question(
        row.text,
        tuple(row.answers),
        row.is_set,
        row.answerable,
        tuple(row.documents),
        dict(row.tags),
    )


class EvaluationRun(Closable, Run):
    """The questions of a set, put to several contestants.

    ``questions`` are kept as they were asked: a set may change while its run goes on, and after. ``noise`` are
    the multiples of the corpus's documents that are added as distractors, 0 for none. ``result`` holds the
    summary by contestant once all is asked.
    """

    task_name = "training.evaluate"
    resumable = (Status.PAUSED, Status.FAILED)

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="evaluation_runs")
    evaluation_set = models.ForeignKey(
        EvaluationSet, null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    title = models.CharField(max_length=120)
    noise = models.JSONField(default=list, blank=True)
    distractors = models.ForeignKey(
        Corpus,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The corpus whose documents are the noise.",
    )
    judge = models.ForeignKey(
        Endpoint,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="An LLM.",
    )
    judge_key = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Model and rubric that the verdicts are from."
    )
    is_fresh = models.BooleanField(
        default=False, help_text="Ask everything anew instead of taking answers of earlier runs."
    )
    result = models.JSONField(default=dict, blank=True)

    objects: ClassVar[Any] = ClosableRunQuerySet.as_manager()

    class Meta(Run.Meta):
        pass

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("evaluation-run", args=[self.corpus.slug, self.pk])


class AskedQuestion(models.Model):
    """A question as a run asks it: a copy of the set's."""

    run = models.ForeignKey(EvaluationRun, on_delete=models.CASCADE, related_name="questions")
    position = models.PositiveIntegerField()
    source = models.ForeignKey(EvaluationQuestion, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField()
    answers = models.JSONField(default=list)
    is_set = models.BooleanField(default=False)
    answerable = models.BooleanField(default=True)
    documents = models.JSONField(default=list)
    tags = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "position"], name="one_asked_question_a_position")
        ]

    def __str__(self) -> str:
        return self.text

    def as_question(self) -> Question:
        return _question_in(self)


class EvaluationContestant(models.Model):
    """One who answers in a run: what kind it is, with what it answers, and its summary once it has."""

    run = models.ForeignKey(EvaluationRun, on_delete=models.CASCADE, related_name="contestants")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=30, help_text="Such as memory, closed_book, bm25, dense, perfect.")
    label = models.CharField(max_length=160)
    version = models.ForeignKey(
        MemoryVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="evaluated_in"
    )
    executive = models.CharField(max_length=60)
    options = models.JSONField(default=dict, blank=True, help_text="Such as unit, top and token budget.")
    noise = models.FloatField(default=0.0, help_text="Distractor documents for each document of the corpus.")
    summary = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "position"], name="one_contestant_a_position")
        ]

    def __str__(self) -> str:
        return self.label


class EvaluationAnswer(models.Model):
    """What a contestant answered to a question, how it was scored, and what it cost."""

    contestant = models.ForeignKey(EvaluationContestant, on_delete=models.CASCADE, related_name="answers")
    question = models.ForeignKey(AskedQuestion, on_delete=models.CASCADE, related_name="given")
    text = models.TextField(blank=True)
    values = models.JSONField(default=list)
    known = models.BooleanField(default=False)
    error = models.TextField(blank=True, help_text="Why there is no answer.")
    exact = models.BooleanField(default=False, help_text="Exact match, of sets the exact set.")
    f1 = models.FloatField(default=0.0, help_text="Token F1, of sets F1 over the set.")
    judged = models.BooleanField(null=True, help_text="What the judge says; none was asked where empty.")
    judged_why = models.TextField(blank=True)
    calls = models.PositiveIntegerField(default=0)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    read_tokens = models.PositiveIntegerField(default=0)
    cost = models.FloatField(default=0.0)
    seconds = models.FloatField(default=0.0)
    transcript = models.JSONField(default=list)
    content_key = models.CharField(
        max_length=64, db_index=True, editable=False, help_text="The same contestant asked the same question."
    )
    is_cached = models.BooleanField(default=False, help_text="Taken from an earlier run.")

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["contestant", "question"], name="one_answer_a_question")
        ]

    def __str__(self) -> str:
        return self.text
