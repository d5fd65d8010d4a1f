"""What people do with corpora, documents and reflections; shared by pages, admin, REST and commands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from knowledge.flagging import mark_document_changed
from knowledge.forecast import foresee
from knowledge.generators import RULES, endpoint_named
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
    ReflectionSource,
    ReviewStatus,
    Role,
)
from knowledge.pipeline.types import Kind, Pair
from knowledge.signals import document_arrives, reflections_changed
from memosite.endpoints import settings_of
from memosite.errors import Conflict
from memosite.people import account_of

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
        return store_document(corpus, parsed, data, person)
    except DocumentRefused as error:
        return Ingested(name, "refused", str(error))


def ingest_text(corpus: Corpus, title: str, text: str, person: Any = None) -> Ingested:
    """Store pasted text as a Markdown document named after its title. Raises DocumentRefused."""
    heading = "" if text.lstrip().startswith("#") else f"# {title}\n\n"
    name = f"{title[:100].strip().replace('/', '-')}.md"
    return ingest_file(corpus, safe_name(name), f"{heading}{text}".encode(), person)


@transaction.atomic
def store_document(corpus: Corpus, parsed: ParsedDocument, data: bytes, person: Any = None) -> Ingested:
    """Store a parsed document: nothing if its content is known, a new version if its name is.

    Raises DocumentRefused where the corpus must not have it.
    """
    digest = checksum(data)
    Corpus.objects.select_for_update().get(pk=corpus.pk)
    same = corpus.documents.current().filter(checksum=digest).first()
    if same:
        return Ingested(parsed.name, "unchanged", f"This content is already here as “{same.name}”.", same)
    document_arrives.send(Corpus, corpus=corpus, document=parsed, checksum=digest)
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
        uploaded_by=account_of(person),
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
    corpus: Corpus,
    person: Any = None,
    *,
    generator: str = "",
    go_live: bool = False,
    budget: Decimal | None = None,
    chunks: Iterable[Chunk | int] = (),
    fresh: bool = False,
    reword: bool = False,
) -> GenerationRun:
    """Queue a run of a GENERATOR over the corpus: the one named, or else the corpus's own.

    ``budget`` is in US dollars. With ``chunks`` only these passages are distilled, and what is there already
    stays. ``fresh`` asks the model anew instead of using the replies that were kept. With ``reword`` the built-in
    rules, who would read chosen passages as they did before, word what they read there in other ways. Raises
    EmptyCorpus, UnknownGenerator, NoKey or Conflict.
    """
    endpoint = endpoint_named(generator) if generator else corpus.generator
    chosen = list(chunks)
    if endpoint:
        settings_of(endpoint)  # says at once that the key is missing
    elif chosen and not reword:
        raise Conflict(
            "The built-in rules have read these passages already and would read them the same way again. "
            "An owner can choose a language model as the generator of this corpus."
        )
    if not corpus.documents.current().exists():
        raise EmptyCorpus("This corpus has no documents yet. Add a document first.")
    try:
        with transaction.atomic():
            run = GenerationRun.objects.create(
                corpus=corpus,
                generator=endpoint.name if endpoint else RULES,
                endpoint=endpoint,
                estimate=foresee(corpus, endpoint).as_dict() if endpoint and not chosen else {},
                budget=budget,
                fresh=fresh or bool(chosen),
                go_live=go_live,
                created_by=account_of(person),
            )
            run.chunks.set(chosen)
    except IntegrityError as error:
        raise Conflict(
            "A generation is already at work on this corpus, or paused. Wait for it, resume it, or cancel it."
        ) from error
    run.enqueue()
    return run


def resume_generation(run: GenerationRun, budget: Decimal | None) -> None:
    """Let a paused run go on with a budget, in US dollars, for all of it. Raises Conflict unless it is paused."""
    if not run.is_paused:
        raise Conflict(f"This run is {run.get_status_display()}; only a paused one can be resumed.")
    GenerationRun.objects.filter(pk=run.pk).update(budget=budget)
    run.resume()


# --- Review ------------------------------------------------------------------------------------------------
WORDING = ("question", "answer")


class Superseded(Conflict):
    """The pair was revised. A version was trained on it, so it stays as it is; the revision can be edited."""

    code = "superseded"


class StaleEdit(Conflict):
    """Somebody changed the pair since the person looked at it, and nothing of what the person sent was stored.

    ``row`` is the pair as it is now, ``yours`` what the person wanted to write.
    """

    code = "stale_edit"

    def __init__(self, row: Reflection, yours: dict[str, str]) -> None:
        super().__init__(
            f"{row.reviewed_by or 'Somebody'} changed pair {row.pk} since you looked at it. "
            "Compare both texts, then keep that change or save yours over it."
        )
        self.row, self.yours = row, yours

    @property
    def theirs(self) -> dict[str, str]:
        """The pair as it is now."""
        return {name: getattr(self.row, name) for name in (*WORDING, "status")}

    def members(self) -> dict[str, Any]:
        return {"yours": self.yours, "theirs": {**self.theirs, "edit": self.row.edit}}


@transaction.atomic
def review(reflections: QuerySet[Reflection], status: str, person: Any) -> int:
    """Set the review status of every pair in ``reflections`` and keep the change as history; returns how many.

    Pairs that were revised stay as they are.
    """
    reviewer = account_of(person)
    now = timezone.now()
    chosen = Reflection.objects.filter(pk__in=reflections.order_by().values("pk")).present()
    rows = list(chosen.exclude(status=status).select_for_update())
    reopened = status == ReviewStatus.PENDING and any(row.status == ReviewStatus.REJECTED for row in rows)
    for start in range(0, len(rows), REVIEW_BATCH):
        batch = rows[start : start + REVIEW_BATCH]
        change = {"status": status, "reviewed_by": reviewer, "reviewed_at": now}
        Reflection.objects.filter(pk__in=[row.pk for row in batch]).update(**change, edit=F("edit") + 1)
        for row in batch:
            row.status, row.reviewed_by, row.reviewed_at = status, reviewer, now
        # One UPDATE a batch: bulk_update writes a CASE for every row and took 7.0 s for 10,000 pairs, this 1.0 s.
        Reflection.history.bulk_history_create(
            batch, batch_size=HISTORY_BATCH, update=True, default_user=reviewer, default_change_reason=status
        )
    reflections_changed.send(sender=Reflection, ids=[row.pk for row in rows], compare=reopened)
    return len(rows)


@transaction.atomic
def revise(
    reflection: Reflection, changes: dict[str, str], person: Any, *, seen_edit: int | None = None
) -> Reflection:
    """Change the question, answer or status of one pair in a person's name and keep what was before as history.

    Only what ``changes`` names is written, so two people who edit different fields of a pair both keep their work.
    Who gives ``seen_edit``, the pair's ``edit`` as the person saw it, gets StaleEdit where it has grown since.
    New words for a pair that a version was trained on make a new pair, which is returned: the old one stays.
    Raises Superseded where that has happened already.
    """
    row = Reflection.objects.select_for_update().get(pk=reflection.pk)
    if not row.is_latest:
        raise Superseded(f"Pair {row.pk} was revised. Edit pair {row.latest_revision().pk} in its place.")
    if seen_edit not in (None, row.edit):
        raise StaleEdit(row, changes)
    changes = {name: value for name, value in changes.items() if getattr(row, name) != value}
    if not changes:
        return row
    # A new status alone is written in place: versions keep their pairs' words themselves, and no status.
    if row.trained and changes.keys() & set(WORDING):
        row = _add_revision(row, changes, person)
    else:
        _apply(row, changes, person)
        row.save(update_fields=[*changes, "edit", "reviewed_by", "reviewed_at"])
    reflections_changed.send(sender=Reflection, ids=[row.pk], compare=True)
    return row


def _apply(row: Reflection, changes: dict[str, str], person: Any) -> None:
    """Set the changes in memory, in a person's name."""
    for name, value in changes.items():
        setattr(row, name, value)
    row.edit += 1
    row.mark_reviewed(row.status, person)
    row._history_user = row.reviewed_by  # type: ignore[attr-defined]


