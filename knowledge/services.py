"""What people do with corpora, documents and reflections; shared by pages, admin, REST and commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from knowledge.flagging import mark_document_changed
from knowledge.generators import make_generator
from knowledge.ingest.chunk import split_into_chunks
from knowledge.ingest.read import Limits, checksum, read_document, safe_name
from knowledge.ingest.types import DocumentRefused, ParsedDocument
from knowledge.models import (
    Chunk,
    Corpus,
    Document,
    GenerationRun,
    Reflection,
    ReflectionSet,
    ReviewStatus,
    Role,
)
from knowledge.pipeline.types import Kind, Pair
from knowledge.signals import reflections_changed
from memosite.errors import Conflict

REVIEW_BATCH = 2000
HISTORY_BATCH = 500
BY_HAND = "by hand"  # stands in the place of a GENERATOR's name for the pairs that people write


class EmptyCorpus(Conflict):
    """There is nothing to work on yet."""

    code = "empty_corpus"


@dataclass(frozen=True)
class Ingested:
    """What became of one file. ``outcome`` is added, new version, unchanged or refused."""

    name: str
    outcome: str
    message: str
    document: Document | None = None

    @property
    def is_refused(self) -> bool:
        return self.outcome == "refused"


# --- Documents ---------------------------------------------------------------------------------------------
def ingest_file(corpus: Corpus, name: str, data: bytes, person: Any = None) -> Ingested:
    """Read a file and store it as a document. A file that is refused says why, and nothing of it is stored."""
    try:
        parsed = read_document(name, data, limits=Limits(max_bytes=settings.MAX_UPLOAD_BYTES))
    except DocumentRefused as error:
        return Ingested(name, "refused", str(error))
    return store_document(corpus, parsed, data, person)


def ingest_text(corpus: Corpus, title: str, text: str, person: Any = None) -> Ingested:
    """Store pasted text as a Markdown document named after its title. Raises DocumentRefused."""
    heading = "" if text.lstrip().startswith("#") else f"# {title}\n\n"
    name = f"{title[:100].strip().replace('/', '-')}.md"
    return ingest_file(corpus, safe_name(name), f"{heading}{text}".encode(), person)


@transaction.atomic
def store_document(corpus: Corpus, parsed: ParsedDocument, data: bytes, person: Any = None) -> Ingested:
    """Store a parsed document: nothing if its content is known, a new version if its name is."""
    digest = checksum(data)
    Corpus.objects.select_for_update().get(pk=corpus.pk)
    same = corpus.documents.current().filter(checksum=digest).first()
    if same:
        return Ingested(parsed.name, "unchanged", f"This content is already here as “{same.name}”.", same)
    versions = corpus.documents.filter(name=parsed.name)
    last = versions.order_by("-version").first()
    versions.update(is_current=False)
    document = Document(
        corpus=corpus,
        name=parsed.name,
        title=parsed.title[:300],
        date=parsed.date,
        media_type=parsed.media_type,
        text=parsed.text,
        checksum=digest,
        version=last.version + 1 if last else 1,
        uploaded_by=person if getattr(person, "pk", None) else None,
    )
    document.file.save(parsed.name, ContentFile(data), save=False)
    document.save()
    Chunk.objects.bulk_create(
        Chunk(document=document, position=position, start=span.start, end=span.end, text=span.text)
        for position, span in enumerate(split_into_chunks(parsed.text))
    )
    if last:
        mark_document_changed([last], f"“{last.title}” has a new version.")
        return Ingested(parsed.name, "new version", f"Stored as version {document.version}.", document)
    return Ingested(parsed.name, "added", "Stored.", document)


@transaction.atomic
def remove_document(document: Document) -> None:
    """Take a document out of the corpus. Its rows stay for the lineage of versions trained on it."""
    if not document.is_current:
        raise Conflict(f"“{document}” is not a current document.")
    document.is_current = False
    document.save(update_fields=["is_current"])
    mark_document_changed([document], f"“{document.title}” was taken out of the corpus.")


# --- Generation --------------------------------------------------------------------------------------------
def start_generation(
    corpus: Corpus, person: Any = None, *, generator: str = "rules", go_live: bool = False
) -> GenerationRun:
    """Queue a run of the GENERATOR over the corpus. Raises EmptyCorpus, UnknownGenerator or Conflict."""
    make_generator(generator)
    if not corpus.documents.current().exists():
        raise EmptyCorpus("This corpus has no documents yet. Add a document first.")
    try:
        with transaction.atomic():
            run = GenerationRun.objects.create(
                corpus=corpus,
                generator=generator,
                go_live=go_live,
                created_by=person if getattr(person, "pk", None) else None,
            )
    except IntegrityError as error:
        raise Conflict(
            "A generation is already at work on this corpus. Wait for it, or cancel it."
        ) from error
    run.enqueue()
    return run


# --- Review ------------------------------------------------------------------------------------------------
@transaction.atomic
def review(reflections: QuerySet[Reflection], status: str, person: Any) -> int:
    """Set the review status of every pair in ``reflections`` and keep the change as history; returns how many."""
    reviewer = person if getattr(person, "pk", None) else None
    now = timezone.now()
    chosen = Reflection.objects.filter(pk__in=reflections.order_by().values("pk"))
    rows = list(chosen.exclude(status=status).select_for_update())
    reopened = status == ReviewStatus.PENDING and any(row.status == ReviewStatus.REJECTED for row in rows)
    for start in range(0, len(rows), REVIEW_BATCH):
        batch = rows[start : start + REVIEW_BATCH]
        change = {"status": status, "reviewed_by": reviewer, "reviewed_at": now}
        Reflection.objects.filter(pk__in=[row.pk for row in batch]).update(**change)
        for row in batch:
            row.status, row.reviewed_by, row.reviewed_at = status, reviewer, now
        # One UPDATE a batch: bulk_update writes a CASE for every row and took 7.0 s for 10,000 pairs, this 1.0 s.
        Reflection.history.bulk_history_create(
            batch, batch_size=HISTORY_BATCH, update=True, default_user=reviewer, default_change_reason=status
        )
    reflections_changed.send(sender=Reflection, ids=[row.pk for row in rows], compare=reopened)
    return len(rows)


@transaction.atomic
def revise(reflection: Reflection, changes: dict[str, str], person: Any) -> Reflection:
    """Change the question, answer or status of one pair in a person's name and keep what was before as history.

    Only what ``changes`` names is written, so two people who edit different fields of a pair both keep their work.
    """
    row = Reflection.objects.select_for_update().get(pk=reflection.pk)
    for name, value in changes.items():
        setattr(row, name, value)
    row.mark_reviewed(row.status, person)
    row.save(update_fields=[*changes, "reviewed_by", "reviewed_at"])
    reflections_changed.send(sender=Reflection, ids=[row.pk], compare=True)
    return row


@transaction.atomic
def add_pair(
    corpus: Corpus, person: Any, *, question: str, answer: str, kind: str, status: str
) -> Reflection:
    """Add a pair that a person wrote. Raises Conflict where the corpus has the same question and answer."""
    pair = Pair(question.strip(), answer.strip(), Kind(kind), fact="", spans=())
    Corpus.objects.select_for_update().get(pk=corpus.pk)
    if same := corpus.reflections.filter(key=pair.key).first():
        raise Conflict(f"This pair is here already, as number {same.pk} ({same.status}). Review that one.")
    reflection_set, _ = ReflectionSet.objects.get_or_create(corpus=corpus, generator=BY_HAND)
    row = Reflection(corpus=corpus, reflection_set=reflection_set, key=pair.key, fact=pair.key, kind=kind)
    row.question, row.answer = pair.question, pair.answer
    row.mark_reviewed(status, person)
    row.save()
    reflections_changed.send(sender=Reflection, ids=[row.pk], compare=True)
    return row


def approve_pending(run: GenerationRun) -> int:
    """Approve every pending pair of the run's corpus in the name of the person who asked for it."""
    pending = run.corpus.reflections.with_current_sources().filter(status=ReviewStatus.PENDING)
    return review(pending, ReviewStatus.APPROVED, run.created_by)


