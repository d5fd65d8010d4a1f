"""What people say of answers, and what memory could not answer."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from chat.models.conversations import Turn
from knowledge.models import Corpus, Reflection
from training.models import MemoryVersion


class FeedbackReason(models.TextChoices):
    """Why an answer was no good."""

    WRONG = "wrong", "It is wrong"
    OUTDATED = "outdated", "It is out of date"
    INCOMPLETE = "incomplete", "Something is missing"
    NOT_KNOWN = "not_known", "Memory should know this"
    MISUNDERSTOOD = "misunderstood", "The question was misunderstood"
    OTHER = "other", "Something else"


class Feedback(models.Model):
    """What the person who asked says of a turn's answer.

    ``corrected`` becomes ``reflection``, a pending pair in the curators' queue. Once a live version answers the
    question, ``answered_by`` names it and the person is told; ``seen_at`` is when they read that, or that a
    curator decided otherwise. ``checked_version`` is the last live version that was asked.
    """

    turn = models.OneToOneField(Turn, on_delete=models.CASCADE, related_name="feedback")
    is_good = models.BooleanField()
    reason = models.CharField(max_length=20, choices=FeedbackReason.choices, blank=True)
    comment = models.TextField(blank=True)
    corrected = models.TextField(blank=True, help_text="The answer as it should be.")
    reflection = models.ForeignKey(
        Reflection, null=True, blank=True, on_delete=models.SET_NULL, related_name="feedback"
    )
    answered_by = models.ForeignKey(
        MemoryVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    checked_version = models.ForeignKey(
        MemoryVersion, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    seen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "feedback"
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{'Good' if self.is_good else 'Not good'}: {self.turn}"


class Demand(models.Model):
    """Questions of like meaning that a corpus's memory could not answer, for its curators.

    ``question`` is the one that stands for all; ``times`` counts how often they were asked. ``reflection`` is the
    pair that a curator wrote for it, ``checked_version`` the last version that was asked and did not know. Nothing
    here says who asked.
    """

    class Status(models.TextChoices):
        OPEN = "open"
        ANSWERED = "answered"
        DISMISSED = "dismissed"

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="demands")
    question = models.TextField()
    times = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    first_asked_at = models.DateTimeField()
    last_asked_at = models.DateTimeField()
    reflection = models.ForeignKey(
        Reflection, null=True, blank=True, on_delete=models.SET_NULL, related_name="demands"
    )
    answered_by = models.ForeignKey(
        MemoryVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    checked_version = models.ForeignKey(
        MemoryVersion, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["-times", "-last_asked_at"]
        indexes: ClassVar = [models.Index(fields=["corpus", "status"], name="demand_by_corpus_and_status")]

    def __str__(self) -> str:
        return self.question


class UnansweredQuestion(models.Model):
    """One question in a demand; it outlives the turn, without its person.

    A turn that asked several corpora has one in a demand of each.
    """

    demand = models.ForeignKey(Demand, on_delete=models.CASCADE, related_name="questions")
    turn = models.ForeignKey(
        Turn, null=True, blank=True, on_delete=models.SET_NULL, related_name="unanswered"
    )
    question = models.TextField()
    missing = models.JSONField(default=list, help_text="The sub-queries that memory did not know.")
    asked_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-asked_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["demand", "turn"], name="a_turn_once_in_a_demand")
        ]

    def __str__(self) -> str:
        return self.question
