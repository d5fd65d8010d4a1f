"""Conversations, their turns, and what happened in each turn."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from knowledge.models import Corpus
from training.models import MemoryVersion

if TYPE_CHECKING:
    from typing import Self


class Conversation(models.Model):
    """A person's thread of questions to a corpus, and to ``others`` beside it where they were chosen."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations"
    )
    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="conversations")
    others = models.ManyToManyField(
        Corpus, blank=True, related_name="+", help_text="Corpora that are asked as well."
    )
    title = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-updated_at"]

    def __str__(self) -> str:
        return self.title or "New conversation"

    def get_absolute_url(self) -> str:
        return reverse("conversation", args=[self.pk])

    @property
    def corpora(self) -> list[Corpus]:
        """All corpora that are asked, the conversation's own first."""
        return [self.corpus, *sorted(self.others.all(), key=lambda corpus: corpus.name)]


class TurnStatus(models.TextChoices):
    RUNNING = "running"
    ANSWERED = "answered"
    STOPPED = "stopped"
    FAILED = "failed"


class TurnQuerySet(models.QuerySet["Turn"]):
    def abandoned(self) -> Self:
        """Turns whose process has died: still running, but silent for longer than a turn may take."""
        silent = timezone.now() - timedelta(seconds=settings.TURN_SECONDS)
        return self.filter(status=TurnStatus.RUNNING, heartbeat_at__lt=silent)


class Turn(models.Model):
    """One question and its answer, with the versions of MEMORY that were asked.

    ``version`` is the one of the conversation's own corpus, ``versions`` are all, that one included.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    version = models.ForeignKey(MemoryVersion, null=True, on_delete=models.SET_NULL, related_name="turns")
    versions = models.ManyToManyField(MemoryVersion, related_name="+", blank=True)
    executive = models.CharField(max_length=60, default="rules")
    question = models.TextField()
    answer = models.TextField(blank=True)
    known = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=TurnStatus.choices, default=TurnStatus.RUNNING)
    stop_requested = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = TurnQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.question

    @property
    def is_running(self) -> bool:
        return self.status == TurnStatus.RUNNING


class TurnEvent(models.Model):
    """An event of a turn as it was sent: what a reloaded page replays."""

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    type = models.CharField(max_length=30)
    data = models.JSONField()

    class Meta:
        ordering: ClassVar = ["seq"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["turn", "seq"], name="one_event_a_number")]

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"

    def as_dict(self) -> dict[str, object]:
        return {"seq": self.seq, "type": self.type, "data": self.data}


class SubQuery(models.Model):
    """One question that went to MEMORY in a turn, and what it said."""

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="sub_queries")
    index = models.PositiveIntegerField()
    stage = models.CharField(max_length=30)
    question = models.TextField()
    answer = models.TextField(blank=True)
    known = models.BooleanField(default=False)
    confidence = models.FloatField(null=True)
    latency_ms = models.FloatField(null=True)
    version = models.ForeignKey(
        MemoryVersion,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The version that answered.",
    )

    class Meta:
        ordering: ClassVar = ["index"]
        verbose_name_plural = "sub-queries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["turn", "index"], name="one_sub_query_an_index")
        ]

    def __str__(self) -> str:
        return self.question
