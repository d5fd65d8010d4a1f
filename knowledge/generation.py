"""The work of a GenerationRun: load rows, run the pipeline, store pairs. Each stored unit is never redone."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from knowledge.flagging import flag_corpus
from knowledge.generators import RULES, rules
from knowledge.models import GenerationRun, GenerationUnit, UnreadSentence
from knowledge.pipeline.run import reflect_across_documents, reflect_on_document
from knowledge.pipeline.types import DocumentReflections, Generator, SourceDocument
from knowledge.rewording import add_wordings, as_source, kept_wordings
from knowledge.services import approve_pending
from knowledge.signals import reflections_ready
from knowledge.storing import store_pairs
from knowledge.synthesis import synthesize_with_model
from memosite.errors import MemoError
from memosite.runs import Status

ACROSS = "across documents"


def perform_generation(run: GenerationRun) -> None:
    """Make the reflections of a corpus with the GENERATOR that the run names, then go on as the run asks for."""
    if run.generator == RULES and run.chunks.exists():
        add_wordings(run)
    elif run.generator == RULES:
        _generate_with_rules(run)
    else:
        synthesize_with_model(run)
    run.report(phase="flagging pairs")
    flag_corpus(run.corpus)
    if run.go_live:
        run.report(phase="approving pairs")
        approve_pending(run)
        reflections_ready.send(sender=GenerationRun, run=run)


def _generate_with_rules(run: GenerationRun) -> None:
    """Make the pairs of every current document, then those across documents, and retire outdated ones."""
    documents = list(run.corpus.documents.current().prefetch_related("chunks"))
    sources = [as_source(document) for document in documents]
    generator = rules()
    run.report(phase="reading documents", total=len(documents) + 1, done=run.units.count())
    generator.prepare(sources)
    _reflect_on_each(run, sources, generator)
    run.report(phase="connecting documents")
    if not run.units.filter(key=ACROSS).exists():
        pairs = [pair for batch in reflect_across_documents(sources, generator) for pair in batch]
        _store_unit(run, None, DocumentReflections(tuple(pairs)))
    _retire_outdated(run)


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


def _retire_outdated(run: GenerationRun) -> None:
    """Retire the pairs of this GENERATOR that the present documents no longer give."""
    made = run.corpus.reflections.present().filter(reflection_set__generator=run.generator)
    made.exclude(last_run=run).exclude(pk__in=kept_wordings(run)).update(retired=True)
