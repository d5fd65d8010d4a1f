"""Ways to look for pairs that the workbench and REST share."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Length

from knowledge.models import Reflection, ReflectionSource

LENGTHS: dict[str, tuple[int, int | None]] = {  # letters of question and answer together: from, to
    "short": (0, 79),
    "medium": (80, 199),
    "long": (200, 399),
    "very_long": (400, None),
}
SEARCHED = ("question", "answer", "entity")


def containing(rows: QuerySet[Reflection], text: str) -> QuerySet[Reflection]:
    """Pairs in which every word of the text occurs, in any order: in the question, the answer or the entity."""
    for word in text.split():
        found = Q()
        for name in SEARCHED:
            found |= Q(**{f"{name}__icontains": word})
        rows = rows.filter(found)
    return rows


def of_length(rows: QuerySet[Reflection], least: int = 0, most: int | None = None) -> QuerySet[Reflection]:
    """Pairs whose question and answer have so many letters together."""
    measured = rows.alias(letters=Length(F("question")) + Length(F("answer")))
    measured = measured.filter(letters__gte=least) if least else measured
    return measured.filter(letters__lte=most) if most is not None else measured


def stale(rows: QuerySet[Reflection], *, is_stale: bool = True) -> QuerySet[Reflection]:
    """Pairs that rest on a document that changed or was taken out; or those that do not."""
    outdated = ReflectionSource.objects.filter(chunk__document__is_current=False).values("reflection")
    return rows.filter(pk__in=outdated) if is_stale else rows.exclude(pk__in=outdated)
