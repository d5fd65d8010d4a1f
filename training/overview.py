"""What pages tell about a corpus and its memory at a glance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from knowledge.models import Corpus, Document, GenerationRun, Role
from memosite.runs import Run
from training.models import LIVE, MemoryVersion, TrainingRun, VersionKind


@dataclass(frozen=True)
class CorpusState:
    """Where a corpus stands: how many documents, which version is live, and the run that is at work on it."""

    corpus: Corpus
    documents: int
    live: MemoryVersion | None
    run: Run | None
    is_closed: bool = False  # there is a live version, and the person may not ask it

    @property
    def next_step(self) -> str:
        """What a person can do next: ask, wait, add documents (empty), or have a memory made (untrained).

        ``closed`` where a memory is live that the person may not ask.
        """
        if self.live:
            return "ask"
        if self.is_closed:
            return "closed"
        if self.run:
            return "wait"
        return "untrained" if self.documents else "empty"


def states_for(person: Any) -> list[CorpusState]:
    """The state of every corpus that the person may read, in as many queries however many there are."""
    is_current = Q(documents__is_current=True)
    corpora = Corpus.objects.for_role(person, Role.READER).annotate(
        current_documents=Count("documents", filter=is_current, distinct=True)
    )
    counted = {corpus.pk: corpus.current_documents for corpus in corpora}
    all_live = MemoryVersion.objects.filter(aliases__name=LIVE, corpus__in=counted)
    live = _by_corpus(all_live.filter(pk__in=MemoryVersion.objects.for_reader(person).values("pk")))
    closed = _by_corpus(all_live).keys() - live.keys()
    generations = GenerationRun.objects.active().filter(corpus__in=counted)
    trainings = TrainingRun.objects.for_reader(person).active().filter(corpus__in=counted)
    runs = {**_by_corpus(generations), **_by_corpus(trainings)}
    return [
        CorpusState(corpus, counted[corpus.pk], live.get(corpus.pk), runs.get(corpus.pk), corpus.pk in closed)
        for corpus in corpora
    ]


def _by_corpus(rows: Iterable[Any]) -> dict[int, Any]:
    return {row.corpus_id: row for row in rows}


def knowledge_as_of(version: MemoryVersion) -> datetime:
    """When the pairs of a version were fixed: the start of its training. Later documents are unknown to it.

    Of a merged version, when those of its oldest parent were.
    """
    if version.kind == VersionKind.MERGED:
        return min(map(knowledge_as_of, version.parents.all()), default=version.trained_at)
    run = TrainingRun.objects.filter(version=version).first()
    return run.started_at if run and run.started_at else version.trained_at


def documents_since(version: MemoryVersion) -> QuerySet[Document]:
    """The current documents that came in, or changed, after the version's knowledge was fixed."""
    return version.corpus.documents.current().filter(uploaded_at__gt=knowledge_as_of(version))
