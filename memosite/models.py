"""Endpoints: the language models that the site may call, as rows that an administrator manages."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import ClassVar
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

#: Variables that hold the site's own secrets: none of them may be sent to a language model's server.
OWN_SECRETS = {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"}
RESERVED_NAMES = {"rules", "by hand"}


def validate_base_url(value: str) -> None:
    """An address as OpenAI-compatible servers have it: http or https, and a host of any kind."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError("Give the address of the server, such as https://api.openai.com/v1.")
    if parts.username or parts.password:
        raise ValidationError("Leave the key out of the address; name its environment variable below.")


def validate_key_variable(value: str) -> None:
    """The name of an environment variable, not the key itself, and not one of the site's own secrets."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", value):
        raise ValidationError(
            "Give the NAME of an environment variable, such as OPENAI_API_KEY; the key itself is never stored."
        )
    if value in OWN_SECRETS:
        raise ValidationError(f"{value} is a secret of this site and is never sent anywhere.")


def validate_endpoint_name(value: str) -> None:
    if value.casefold() in RESERVED_NAMES:
        raise ValidationError(f"“{value}” is taken by the site itself. Choose another name.")


class EndpointRole(models.TextChoices):
    """What a language model is called for."""

    GENERATOR = "generator"
    EXECUTIVE = "executive"
    JUDGE = "judge"
    MEMORY = "memory"
    EMBEDDING = "embedding"


class Endpoint(models.Model):
    """A language model behind an OpenAI-compatible address. The key stays in the environment."""

    name = models.CharField(max_length=60, unique=True, validators=[validate_endpoint_name])
    role = models.CharField(max_length=10, choices=EndpointRole.choices, default=EndpointRole.GENERATOR)
    base_url = models.CharField(
        "base URL",
        max_length=300,
        validators=[validate_base_url],
        help_text="For example https://api.openai.com/v1 or http://localhost:11434/v1.",
    )
    model = models.CharField(max_length=200, help_text="The model's name as the server knows it.")
    key_variable = models.CharField(
        max_length=100,
        blank=True,
        validators=[validate_key_variable],
        help_text="The name of the environment variable that holds the key. Empty if the server wants none.",
    )
    concurrency = models.PositiveSmallIntegerField(
        default=8,
        validators=[MinValueValidator(1), MaxValueValidator(512)],
        help_text="How many calls may be under way at once, over all workers.",
    )
    timeout_seconds = models.FloatField(
        default=120.0, validators=[MinValueValidator(0.1), MaxValueValidator(3600)]
    )
    max_retries = models.PositiveSmallIntegerField(
        default=5,
        validators=[MaxValueValidator(20)],
        help_text="How often a call is made again after 429, 5xx, a lost connection or no answer in time.",
    )
    max_tokens = models.PositiveIntegerField(
        default=4096, validators=[MinValueValidator(64)], help_text="The longest reply, in tokens."
    )
    temperature = models.FloatField(default=0.2, validators=[MinValueValidator(0), MaxValueValidator(2)])
    input_price = models.DecimalField(
        max_digits=10,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0))],
        help_text="US dollars per million prompt tokens.",
    )
    output_price = models.DecimalField(
        max_digits=10,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0))],
        help_text="US dollars per million completion tokens.",
    )

    class Meta:
        ordering: ClassVar = ["role", "name"]

    def __str__(self) -> str:
        return self.name

    def cost(self, prompt_tokens: float, completion_tokens: float) -> Decimal:
        """US dollars for so many tokens."""
        prompt, completion = Decimal(str(prompt_tokens)), Decimal(str(completion_tokens))
        return (prompt * self.input_price + completion * self.output_price) / 1_000_000
