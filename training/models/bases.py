"""Bases: the language models that a MEMORY can be trained from."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class BaseSource(models.TextChoices):
    """Where the weights that a training starts from come from."""

    BUILT_IN = "built-in", "built in, from scratch"
    HUB = "hub", "model hub"
    FOLDER = "folder", "folder on this machine"


class BaseModel(models.Model):
    """A language model that a MEMORY can be trained from.

    ``location`` is the size of a built-in model, the id of a repository on the hub, or a folder. ``revision`` is
    the commit of a hub repository, or the hash of a folder's files; what is blank is pinned by the first training.
    """

    name = models.CharField(max_length=80, unique=True)
    source = models.CharField(max_length=10, choices=BaseSource.choices)
    location = models.CharField(max_length=500)
    revision = models.CharField(max_length=64, blank=True)
    licence = models.CharField(max_length=80, help_text="As the model's makers name it, such as apache-2.0.")
    parameters = models.PositiveBigIntegerField(null=True, blank=True)
    notes = models.TextField(blank=True)
    is_offered = models.BooleanField(default=True, help_text="Shown where a training is started.")

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "location", "revision"], name="one_base_a_revision")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_built_in(self) -> bool:
        return self.source == BaseSource.BUILT_IN
