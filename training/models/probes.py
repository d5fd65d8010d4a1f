"""Questions that were put to a version's MEMORY directly, and the runs that put them."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from django.db import models
from django.urls import reverse

from knowledge.models import Corpus
from memosite.runs import Run, Status
from training.models.closing import Closable
from training.models.gates import ForgottenDocument
from training.models.runs import ClosableRunQuerySet
from training.models.versions import MemoryVersion


def question_digest(question: str) -> str:
    """SHA-256 of a question as it is put: a version is asked it once."""
    return hashlib.sha256(question.encode()).hexdigest()


class Recollection(models.Model):
    """What a version's MEMORY says to a question. Versions never change, so it is asked once and kept."""

    version = models.ForeignKey(MemoryVersion, on_delete=models.CASCADE, related_name="recollections")
    question = models.TextField()
    digest = models.CharField(max_length=64, editable=False)
    text = models.TextField()
    known = models.BooleanField(help_text="It did not abstain.")
    confidence = models.FloatField()
    asked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "digest"], name="one_recollection_a_question")
        ]

    def __str__(self) -> str:
        return self.text


class Purpose(models.TextChoices):
    """What the probes of a run are for."""

    LEARNED = "learned", "what a version learned"
    DIFF = "diff", "what two versions know"
    FORGETTING = "forgetting", "what is left of a forgotten document"


class ProbeRun(Closable, Run):
    """Questions put to the MEMORY of ``version``, and with ``DIFF`` to that of ``other`` as well.

    What is asked already is not asked again. ``result`` holds what came of it, and with ``FORGETTING`` the
    questions that nothing in the corpus answers, as they were drawn at its first start.
    """

    task_name = "training.probe"
    resumable = (Status.PAUSED, Status.FAILED)

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="probe_runs")
    purpose = models.CharField(max_length=20, choices=Purpose.choices, default=Purpose.LEARNED)
    version = models.ForeignKey(MemoryVersion, on_delete=models.CASCADE, related_name="probed_by")
    other = models.ForeignKey(
        MemoryVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    forgotten = models.ForeignKey(
        ForgottenDocument, null=True, blank=True, on_delete=models.CASCADE, related_name="probe_runs"
    )
    result = models.JSONField(default=dict, blank=True)

    objects: ClassVar[Any] = ClosableRunQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"Probing {self.pk} of {self.corpus}"

    def get_absolute_url(self) -> str:
        """The page that shows what came of it."""
        slug = self.corpus.slug
        if self.purpose == Purpose.DIFF and self.other:
            sides = f"?a={self.version.number}&b={self.other.number}"
            return f"{reverse('knowledge-diff', args=[slug])}{sides}"
        if self.purpose == Purpose.FORGETTING:
            return reverse("forgotten", args=[slug, self.forgotten_id])
        return reverse("did-it-learn", args=[slug, self.version.number])
