"""How a corpus is asked: by which EXECUTIVE, and for how long the questions are kept."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from knowledge.models import Corpus
from memosite.models import Endpoint, EndpointRole

LONGEST_RETENTION_DAYS = 3650


class ChatSettings(models.Model):
    """What the owners of a corpus decided about its chat. A corpus without a row has the defaults.

    Without ``executive`` the built-in one leads. ``choices`` are the others that a person may choose for a
    conversation; the built-in one may be chosen where ``may_choose_rules`` says so.
    """

    corpus = models.OneToOneField(Corpus, on_delete=models.CASCADE, related_name="chat_settings")
    executive = models.ForeignKey(
        Endpoint,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        limit_choices_to={"role": EndpointRole.EXECUTIVE},
        help_text="Leads the conversations. Empty: the built-in EXECUTIVE, which needs no language model.",
    )
    choices = models.ManyToManyField(
        Endpoint,
        blank=True,
        related_name="+",
        limit_choices_to={"role": EndpointRole.EXECUTIVE},
        help_text="People may choose one of these for a conversation instead.",
    )
    may_choose_rules = models.BooleanField(
        "people may choose the built-in EXECUTIVE", default=True, help_text="It sends nothing anywhere."
    )
    retention_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_RETENTION_DAYS)],
        help_text="Conversations are deleted so many days after their last question. Empty: as the site is set.",
    )

    class Meta:
        verbose_name_plural = "chat settings"
        ordering: ClassVar = ["corpus"]

    def __str__(self) -> str:
        return f"Chat of {self.corpus}"
