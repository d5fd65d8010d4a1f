"""Reflections: the pairs, where they come from, what curators decided, and what was noticed about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone
from simple_history.models import HistoricalRecords

from knowledge.models.corpora import Chunk, Corpus, Person
from knowledge.models.generation import GenerationRun, LLMCall
from knowledge.pipeline.types import Kind

if TYPE_CHECKING:
    from typing import Self

KINDS = [(kind.value, kind.value.replace("_", " ")) for kind in Kind]


class ReflectionSet(models.Model):
    """The reflections that one GENERATOR made of a corpus."""

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="reflection_sets")
    generator = models.CharField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["corpus", "generator"], name="one_set_a_generator")
        ]

    def __str__(self) -> str:
        return f"{self.corpus}: {self.generator}"


class ReviewStatus(models.TextChoices):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class ReflectionQuerySet(models.QuerySet["Reflection"]):
    def approved(self) -> Self:
        return self.filter(status=ReviewStatus.APPROVED)

    def with_current_sources(self) -> Self:
        """Pairs that the latest run still makes and whose sources are all in current documents."""
        outdated = ReflectionSource.objects.filter(
            reflection=OuterRef("pk"), chunk__document__is_current=False
        )
        return self.filter(~Exists(outdated), retired=False, is_latest=True)

    def present(self) -> Self:
        """Pairs as they stand now: those that no revision has taken the place of."""
        return self.filter(is_latest=True)

    def trainable(self) -> Self:
        """What a MEMORY may be trained on."""
        return self.approved().with_current_sources()

    def flagged(self, flag: str | None = None) -> Self:
        """Pairs that carry the flag; without one, any flag."""
        flags = ReflectionFlag.objects.filter(flag=flag) if flag else ReflectionFlag.objects.all()
        return self.filter(pk__in=flags.order_by().values("reflection"))

    def unflagged(self) -> Self:
        """Pairs without any flag."""
        return self.filter(~Exists(ReflectionFlag.objects.filter(reflection=OuterRef("pk"))))

    def counts(self) -> dict[str, int]:
        """How many pairs stand at each review status; those that were revised do not count."""
        found = dict(self.present().order_by().values_list("status").annotate(Count("pk")))
        return {status: found.get(status, 0) for status in ReviewStatus.values}


class Reflection(models.Model):
    """A question-answer pair. Edits are kept as history; ``key`` stays that of the pair as it was generated."""

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="reflections")
    reflection_set = models.ForeignKey(ReflectionSet, on_delete=models.CASCADE, related_name="reflections")
    key = models.CharField(max_length=64, editable=False)
    question = models.TextField()
    answer = models.TextField()
    kind = models.CharField(max_length=20, choices=KINDS)
    fact = models.CharField(max_length=64, db_index=True, help_text="Shared by all wordings of one fact.")
    entity = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=ReviewStatus.choices, default=ReviewStatus.PENDING)
    step = models.CharField(max_length=20, blank=True, help_text="The step of synthesis that made the pair.")
    prompt_version = models.CharField(max_length=20, blank=True)
    model = models.CharField(max_length=200, blank=True, help_text="The model that made the pair.")
    call = models.ForeignKey(LLMCall, null=True, blank=True, on_delete=models.SET_NULL, related_name="pairs")
    edit = models.PositiveIntegerField(
        default=0, editable=False, help_text="Grows with each change, so that a stale save is noticed."
    )
    trained = models.BooleanField(
        default=False,
        editable=False,
        help_text="A memory version was trained on it: an edit makes a revision.",
    )
    revises = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="revisions"
    )
    is_latest = models.BooleanField(
        default=True, editable=False, help_text="No revision has taken the place of this pair."
    )
    retired = models.BooleanField(default=False, help_text="The latest generation no longer makes this pair.")
    last_run = models.ForeignKey(
        GenerationRun, null=True, on_delete=models.SET_NULL, related_name="reflections"
    )
    sources = models.ManyToManyField(Chunk, through="ReflectionSource", related_name="reflections")
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReflectionQuerySet.as_manager()
    history = HistoricalRecords(
        excluded_fields=[
            "key",
            "fact",
            "last_run",
            "retired",
            "step",
            "prompt_version",
            "model",
            "call",
            "edit",
            "trained",
            "revises",
            "is_latest",
        ]
    )

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reflection_set", "key"], name="no_pair_twice")
        ]
        indexes: ClassVar = [models.Index(fields=["corpus", "status", "kind"])]

    def __str__(self) -> str:
        return self.question

    def lineage(self) -> list[int]:
        """The keys of this pair and of those that it revises, the newest first."""
        keys, before = [self.pk], self.revises_id
        while before:
            keys.append(before)
            before = Reflection.objects.values_list("revises_id", flat=True).get(pk=before)
        return keys

    def latest_revision(self) -> Reflection:
        """The pair that stands in the place of this one now: itself, if nothing revises it."""
        row = self
        while not row.is_latest and (revision := row.revisions.order_by("-pk").first()):
            row = revision
        return row

    def mark_reviewed(self, status: str, person: Person) -> None:
        """Set the review status in memory; the caller saves."""
        self.status, self.reviewed_at = status, timezone.now()
        self.reviewed_by = person if person.is_authenticated else None  # type: ignore[assignment]


class ReflectionSource(models.Model):
    """A passage that supports a pair, with the span [start, end) of the passage's text."""

    reflection = models.ForeignKey(Reflection, on_delete=models.CASCADE, related_name="source_spans")
    chunk = models.ForeignKey(Chunk, on_delete=models.CASCADE, related_name="source_spans")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.chunk.text[self.start : self.end]