def _add_revision(row: Reflection, changes: dict[str, str], person: Any) -> Reflection:
    """Put a new pair with the changed words in the place of ``row``, which stays exactly as versions know it."""
    Reflection.objects.filter(pk=row.pk).update(is_latest=False)
    sources = list(row.source_spans.all())
    revision = Reflection.objects.get(pk=row.pk)
    revision.pk, revision._state.adding = None, True
    revision.key = sha256(f"revision of pair {row.pk}".encode()).hexdigest()
    revision.revises, revision.is_latest, revision.trained = row, True, False
    revision._change_reason = f"revises pair {row.pk}"  # type: ignore[attr-defined]
    _apply(revision, changes, person)
    revision.save()
    ReflectionSource.objects.bulk_create(
        ReflectionSource(reflection=revision, chunk_id=one.chunk_id, start=one.start, end=one.end)
        for one in sources
    )
    return revision


def revert(
    reflection: Reflection, history_id: int, person: Any, *, seen_edit: int | None = None
) -> Reflection:
    """Give a pair the words back that it had at ``history_id``: a change like any other, recorded as such.

    Raises Conflict where the pair never was in that state, and what ``revise`` raises.
    """
    former = Reflection.history.filter(id__in=reflection.lineage(), history_id=history_id).first()
    if former is None:
        raise Conflict(f"Pair {reflection.pk} has no such former wording. Choose one from its history.")
    words = {name: getattr(former, name) for name in WORDING}
    return revise(reflection, words, person, seen_edit=seen_edit)


@transaction.atomic
def add_pair(
    corpus: Corpus, person: Any, *, question: str, answer: str, kind: str, status: str
) -> Reflection:
    """Add a pair that a person wrote. Raises Conflict where the corpus has the same question and answer."""
    pair = Pair(question.strip(), answer.strip(), Kind(kind), fact="", spans=())
    Corpus.objects.select_for_update().get(pk=corpus.pk)
    if known := corpus.reflections.filter(key=pair.key).first():
        same = known.latest_revision()
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
