"""What has to hold before a version goes live, and what was found when somebody tried."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from simple_history.models import HistoricalRecords

from knowledge.models import Corpus, Document
from training.models.closing import Closable, ClosableQuerySet
from training.models.runs import TrainingRun
from training.models.versions import AliasMove, MemoryVersion
from training.reasons import MOST_LETTERS

SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


class GateRules(models.Model):
    """The rules of a corpus; an empty one asks for nothing. Shares are in [0, 1]."""

    corpus = models.OneToOneField(Corpus, on_delete=models.CASCADE, related_name="gate_rules")
    golden_must_pass = models.BooleanField(
        default=True, help_text="Every question of every golden set is answered right."
    )
    least_recall = models.FloatField(
        null=True, blank=True, validators=SHARE, help_text="Recall of held-out wordings, at least."
    )
    most_false_answers = models.FloatField(
        null=True,
        blank=True,
        validators=SHARE,
        help_text="Share of unanswerable questions answered, at most.",
    )
    most_drop = models.FloatField(
        null=True, blank=True, validators=SHARE, help_text="Loss of recall against the live version, at most."
    )
    needs_second_approver = models.BooleanField(
        default=False, help_text="Another owner than the one who moves the alias has approved the version."
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "gate rules"

    def __str__(self) -> str:
        return f"Gate of {self.corpus}"


class Approval(models.Model):
    """An owner's word that a version may go live."""

    version = models.ForeignKey(MemoryVersion, on_delete=models.CASCADE, related_name="approvals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "person"], name="one_approval_a_person")
        ]

    def __str__(self) -> str:
        return f"{self.person} approves {self.version}"


class GateCheck(Closable):
    """What the gate found when an alias was to move: the findings by rule, and the override if there was one."""

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="gate_checks")
    version = models.ForeignKey(
        MemoryVersion, null=True, on_delete=models.SET_NULL, related_name="gate_checks"
    )
    move = models.OneToOneField(
        AliasMove, null=True, blank=True, on_delete=models.SET_NULL, related_name="gate_check"
    )
    passed = models.BooleanField()
    findings = models.JSONField(default=list, help_text="Each with rule, passed and words.")
    override_reason = models.CharField(max_length=300, blank=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    checked_at = models.DateTimeField(auto_now_add=True)

    objects = ClosableQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"Gate for {self.version}: {self.outcome}"

    @property
    def outcome(self) -> str:
        """What came of it: passed, overridden, rolled back (which needs no passing) or refused."""
        if self.move and self.move.is_rollback:
            return "rolled back"
        if self.passed:
            return "passed"
        return "overridden" if self.override_reason else "refused"


class ForgottenDocument(models.Model):
    """A document that is to be forgotten: versions trained on its pairs may not go live.

    It stands for every version of the document that there was when it was asked for, and for the same files
    whenever they come again. ``probes`` are pairs whose answers only this document gives, kept to look for
    residue; ``affected`` are the versions that had its pairs when it was asked for. ``residue`` is the share of
    the probes that ``retrained_as``, trained without the document, answers as the document does.
    """

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="forgotten_documents")
    document = models.OneToOneField(
        Document,
        null=True,
        on_delete=models.SET_NULL,
        related_name="forgotten",
        help_text="Empty once deleted.",
    )
    name = models.CharField(max_length=200, default="", help_text="File name of all its versions.")
    title = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the document's text.")
    reason = models.CharField(max_length=MOST_LETTERS)
    pair_digests = models.JSONField(default=list, editable=False)
    probes = models.JSONField(default=list, editable=False, help_text="Each with question and answer.")
    affected = models.JSONField(
        default=list, editable=False, help_text="Each with number, sha256 and data_sha256."
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    retraining = models.ForeignKey(
        TrainingRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="forgets"
    )
    retrained_as = models.ForeignKey(
        MemoryVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="forgot"
    )
    residue = models.FloatField(null=True, blank=True)
    residue_bound = models.FloatField(
        null=True,
        blank=True,
        help_text="The false-answer rate on never-seen questions, measured in the same run.",
    )
    certified_at = models.DateTimeField(null=True, blank=True)
    certificate = models.JSONField(default=dict, blank=True)
    taken_back_at = models.DateTimeField(
        null=True, blank=True, help_text="Since then its versions may go live again; a certificate stays."
    )

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("forgotten", args=[self.corpus.slug, self.pk])
