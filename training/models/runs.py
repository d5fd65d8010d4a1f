"""The long work of training: runs that train a version, and runs that merge several."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from knowledge.models import Corpus, GenerationRun
from memosite.runs import UNFINISHED, Run, RunQuerySet, Status
from training.models.bases import BaseModel
from training.models.closing import Closable, ForReader
from training.models.versions import MemoryVersion


class ClosableRunQuerySet(ForReader, RunQuerySet):
    pass


class TrainingRun(Closable, Run):
    """The training of one memory version on the approved pairs of a corpus."""

    task_name = "training.train"
    resumable = (Status.FAILED,)  # its checkpoint is kept

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="training_runs")
    base_model = models.ForeignKey(
        BaseModel, null=True, blank=True, on_delete=models.PROTECT, related_name="training_runs"
    )
    recipe = models.CharField(max_length=40, blank=True, help_text="The preset that the settings start from.")
    config = models.JSONField(default=dict, blank=True)
    continues = models.ForeignKey(
        MemoryVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="continued_by"
    )
    replay_share = models.FloatField(
        default=0.3,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="Share of the old version's pairs that is trained again when it is continued.",
    )
    rebuilds = models.ForeignKey(
        MemoryVersion,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="rebuilt_by",
        help_text="Train this version once more to compare the weights; no new version is made.",
    )
    rebuilt_same = models.BooleanField(null=True, editable=False)
    repeats = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="repeated_by"
    )
    go_live = models.BooleanField(default=False, help_text="Move the live alias to the new version.")
    after_generation = models.OneToOneField(
        GenerationRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="training_run"
    )
    version = models.OneToOneField(
        MemoryVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="training_run"
    )
    curve = models.JSONField(
        default=list,
        blank=True,
        help_text="Points: step, loss, recall, speed.",
    )
    result = models.JSONField(
        default=dict, blank=True, help_text="What was left out, and what a continued version forgot."
    )

    objects: ClassVar[Any] = ClosableRunQuerySet.as_manager()

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

    def is_for_no_more_than(self, other: TrainingRun) -> bool:
        """Whether everybody who may know of this run may know of the other one."""
        return not other.is_sealed and not other.corpora.exclude(pk__in=self.corpora.values("pk")).exists()

    @property
    def folder(self) -> Path:
        """The run's own folder: it becomes the version's artifact when training completes."""
        return settings.MEMORY_DIR / self.folder_name

    @property
    def folder_name(self) -> str:
        return f"{self.corpus.slug}-run{self.pk}"


class MergeRun(Closable, Run):
    """The merging of several versions into a new one of ``corpus``, and its evaluation on each parent's pairs."""

    task_name = "training.merge"

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="merge_runs")
    parents = models.ManyToManyField(MemoryVersion, related_name="merged_by")
    method = models.CharField(max_length=40)
    options = models.JSONField(default=dict, blank=True, help_text="Weights, density and the like.")
    result = models.JSONField(default=dict, blank=True, help_text="Time, memory, and recall by corpus.")
    version = models.OneToOneField(
        MemoryVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="merge_run"
    )

    objects: ClassVar[Any] = ClosableRunQuerySet.as_manager()

    class Meta(Run.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["corpus"], condition=Q(status__in=UNFINISHED), name="one_merge_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"Merge {self.pk} into {self.corpus}"

    @property
    def folder_name(self) -> str:
        return f"{self.corpus.slug}-merge{self.pk}"

    @property
    def folder(self) -> Path:
        return settings.MEMORY_DIR / self.folder_name

    @property
    def parents_in_order(self) -> list[MemoryVersion]:
        """As they were named: weights go by it, and of two answers to one question the first parent's counts."""
        named = MergeRun.parents.through.objects.filter(mergerun=self).order_by("pk")
        return [row.memoryversion for row in named.select_related("memoryversion__corpus")]
