"""The training app's answer to the question which versions were trained on which pairs."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from knowledge.lineage import TrainedVersion
from knowledge.models import Document, Reflection
from training.models import LIVE, Alias, MemoryVersion, TrainedPair


def versions_trained_on(reflections: QuerySet[Reflection], person: Any, **_: Any) -> list[TrainedVersion]:
    """Each version that the person may see and that learned any of the pairs, with how many of them."""
    learned = TrainedPair.objects.filter(reflection__in=reflections.order_by().values("pk"), held_out=False)
    counts = dict(learned.order_by().values_list("version").annotate(Count("reflection", distinct=True)))
    live = Exists(Alias.objects.filter(version=OuterRef("pk"), name=LIVE))
    seen = MemoryVersion.objects.for_reader(person).filter(pk__in=counts)
    return [
        TrainedVersion(
            f"v{version.number}",
            reverse("admin:training_memoryversion_change", args=[version.pk]),
            counts[version.pk],
            version.trained_at,
            version.is_the_live_one,
        )
        for version in seen.annotate(is_the_live_one=live)
    ]


def documents_changed_since(version: MemoryVersion) -> int:
    """How many documents came in, got a new version or were taken out since the version was trained."""
    learned = TrainedPair.objects.filter(version=version).values("reflection")
    went = Document.objects.filter(is_current=False, chunks__source_spans__reflection__in=learned)
    came = Q(is_current=True, uploaded_at__gt=version.trained_at)
    changed = Document.objects.filter(came | Q(pk__in=went.values("pk")), corpus=version.corpus_id)
    return changed.order_by().values("name").distinct().count()
