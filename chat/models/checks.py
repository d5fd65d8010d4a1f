"""Asking a live version what it did not know before."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from knowledge.models import Corpus
from memosite.runs import Run


class CheckRun(Run):
    """Asks the live version of a corpus the questions of open corrections and of its demand."""

    task_name = "chat.check"

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="check_runs")

    class Meta(Run.Meta):
        abstract = False
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"Check {self.pk} of {self.corpus}"
