"""Which memory versions learned from which pairs. Apps above knowledge know; this asks them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from knowledge.models import Document, Reflection
from knowledge.signals import versions_trained_on


@dataclass(frozen=True)
class TrainedVersion:
    """A version that was trained on some pairs: its name, its page, how many of the pairs, and when."""

    label: str
    url: str
    pairs: int
    trained_at: datetime
    is_live: bool = False


def versions_of(reflections: QuerySet[Reflection], person: Any) -> list[TrainedVersion]:
    """The versions that were trained on any of the pairs and that the person may see, the newest first."""
    answers: list[tuple[Any, Any]] = versions_trained_on.send(
        sender=Reflection, reflections=reflections, person=person
    )
    found = [version for _, versions in answers for version in versions]
    return sorted(found, key=lambda version: version.trained_at, reverse=True)


def pairs_from(document: Document) -> QuerySet[Reflection]:
    """The pairs that rest on this version of a document."""
    return Reflection.objects.filter(source_spans__chunk__document=document).distinct()
