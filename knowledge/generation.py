"""The work of a GenerationRun: load rows, run the pipeline, store pairs. Each stored unit is never redone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from knowledge.flagging import flag_corpus
from knowledge.generators import make_generator
from knowledge.models import (
    Document,
    GenerationRun,
    GenerationUnit,
    Reflection,
    ReflectionSet,
    ReflectionSource,
    UnreadSentence,
)
from knowledge.pipeline.run import reflect_across_documents, reflect_on_document
from knowledge.pipeline.types import DocumentReflections, Generator, Pair, Passage, SourceDocument
from knowledge.services import approve_pending
from knowledge.signals import reflections_ready
from memosite.errors import MemoError
from memosite.runs import Status

BATCH = 500
ACROSS = "across documents"


def perform_generation(run: GenerationRun) -> None:
    """Make the reflections of every current document, then those across documents, and retire outdated ones."""
    documents = list(run.corpus.documents.current().prefetch_related("chunks"))
    sources = [as_source(document) for document in documents]
    generator = make_generator(run.generator)
    run.report(phase="reading documents", total=len(documents) + 1, done=run.units.count())
    generator.prepare(sources)
    _reflect_on_each(run, sources, generator)
    run.report(phase="connecting documents")
    if not run.units.filter(key=ACROSS).exists():
        pairs = [pair for batch in reflect_across_documents(sources, generator) for pair in batch]
        _store_unit(run, None, DocumentReflections(tuple(pairs)))
    _retire_outdated(run)
    flag_corpus(run.corpus)
    if run.go_live:
        run.report(phase="approving pairs")
        approve_pending(run)
        reflections_ready.send(sender=GenerationRun, run=run)


def as_source(document: Document) -> SourceDocument:
    """A document row as the pipeline's value."""
    passages = tuple(Passage(chunk.pk, chunk.text) for chunk in document.chunks.all())
    return SourceDocument(document.pk, document.title, passages, document.date)


def _reflect_on_each(run: GenerationRun, sources: Sequence[SourceDocument], generator: Generator) -> None:
    finished = set(run.units.values_list("key", flat=True))
    waiting = [source for source in sources if unit_key(source) not in finished]
    started = time.monotonic()
    for count, source in enumerate(waiting, start=1):
        try:
            _store_unit(run, source, reflect_on_document(source, generator))
        except MemoError as error:
            run.report(item_errors=[*run.item_errors, {"document": source.title, "error": str(error)}])
        left = (time.monotonic() - started) / count * (len(waiting) - count)
        run.report(done=len(sources) - len(waiting) + count, seconds_left=left)


def unit_key(source: SourceDocument) -> str:
    """The name of the unit of work on one document."""
    return f"document {source.id}"


@transaction.atomic
def _store_unit(run: GenerationRun, source: SourceDocument | None, made: DocumentReflections) -> None:
    """Store a unit's pairs and the mark that it is done, both or neither."""
    GenerationUnit.objects.create(
        run=run,
        key=unit_key(source) if source else ACROSS,
        title=source.title if source else ACROSS,
        status=Status.SUCCEEDED,
        finished_at=timezone.now(),
    )
    store_pairs(run, made.pairs)
    UnreadSentence.objects.bulk_create(
        UnreadSentence(
            run=run,
            chunk_id=sentence.span.passage_id,
            start=sentence.span.start,
            end=sentence.span.end,
            text=sentence.text,
            reason=sentence.reason[:200],
        )
        for sentence in made.unread
    )
    run.pairs = run.reflections.count()
    run.sentences += made.sentences
    run.discarded += made.discarded
    run.save(update_fields=["pairs", "sentences", "discarded"])


def store_pairs(run: GenerationRun, pairs: Iterable[Pair]) -> None:
    """Add new pairs and refresh known ones: the same question and answer is one row, with all its sources."""
    by_key = {pair.key: pair for pair in pairs}
    reflection_set, _ = ReflectionSet.objects.get_or_create(corpus_id=run.corpus_id, generator=run.generator)
    known = {row.key: row for row in reflection_set.reflections.filter(key__in=by_key)}
    outdated = [row.pk for row in known.values() if row.last_run_id != run.pk]
    ReflectionSource.objects.filter(reflection__in=outdated).delete()
    Reflection.objects.filter(pk__in=[row.pk for row in known.values()]).update(last_run=run, retired=False)
    new = [_as_row(run, reflection_set, pair) for key, pair in by_key.items() if key not in known]
    bulk_create_with_history(new, Reflection, batch_size=BATCH)
    rows = {**known, **{row.key: row for row in reflection_set.reflections.filter(key__in=by_key)}}
    ReflectionSource.objects.bulk_create(
        (
            ReflectionSource(reflection=rows[key], chunk_id=span.passage_id, start=span.start, end=span.end)
            for key, pair in by_key.items()
            for span in dict.fromkeys(pair.spans)
        ),
        batch_size=BATCH,
    )


def _as_row(run: GenerationRun, reflection_set: ReflectionSet, pair: Pair) -> Reflection:
    return Reflection(
        corpus_id=run.corpus_id,
        reflection_set=reflection_set,
        key=pair.key,
        question=pair.question,
        answer=pair.answer,
        kind=pair.kind.value,
        fact=pair.fact[:64],
        entity=pair.entity[:200],
        last_run=run,
    )


def _retire_outdated(run: GenerationRun) -> None:
    """Retire the pairs of this GENERATOR that the present documents no longer give."""
    run.corpus.reflections.filter(reflection_set__generator=run.generator).exclude(last_run=run).update(
        retired=True
    )
