"""Memory versions, the aliases that point at them, and the runs that train them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from knowledge.models import Corpus, GenerationRun, Reflection
from memosite.errors import Conflict
from memosite.runs import UNFINISHED, Run

if TYPE_CHECKING:
    from typing import Self

LIVE = "live"


class MemoryVersionQuerySet(models.QuerySet["MemoryVersion"]):
    def live_in(self, corpus: Corpus) -> Self:
        return self.filter(aliases__corpus=corpus, aliases__name=LIVE)


class MemoryVersion(models.Model):
    """A trained MEMORY. Numbered within its corpus, and never changed once it exists."""

    corpus = models.ForeignKey(Corpus, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    base = models.CharField(max_length=200)
    method = models.CharField(max_length=40)
    config = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict)
    path = models.CharField(max_length=500, help_text="Folder of the artifact, below the memory folder.")
    sha256 = models.CharField(max_length=64)
    trained_at = models.DateTimeField(auto_now_add=True)

    objects = MemoryVersionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["corpus", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["corpus", "number"], name="one_version_a_number")
        ]

    def __str__(self) -> str:
        return f"{self.corpus} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Conflict("A memory version is immutable. Train a new one instead.")
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("version", args=[self.corpus.slug, self.number])

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if names := list(self.aliases.values_list("name", flat=True)):
            raise Conflict(f"The alias {names[0]} points at {self}. Move it before you delete the version.")
        return super().delete(*args, **kwargs)

    @property
    def folder(self) -> Path:
        return settings.MEMORY_DIR / self.path

    @property
    def is_live(self) -> bool:
        return self.aliases.filter(name=LIVE).exists()


class TrainedPair(models.Model):
    """A pair exactly as a version saw it, or as it was held out from it."""

    version = models.ForeignKey(MemoryVersion, on_delete=models.CASCADE, related_name="pairs")
    reflection = models.ForeignKey(
        Reflection, null=True, on_delete=models.SET_NULL, related_name="trained_in"
    )
    question = models.TextField()
    answer = models.TextField()
    held_out = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.question


class Alias(models.Model):
    """A movable name for a version of a corpus. ``live`` is the one that people's questions go to."""

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="aliases")
    name = models.SlugField(max_length=40, default=LIVE)
    version = models.ForeignKey(MemoryVersion, on_delete=models.PROTECT, related_name="aliases")

    class Meta:
        verbose_name_plural = "aliases"
        constraints: ClassVar = [models.UniqueConstraint(fields=["corpus", "name"], name="one_alias_a_name")]

    def __str__(self) -> str:
        return f"{self.name} -> {self.version}"


class AliasMove(models.Model):
    """One move of an alias: who moved it from where to where, when and why."""

    alias = models.ForeignKey(Alias, on_delete=models.CASCADE, related_name="moves")
    from_version = models.ForeignKey(MemoryVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    to_version = models.ForeignKey(MemoryVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    moved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    moved_at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(max_length=300)
    is_rollback = models.BooleanField(
        default=False, editable=False, help_text="It took moves back; the next rollback goes further back."
    )

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.alias.name}: {self.from_version} -> {self.to_version}"


class TrainingRun(Run):
    """The training of one memory version on the approved pairs of a corpus."""

    task_name = "training.train"

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="training_runs")
    config = models.JSONField(default=dict, blank=True)
    go_live = models.BooleanField(default=False, help_text="Move the live alias to the new version.")
    after_generation = models.OneToOneField(
        GenerationRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="training_run"
    )
    version = models.OneToOneField(
        MemoryVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="training_run"
    )
    curve = models.JSONField(default=list, blank=True, help_text="Points of {step, loss, recall}.")

    class Meta(Run.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["corpus"],
                condition=Q(status__in=UNFINISHED),
                name="one_training_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"Training {self.pk} of {self.corpus}"

    @property
    def folder(self) -> Path:
        """The run's own folder: it becomes the version's artifact when training completes."""
        return settings.MEMORY_DIR / self.folder_name

    @property
    def folder_name(self) -> str:
        return f"{self.corpus.slug}-run{self.pk}"
