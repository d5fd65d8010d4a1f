"""More pairs for chosen passages from the built-in rules: further wordings of the facts that they read there."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from knowledge.generators import rules
from knowledge.models import Document, GenerationRun, Reflection
from knowledge.pipeline.types import Passage, SourceDocument
from knowledge.rules.rewording import REWORDING
from knowledge.storing import store_pairs
from memosite.errors import Conflict

WORDINGS_A_FACT = 2  # that one run adds


class NoMoreWordings(Conflict):
    """The rules have worded the facts of the chosen passages in every way that they can."""

    code = "no_more_wordings"


def as_source(document: Document) -> SourceDocument:
    """A document row as the pipeline's value."""
    passages = tuple(Passage(chunk.pk, chunk.text) for chunk in document.chunks.all())
    return SourceDocument(document.pk, document.title, passages, document.date)


def add_wordings(run: GenerationRun) -> None:
    """Store new wordings for the passages of the run, as pending pairs. Raises NoMoreWordings."""
    documents = list(run.corpus.documents.current().prefetch_related("chunks"))
    run.report(phase="reading documents", total=2, done=run.done)
    generator = rules()
    generator.prepare([as_source(document) for document in documents])
    chosen = set(run.chunks.values_list("pk", flat=True))
    asked = run.corpus.reflections.exclude(last_run=run).values_list("question", flat=True)
    run.report(phase="wording questions", done=1)
    pairs = list(generator.more_wordings(chosen, {each.casefold() for each in asked}, WORDINGS_A_FACT))
    if not pairs:
        raise NoMoreWordings(
            "The built-in rules have no other wordings for these passages. An owner can choose a language model "
            "as the generator of this corpus, or a curator can add pairs by hand."
        )
    with transaction.atomic():
        store_pairs(run, pairs)
        run.report(pairs=run.reflections.count(), done=2)


def kept_wordings(run: GenerationRun) -> Any:
    """Added wordings of facts that the run still makes with the same answer: they outlive it."""
    same = Reflection.objects.filter(last_run=run, fact=OuterRef("fact"), answer=OuterRef("answer"))
    return run.corpus.reflections.filter(Exists(same), step=REWORDING).values("pk")
