"""Rows that are closed to people who do not read every corpus that they tell of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.db import models
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from knowledge.models import Corpus, Role

if TYPE_CHECKING:
    from training.models.versions import MemoryVersion


def for_reader_of_all(rows: Any, person: Any, corpus: str = "corpus") -> Any:
    """Rows whose ``corpora`` the person reads, all of them, and the corpus that the path ``corpus`` leads to."""
    readable = Corpus.objects.for_role(person, Role.READER).values("pk")
    closed = Corpus.objects.exclude(pk__in=readable)
    return rows.filter(**{f"{corpus}__in": readable}).exclude(corpora__in=closed)


class ForReader:
    """What the querysets of closable rows have in common."""

    def for_reader(self: Any, person: Any) -> Any:
        """Rows that the person may know of: to others they do not exist."""
        seen = for_reader_of_all(self, person, self.model.corpus_path)
        return seen if person.is_superuser else seen.filter(is_sealed=False)


class ClosableQuerySet(ForReader, models.QuerySet["Any"]):
    pass


class Closable(models.Model):
    """What tells of memory versions, for people who read all ``corpora`` that these learned from.

    ``corpora`` outlive the versions. A row is sealed when one of its corpora is deleted: nobody can be told to be
    a reader of that one any more, so only superusers see the row.
    """

    corpus_path: ClassVar[str] = "corpus"

    corpora = models.ManyToManyField(Corpus, related_name="+", editable=False)
    is_sealed = models.BooleanField(default=False, editable=False)

    class Meta:
        abstract = True

    def tells_of(self, corpus: Corpus, *versions: MemoryVersion | None) -> None:
        """Close the row to everybody to whom the corpus or one of the versions is closed."""
        told = [version for version in versions if version]
        self.corpora.add(corpus, *Corpus.objects.filter(taught_versions__in=told))


@receiver(pre_delete, sender=Corpus)
def _seal(instance: Corpus, **_: Any) -> None:
    """What was closed must not become open because a corpus that it tells of is gone."""
    for model in apps.get_models():
        if issubclass(model, Closable):
            model._default_manager.filter(corpora=instance).update(is_sealed=True)
