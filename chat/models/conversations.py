"""Conversations, their turns, and what happened in each turn."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from knowledge.models import Corpus
from memosite.models import Endpoint
from training.models import MemoryVersion

RULES = "rules"  # the built-in EXECUTIVE's name

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
    executive = models.CharField(
        max_length=60, blank=True, help_text="The EXECUTIVE chosen here; empty for the corpus's own."
    )
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


UNANSWERED = models.Q(status=TurnStatus.ANSWERED, known=False, needed_memory=True)


def _latest_sign() -> datetime:
    """Whoever gave its last sign of life before this time has died."""
    return timezone.now() - timedelta(seconds=settings.TURN_LEASE_SECONDS)


class TurnQuerySet(models.QuerySet["Turn"]):
    def abandoned(self) -> Self:
        """Turns whose process has died: still running, but without a sign of life for too long."""
        return self.filter(status=TurnStatus.RUNNING, heartbeat_at__lt=_latest_sign())

    def unanswered(self) -> Self:
        """Turns that ended without an answer because memory does not know it."""
        return self.filter(UNANSWERED)


class Turn(models.Model):
    """One question and its answer, with the versions of MEMORY that were asked.

    ``version`` is the one of the conversation's own corpus, ``versions`` are all, that one included.
    ``asked`` is the question as a follow-up was understood: self-contained, made so from the conversation.
    ``again_of`` is the turn whose question is asked again here: edited, anew, of another EXECUTIVE or version.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    version = models.ForeignKey(MemoryVersion, null=True, on_delete=models.SET_NULL, related_name="turns")
    versions = models.ManyToManyField(MemoryVersion, related_name="+", blank=True)
    executive = models.CharField(max_length=60, default=RULES)
    again_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="asked_again"
    )
    question = models.TextField()
    asked = models.TextField(blank=True)
    answer = models.TextField(blank=True)
    known = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=TurnStatus.choices, default=TurnStatus.RUNNING)
    stop_requested = models.BooleanField(default=False)
    needed_memory = models.BooleanField(default=True, help_text="Greetings and the like do not.")
    calls = models.PositiveIntegerField(default=0, help_text="Round trips to the EXECUTIVE.")
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    is_filed = models.BooleanField(
        default=False, editable=False, help_text="What memory could not answer of it is in the demand list."
    )
    cost = models.DecimalField(
        max_digits=12, decimal_places=6, default=Decimal(0), help_text="US dollars for the EXECUTIVE's calls."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = TurnQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [  # each holds only what is still to be done
            models.Index(
                fields=["id"], condition=UNANSWERED & models.Q(is_filed=False), name="turns_to_file"
            ),
            models.Index(
                fields=["heartbeat_at"], condition=models.Q(status="running"), name="running_turns_by_sign"
            ),
        ]

    def __str__(self) -> str:
        return self.question

    @property
    def is_running(self) -> bool:
        return self.status == TurnStatus.RUNNING

    @cached_property
    def endpoint(self) -> Endpoint | None:
        """Where the EXECUTIVE is, None of the built-in one; its prices count as when they were first needed."""
        return None if self.executive == RULES else Endpoint.objects.filter(name=self.executive).first()


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
    wordings = models.JSONField(
        default=list, help_text="All wordings that went to MEMORY, the question first."
    )
    agreement = models.FloatField(null=True, help_text="The share of wordings that gave this answer.")
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