# --- People ------------------------------------------------------------------------------------------------
class UnknownPerson(Conflict):
    """There is no account of that name."""

    code = "unknown_person"


@transaction.atomic
def give_role(corpus: Corpus, username: str, role: Role) -> None:
    """Give a person this role on the corpus in place of the one held before.

    Curators and owners are let into the workbench, where they see this corpus and nothing else. Raises
    UnknownPerson, or Conflict when the corpus would lose its last owner.
    """
    user_model = get_user_model()
    person = user_model.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise UnknownPerson(f"There is no active person “{username}”. Ask an administrator for an account.")
    if role != Role.OWNER:
        _keep_an_owner(corpus, person)
    person.groups.remove(*(corpus.group(each) for each in Role))
    person.groups.add(corpus.group(role))
    if role != Role.READER and not person.is_staff:
        person.is_staff = True
        person.save(update_fields=["is_staff"])


@transaction.atomic
def remove_person(corpus: Corpus, person: Any) -> None:
    """Take every role on the corpus from a person. Raises Conflict when the corpus would lose its last owner."""
    _keep_an_owner(corpus, person)
    person.groups.remove(*(corpus.group(each) for each in Role))


def _keep_an_owner(corpus: Corpus, person: Any) -> None:
    owners = corpus.owner_group.user_set.select_for_update()
    if {owner.pk for owner in owners} == {person.pk}:
        raise Conflict(f"{person} is the only owner of “{corpus}”. Name another owner first.")
