"""Runs of a GENERATOR, the units of work they consist of, and the calls they pay for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Count, Q, Sum

from knowledge.models.corpora import Chunk, Corpus
from memosite.models import Endpoint
from memosite.runs import UNFINISHED, Run, Status, seconds_ago

if TYPE_CHECKING:
    from typing import Self


class GenerationRun(Run):
    """One pass of a GENERATOR over the current documents of a corpus."""

    task_name = "knowledge.generate"

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="generation_runs")
    generator = models.CharField(max_length=60, default="rules")
    endpoint = models.ForeignKey(
        Endpoint, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    budget = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="US dollars. The run pauses before it spends more; raise the budget and resume.",
    )
    estimate = models.JSONField(default=dict, blank=True, editable=False)
    chunks = models.ManyToManyField(
        Chunk, blank=True, related_name="+", help_text="Only these passages; all of them if empty."
    )
    fresh = models.BooleanField(
        default=False, help_text="Ask again what was asked before, instead of using the replies kept."
    )
    go_live = models.BooleanField(
        default=False, help_text="Approve every pair without review, then train, evaluate and go live."
    )
    pairs = models.PositiveIntegerField(default=0)
    sentences = models.PositiveIntegerField(default=0)
    discarded = models.PositiveIntegerField(default=0)
    discarded_for = models.JSONField(default=dict, blank=True, help_text="How many pairs for which reason.")

    class Meta(Run.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["corpus"],
                condition=Q(status__in=UNFINISHED),
                name="one_generation_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"Generation {self.pk} of {self.corpus}"

    @property
    def spend(self) -> dict[str, Any]:
        """Calls, tokens and dollars that the run has paid for so far."""
        return LLMCall.objects.filter(run=self).totals()


class GenerationUnitQuerySet(models.QuerySet["GenerationUnit"]):
    def claimable(self, lease_seconds: float) -> Self:
        """Units that wait, and those whose worker has not been heard of for a whole lease."""
        lapsed = seconds_ago(lease_seconds)
        return self.filter(Q(status=Status.QUEUED) | Q(status=Status.RUNNING, heartbeat_at__lt=lapsed))


class GenerationUnit(models.Model):
    """A piece of a run that one worker does at a time: a document, a bundle of passages, or a group of documents.

    ``key`` says what it is about, so that planning a run again adds nothing that is there already. ``errors``
    names each document that was not done in full: ``{"document", "step", "error"}``.
    """

    run = models.ForeignKey(GenerationRun, on_delete=models.CASCADE, related_name="units")
    key = models.CharField(max_length=100, default="", help_text="What the unit is about.")
    title = models.CharField(max_length=300, default="")
    step = models.CharField(max_length=20, default="")
    payload = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=24, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True, editable=False)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    errors = models.JSONField(default=list, blank=True)

    objects = GenerationUnitQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "key"], name="no_unit_twice")]
        indexes: ClassVar = [models.Index(fields=["run", "status"])]

    def __str__(self) -> str:
        return f"{self.run}: {self.title}"


class LLMCallQuerySet(models.QuerySet["LLMCall"]):
    def totals(self) -> dict[str, Any]:
        """How many calls, their tokens, what they cost in US dollars, and the seconds they took together."""
        return self.aggregate(
            calls=Count("pk"),
            prompt_tokens=Sum("prompt_tokens", default=0),
            completion_tokens=Sum("completion_tokens", default=0),
            cost=Sum("cost", default=Decimal(0)),
            seconds=Sum("seconds", default=0.0),
        )


class LLMCall(models.Model):
    """A reply that was paid for. ``key`` is a hash of all that was sent, so nothing is ever paid for twice."""

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="llm_calls")
    run = models.ForeignKey(GenerationRun, null=True, on_delete=models.SET_NULL, related_name="calls")
    key = models.CharField(max_length=64)
    step = models.CharField(max_length=20)
    prompt_version = models.CharField(max_length=20)
    endpoint = models.CharField(max_length=60)
    model = models.CharField(max_length=200)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0), help_text="US dollars")
    seconds = models.FloatField(default=0.0)
    retries = models.PositiveSmallIntegerField(default=0)
    reply = models.TextField()
    made_at = models.DateTimeField(auto_now_add=True)

    objects = LLMCallQuerySet.as_manager()

    class Meta:
        verbose_name = "call"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["corpus", "key"], name="no_call_twice")]

    def __str__(self) -> str:
        return f"Call {self.pk}: {self.step}, {self.model}"


class UnreadSentence(models.Model):
    """A sentence that the GENERATOR could not read in a run, and why."""

    run = models.ForeignKey(GenerationRun, on_delete=models.CASCADE, related_name="unread")
    chunk = models.ForeignKey(Chunk, on_delete=models.CASCADE, related_name="unread")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    text = models.TextField()
    reason = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar = ["chunk__document__name", "chunk", "start"]

    def __str__(self) -> str:
        return self.text
