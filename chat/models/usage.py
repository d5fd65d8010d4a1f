"""What was asked in a day, in numbers that outlive the conversations."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models

from knowledge.models import Corpus


class DayOfUse(models.Model):
    """The turns of a corpus that one EXECUTIVE led and that ended on a day (UTC)."""

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="days_of_use")
    day = models.DateField()
    executive = models.CharField(max_length=60)
    questions = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    abstained = models.PositiveIntegerField(default=0, help_text="Memory did not know.")
    stopped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)
    calls = models.PositiveBigIntegerField(default=0)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=6, default=Decimal(0))

    class Meta:
        verbose_name_plural = "days of use"
        ordering: ClassVar = ["-day", "corpus", "executive"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["corpus", "day", "executive"], name="one_row_a_day_of_use")
        ]

    def __str__(self) -> str:
        return f"{self.corpus} {self.day} {self.executive}"
