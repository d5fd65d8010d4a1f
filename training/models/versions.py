"""Memory versions, the pairs they saw, and the aliases that point at them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.urls import reverse

from knowledge.models import Corpus, Reflection, Role
from memosite.errors import Conflict
from memosite.models import Endpoint
from training.models.bases import BaseModel
from training.models.closing import Closable, ClosableQuerySet, for_reader_of_all
from training.reasons import MOST_LETTERS

if TYPE_CHECKING:
    from typing import Self

LIVE, CANDIDATE = "live", "candidate"
ALIASES = (LIVE, CANDIDATE)


class MemoryVersionQuerySet(models.QuerySet["MemoryVersion"]):
    def live_in(self, corpus: Corpus) -> Self:
        return self.filter(aliases__corpus=corpus, aliases__name=LIVE)

    def for_reader(self, person: Any) -> Self:
        """Versions whose whole audience the person is part of: a reader of every corpus they learned from."""
        return for_reader_of_all(self, person)


class VersionKind(models.TextChoices):
    TRAINED = "trained"
    MERGED = "merged"
    IMPORTED = "imported"


class MemoryVersion(models.Model):
    """A trained MEMORY. Numbered within its corpus, and never changed once it exists.

    ``corpus`` is where it is numbered and where aliases point at it; ``corpora`` are all that it learned from,
    ``corpus`` included. Only people who read all of them may ask it.
    """

    corpus = models.ForeignKey(Corpus, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=VersionKind.choices, default=VersionKind.TRAINED)
    corpora = models.ManyToManyField(Corpus, related_name="taught_versions", editable=False)
    parents = models.ManyToManyField("self", symmetrical=False, related_name="children", editable=False)
    base = models.CharField(max_length=200)
    base_model = models.ForeignKey(
        BaseModel, null=True, blank=True, on_delete=models.SET_NULL, related_name="versions"
    )
    licence = models.CharField(max_length=80, blank=True)
    method = models.CharField(max_length=40)
    config = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict)
    is_measured_here = models.BooleanField(
        default=True,
        editable=False,
        help_text="Else they came with an import, and nobody measured them here.",
    )
    path = models.CharField(max_length=500, help_text="Folder of the artifact, below the memory folder.")
    sha256 = models.CharField(max_length=64)
    data_sha256 = models.CharField(max_length=64, blank=True, help_text="Over the exact pairs, in order.")
    code_version = models.CharField(max_length=40, blank=True)
    parameters = models.PositiveBigIntegerField(null=True, blank=True)
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True, help_text="Of the artifact on disk.")
    notes = models.TextField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
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

    def allows(self, person: Any) -> bool:
        """Whether the person reads every corpus that the version learned from, and so may ask it."""
        taught = {self.corpus_id, *(corpus.pk for corpus in self.corpora.all())}
        if taught == {self.corpus_id}:
            return self.corpus.allows(person, Role.READER)
        return Corpus.objects.for_role(person, Role.READER).filter(pk__in=taught).count() == len(taught)

    @property
    def other_corpora(self) -> models.QuerySet[Corpus]:
        """What it learned from beside its own corpus: their readers alone may ask it."""
        return self.corpora.exclude(pk=self.corpus_id)


@receiver(pre_delete, sender=Corpus)
def _keep_audiences(instance: Corpus, **_: Any) -> None:
    """A version's audience must not grow because one of the corpora that it learned from is gone."""
    if taught := instance.taught_versions.exclude(corpus=instance).first():
        raise Conflict(f"{taught} learned from “{instance}”. Delete that version first.")


class DeletedVersion(Closable):
    """What stays of a version that was deleted: its number, which is never given again, and its hashes."""

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="deleted_versions")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    data_sha256 = models.CharField(max_length=64, blank=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    deleted_at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(max_length=MOST_LETTERS)

    objects = ClosableQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["corpus", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["corpus", "number"], name="one_deleted_version_a_number")
        ]

    def __str__(self) -> str:
        return f"{self.corpus} v{self.number}, deleted"


class ServedVersion(models.Model):
    """A version that an OpenAI-compatible server (vLLM, for one) answers for instead of this process."""

    version = models.OneToOneField(MemoryVersion, on_delete=models.CASCADE, related_name="served")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="served_versions")
    model_name = models.CharField(
        max_length=200, help_text="What the server calls the model or its LoRA module."
    )

    def __str__(self) -> str:
        return f"{self.version} as {self.model_name} on {self.endpoint}"


def pair_digest(question: str, answer: str) -> str:
    """SHA-256 of a pair's words: two versions saw the same pair where it is the same."""
    return hashlib.sha256(f"{question}\x1f{answer}".encode()).hexdigest()


class TrainedPair(models.Model):
    """A pair exactly as a version saw it, or as it was held out from it."""

    version = models.ForeignKey(MemoryVersion, on_delete=models.CASCADE, related_name="pairs")
    reflection = models.ForeignKey(
        Reflection, null=True, on_delete=models.SET_NULL, related_name="trained_in"
    )
    question = models.TextField()
    answer = models.TextField()
    digest = models.CharField(max_length=64, db_index=True, default="", blank=True, editable=False)
    held_out = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.question

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.digest = self.digest or pair_digest(self.question, self.answer)
        super().save(*args, **kwargs)


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


class AliasMove(Closable):
    """One move of an alias: who moved it from where to where, when and why."""

    corpus_path = "alias__corpus"

    alias = models.ForeignKey(Alias, on_delete=models.CASCADE, related_name="moves")
    from_version = models.ForeignKey(MemoryVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    to_version = models.ForeignKey(MemoryVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    moved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    moved_at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(max_length=MOST_LETTERS)
    is_rollback = models.BooleanField(
        default=False, editable=False, help_text="It took moves back; the next rollback goes further back."
    )

    objects = ClosableQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.alias.name}: {self.from_version} -> {self.to_version}"