class Flag(models.TextChoices):
    """Something about a pair that a curator should look at first."""

    NEAR_DUPLICATE = "near_duplicate"
    CONTRADICTION = "contradiction"
    NOT_SELF_CONTAINED = "not_self_contained"
    UNSUPPORTED_SPAN = "unsupported_span"
    VERY_LONG = "very_long"
    VERY_SHORT = "very_short"
    DOCUMENT_CHANGED = "document_changed"


class ReflectionFlag(models.Model):
    """A flag on a pair, with the pair that it is about besides, if there is one."""

    reflection = models.ForeignKey(Reflection, on_delete=models.CASCADE, related_name="flags")
    flag = models.CharField(max_length=20, choices=Flag.choices)
    note = models.CharField(max_length=300, blank=True)
    other = models.ForeignKey(Reflection, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering: ClassVar = ["flag"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reflection", "flag"], name="one_flag_of_a_kind")
        ]
        indexes: ClassVar = [models.Index(fields=["flag", "reflection"])]

    def __str__(self) -> str:
        return self.get_flag_display()


class SampleReview(models.Model):
    """The review of a batch of pairs by a random sample of them.

    ``population`` holds the keys of the pairs in the batch as they were when the sample was drawn.
    """

    class Outcome(models.TextChoices):
        OPEN = "open"
        APPROVED = "approved"
        REFUSED = "refused"

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="sample_reviews")
    query = models.TextField(blank=True, help_text="The filter of the list that the batch was taken from.")
    population = models.JSONField(default=list)
    size = models.PositiveIntegerField()
    allowed_errors = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"Sample {self.pk}: {self.size} of {len(self.population)} pairs"


class SampledPair(models.Model):
    """A pair drawn into a sample, and whether the curator found it right."""

    sample = models.ForeignKey(SampleReview, on_delete=models.CASCADE, related_name="pairs")
    reflection = models.ForeignKey(Reflection, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    is_right = models.BooleanField(null=True)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sample", "reflection"], name="no_pair_twice_in_a_sample")
        ]

    def __str__(self) -> str:
        return f"{self.sample}, number {self.position}"
