"""Turns that were shared by link."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models
from django.urls import reverse

from chat.models.conversations import Turn


def new_token() -> str:
    """32 hexadecimal digits that nobody guesses."""
    return secrets.token_hex(16)


class SharedTurn(models.Model):
    """A link to one turn, for people who may read its corpora; that is checked at every view."""

    turn = models.OneToOneField(Turn, on_delete=models.CASCADE, related_name="shared")
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"Link to {self.turn}"

    def get_absolute_url(self) -> str:
        return reverse("shared-turn", args=[self.token])
