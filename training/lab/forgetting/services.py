"""Forgetting a document: take it out, train without its pairs, look for what is left, and certify it.

A version is affected if it was trained on a pair that rests on the document, or goes on from such a version. No
affected version may go live, nor one that still answers as the document does more often than it makes answers up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from knowledge.ingest.read import checksum as sha256_of
from knowledge.ingest.types import DocumentRefused, ParsedDocument
from knowledge.models import Chunk, Corpus, Document, Reflection, ReflectionSource
from knowledge.pipeline.types import DONT_KNOW
from knowledge.services import remove_document
from memosite.errors import Conflict, MemoError
from memosite.people import account_of
from training.engine.pairs import Pair, normalised
from training.evaluation.residue import Rate, Residue, never_seen, only_told_here
from training.lab.forgetting.certificates import certificate_of
from training.lab.gate.rules import Finding, Rule
from training.lab.probes.probing import Questions, recollected, start_probes
from training.models import (
    ForgottenDocument,
    MemoryVersion,
    ProbeRun,
    Purpose,
    TrainedPair,
    TrainingRun,
    pair_digest,
)
from training.plans import Wishes, wishes_of
from training.reasons import reason_why
from training.services import start_training

RULE = "forgotten"


class NotCertifiable(Conflict):
    """It cannot be certified yet that the document is forgotten."""

    code = "not_certifiable"


# --- Tombstone ---------------------------------------------------------------------------------------------
@transaction.atomic
def forget(document: Document, person: Any = None, *, reason: str) -> ForgottenDocument:
    """Take every version of a document out of the corpus and out of every later training; keep what to look for.

    Raises NoReason, and Conflict where it is to be forgotten already.
    """
    reason = reason_why("the document is to be forgotten", reason, kept_by="the certificate")
    corpus = Corpus.objects.select_for_update().get(pk=document.corpus_id)
    for known in corpus.forgotten_documents.filter(taken_back_at=None):
        if _documents(known).filter(pk=document.pk).exists():
            raise Conflict(f"“{document.title}” is to be forgotten already, as “{known}”.{_then(document)}")
    ForgottenDocument.objects.filter(document=document).update(
        document=None
    )  # forgotten before, and taken back
    row = ForgottenDocument(
        corpus=corpus,
        document=document,
        name=document.name,
        title=document.title,
        sha256=sha256_of(document.text.encode()),
        reason=reason,
        asked_by=account_of(person),
    )
    for current in _documents(row).filter(is_current=True):
        remove_document(current)
    row.pair_digests = sorted({_digest(pair) for pair in _pairs_resting_on(row)} - _still_trained(corpus))
    row.probes = [
        {"question": pair.question, "answer": pair.answer} for pair in only_told_here(*_candidates(row))
    ]
    row.save()
    row.affected = [_named(version) for version in affected_versions(row).order_by("number")]
    row.save(update_fields=["affected"])
    return row


def _then(document: Document) -> str:
    """What is to be done with a document that came back."""
    return " Remove it from the corpus." if document.is_current else ""


def take_back(row: ForgottenDocument) -> None:
    """Give up forgetting a document: versions that know it may go live again. It stays out of the corpus.

    A certificate that was issued stays, with the row. Raises Conflict where it was taken back already.
    """
    if row.taken_back_at:
        raise Conflict(f"“{row}” is not to be forgotten any more.")
    if row.certified_at:
        row.taken_back_at = timezone.now()
        row.save(update_fields=["taken_back_at"])
    else:
        row.delete()


def refuse_forgotten(corpus: Corpus, document: ParsedDocument, checksum: str, **_: Any) -> None:
    """Raise DocumentRefused for a file that is to be forgotten, or another one with its text."""
    rows = corpus.forgotten_documents.filter(taken_back_at=None)
    row = rows.filter(sha256=sha256_of(document.text.encode())).first()
    if row is None and Document.objects.filter(corpus=corpus, checksum=checksum).exists():
        row = next((each for each in rows if _documents(each).filter(checksum=checksum).exists()), None)
    if row is not None:
        raise DocumentRefused(
            f"“{document.name}” is to be forgotten, as “{row}” since {row.asked_at:%Y-%m-%d}. It stays out of "
            "this corpus unless an owner takes that back on the page Forgetting."
        )


def _documents(row: ForgottenDocument) -> QuerySet[Document]:
    """The versions of the document until it was to be forgotten, and the same files, whenever they came."""
    there = Document.objects.filter(corpus=row.corpus_id)
    versions = Q(name=row.name, uploaded_at__lte=row.asked_at) if row.asked_at else Q(name=row.name)
    known = there.filter(versions | Q(pk=row.document_id)).order_by()
    files = known.exclude(checksum="").values("checksum")
    return there.filter(Q(pk__in=known.values("pk")) | Q(checksum__in=files))


def _resting(row: ForgottenDocument) -> QuerySet[Any]:
    """The keys of the pairs that rest on the document, alone or beside others."""
    sources = ReflectionSource.objects.filter(chunk__document__in=_documents(row).order_by().values("pk"))
    return sources.order_by().values("reflection")


def _pairs_resting_on(row: ForgottenDocument) -> QuerySet[Reflection]:
    return Reflection.objects.filter(pk__in=_resting(row))


def _digest(pair: Reflection) -> str:
    return pair_digest(" ".join(pair.question.split()), " ".join(pair.answer.split()))


def _still_trained(corpus: Corpus) -> set[str]:
    """The digests of pairs that other documents give in the same words."""
    return {_digest(pair) for pair in corpus.reflections.trainable().only("question", "answer")}


def _candidates(row: ForgottenDocument) -> tuple[list[Pair], list[str]]:
    """Approved pairs that rest on the document alone and that no other pair answers; and all other passages."""
    elsewhere = ReflectionSource.objects.exclude(
        chunk__document__in=_documents(row).order_by().values("pk")
    ).filter(reflection__corpus=row.corpus_id)
    alone = Reflection.objects.approved().present().filter(pk__in=_resting(row), retired=False)
    alone = alone.exclude(pk__in=elsewhere.order_by().values("reflection")).exclude(answer=DONT_KNOW)
    others = row.corpus.reflections.trainable()
    questions = {normalised(each) for each in others.values_list("question", flat=True)}
    facts = set(others.order_by().values_list("fact", flat=True).distinct())
    pairs = [
        Pair(str(one.pk), " ".join(one.question.split()), " ".join(one.answer.split()), one.fact)
        for one in alone.order_by("pk")
        if normalised(one.question) not in questions and one.fact not in facts
    ]
    passages = Chunk.objects.filter(document__corpus=row.corpus_id, document__is_current=True)
    return pairs, list(passages.values_list("text", flat=True))


# --- Versions ----------------------------------------------------------------------------------------------
def affected_versions(row: ForgottenDocument) -> QuerySet[MemoryVersion]:
    """The versions that learned a pair of the document, and all that were made from one of these.

    A pair in the same words that rests on other documents now does not count.
    """
    first = _that_learned(row, MemoryVersion.objects.all())
    return MemoryVersion.objects.filter(pk__in=_and_on(first, "to_memoryversion", "from_memoryversion"))


def is_affected(row: ForgottenDocument, version: MemoryVersion) -> bool:
    """Whether the version is one of ``affected_versions``, for less than finding them all."""
    made_from = _and_on({version.pk}, "from_memoryversion", "to_memoryversion")
    return bool(_that_learned(row, MemoryVersion.objects.filter(pk__in=made_from)))


def _that_learned(row: ForgottenDocument, versions: QuerySet[MemoryVersion]) -> set[int]:
    """The keys of those of the versions that were trained on a pair of the document themselves."""
    sources = ReflectionSource.objects.filter(reflection=OuterRef("reflection"))
    without_source = Q(reflection=None) | ~Exists(sources.filter(reflection__corpus=row.corpus_id))
    pairs = TrainedPair.objects.filter(
        Q(reflection__in=_resting(row)) | Q(without_source, digest__in=row.pair_digests),
        version__in=versions.order_by().values("pk"),
    )
    hashes = [each["sha256"] for each in row.affected]
    known = versions.filter(corpus=row.corpus_id, sha256__in=hashes)
    learned = pairs.order_by().values_list("version", flat=True).distinct()
    return {*learned, *known.values_list("pk", flat=True)}


def _and_on(found: set[int], here: str, there: str) -> set[int]:
    """The versions, and all that are reached from them from one end of who was made of whom to the other."""
    made_from = MemoryVersion.parents.through.objects
    newest = found
    while newest:
        rows = made_from.filter(**{f"{here}__in": newest}).values_list(there, flat=True)
        newest = set(rows) - found
        found = found | newest
    return found


def _named(version: MemoryVersion) -> dict[str, Any]:
    return {"number": version.number, "sha256": version.sha256, "data_sha256": version.data_sha256}


def states_of(row: ForgottenDocument) -> list[dict[str, Any]]:
    """Every version that was or is affected, the newest first, with what became of it.

    ``state`` is deleted, ``serving`` with the aliases that point at it, or kept from serving.
    """
    here = {version.sha256: version for version in affected_versions(row).prefetch_related("aliases")}
    known = {each["sha256"]: each for each in row.affected}
    known |= {digest: _named(version) for digest, version in here.items()}
    found = []
    for digest, told in known.items():
        version = here.get(digest)
        aliases = sorted(alias.name for alias in version.aliases.all()) if version else []
        state = "serving" if aliases else "kept from serving" if version else "deleted"
        found.append({**told, "state": state, "aliases": aliases, "is_foreign": _is_foreign(row, version)})
    return sorted(found, key=lambda each: -each["number"])


def _is_foreign(row: ForgottenDocument, version: MemoryVersion | None) -> bool:
    """Whether it is numbered in another corpus, which learned from this one."""
    return version is not None and version.corpus_id != row.corpus_id


# --- Training without it -----------------------------------------------------------------------------------
def retrain(row: ForgottenDocument, person: Any = None) -> TrainingRun:
    """Queue a training from the start on the pairs that are left; its version is probed once it is there.

    It goes on from no version, for those may know the document. Raises what ``start_training`` raises.
    """
    run = start_training(row.corpus, person, _wishes(row.corpus))
    ForgottenDocument.objects.filter(pk=row.pk).update(retraining=run)
    row.retraining = run
    return run


def retrain_if_possible(row: ForgottenDocument, person: Any = None) -> str:
    """Queue a training as ``retrain`` does; why none could be queued, empty where it is.

    For whoever asks for both at once: what is forgotten stays so.
    """
    try:
        retrain(row, person)
    except MemoError as error:
        return str(error)
    return ""


def _wishes(corpus: Corpus) -> Wishes:
    """As the live version was trained, unless that went on from another one."""
    live = MemoryVersion.objects.live_in(corpus).first()
    run = TrainingRun.objects.filter(version=live, rebuilds=None).first() if live else None
    if run and not run.continues_id and run.version and not run.version.parents.exists():
        return wishes_of(run)
    return Wishes(base_model=live.base_model if live else None)


def probe_new_version(version: MemoryVersion) -> None:
    """Look for residue in a version that was trained in order to forget: called when it is made."""
    for row in version.corpus.forgotten_documents.filter(certified_at=None).exclude(retraining=None):
        if row.retraining and row.retraining.folder_name == version.path and row.probes:
            start_probes(version, row.asked_by, purpose=Purpose.FORGETTING, forgotten=row)


# --- Residue -----------------------------------------------------------------------------------------------
def start_residue_probes(row: ForgottenDocument, version: MemoryVersion, person: Any = None) -> ProbeRun:
    """Queue the probes of a version. Raises Conflict where there is nothing to ask, or it is being asked."""
    if not row.probes:
        raise Conflict(
            f"No approved pair is answered by “{row}” alone, so there is nothing to look for in a version."
        )
    return start_probes(version, person, purpose=Purpose.FORGETTING, forgotten=row)


def questions_of(run: ProbeRun) -> Questions:
    """The probes of the document, and never-seen questions, drawn at the first start of the run."""
    assert run.forgotten is not None  # noqa: S101 - a run of this purpose names the document
    if "never_seen" not in run.result:
        seed = int(run.version.config.get("seed", 1))
        drawn = never_seen(_as_pairs(run.forgotten), _known_to(run.version), seed)
        run.report(result={**run.result, "never_seen": drawn})
    probes = [probe["question"] for probe in run.forgotten.probes]
    return {run.version: [*probes, *run.result["never_seen"]]}


def _as_pairs(row: ForgottenDocument) -> list[Pair]:
    return [Pair(f"probe {n}", one["question"], one["answer"], f"{n}") for n, one in enumerate(row.probes)]


def _known_to(version: MemoryVersion) -> list[Pair]:
    """The version's pairs; of one whose pairs are not known, those of its corpus."""
    rows = TrainedPair.objects.filter(version=version).order_by("pk").select_related("reflection")
    found = [
        Pair(str(row.pk), row.question, row.answer, row.reflection.fact if row.reflection else f"{row.pk}")
        for row in rows
    ]
    left = version.corpus.reflections.trainable().order_by("pk")
    return found or [Pair(str(row.pk), row.question, row.answer, row.fact) for row in left]


def result_of(run: ProbeRun) -> dict[str, Any]:
    """The residue, kept with the document as well where the version is one that was trained without it."""
    row = run.forgotten
    assert row is not None  # noqa: S101
    residue = residue_of(run)
    knows_it = is_affected(row, run.version)
    is_later = run.version.trained_at >= row.asked_at or not (row.affected or affected_versions(row).exists())
    is_without_it = is_later and not knows_it and run.version.pairs.exists()
    if is_without_it and not row.certified_at:
        ForgottenDocument.objects.filter(pk=row.pk).update(
            retrained_as=run.version, residue=residue.told.share, residue_bound=residue.false.share
        )
    rates = {name: getattr(residue, name).as_dict() for name in ("told", "answered", "false")}
    return {**rates, "leaks": residue.leaks, "is_affected": knows_it}


def residue_of(run: ProbeRun) -> Residue:
    """What the version said to the probes and to the never-seen questions."""
    assert run.forgotten is not None  # noqa: S101
    said = recollected(run.version)
    probes = [probe for probe in run.forgotten.probes if probe["question"] in said]
    told = sum(said[probe["question"]].is_right([probe["answer"]]) for probe in probes)
    answered = sum(said[probe["question"]].known for probe in probes)
    drawn = [question for question in run.result.get("never_seen", []) if question in said]
    false = sum(said[question].known for question in drawn)
    return Residue(Rate(told, len(probes)), Rate(answered, len(probes)), Rate(false, len(drawn)))


def found_by(run: ProbeRun) -> Residue:
    """The residue as a complete run found it."""
    told, answered, false = (
        Rate(run.result[name]["hits"], run.result[name]["total"]) for name in ("told", "answered", "false")
    )
    return Residue(told, answered, false)


def returned(run: ProbeRun) -> Iterator[dict[str, str]]:
    """The probes that the version answers as the document does."""
    assert run.forgotten is not None  # noqa: S101
    said = recollected(run.version)
    for probe in run.forgotten.probes:
        if (answer := said.get(probe["question"])) and answer.is_right([probe["answer"]]):
            yield probe


def latest_probes(row: ForgottenDocument, version: MemoryVersion) -> ProbeRun | None:
    """The last complete look for residue in the version."""
    runs = row.probe_runs.filter(version=version, purpose=Purpose.FORGETTING)
    return next((run for run in runs if run.is_complete), None)


# --- The gate ----------------------------------------------------------------------------------------------
def forgotten_findings(version: MemoryVersion) -> list[Finding]:
    """For each document that is to be forgotten: whether the version may go live, and why."""
    taught = {version.corpus_id, *version.corpora.values_list("pk", flat=True)}
    rows = ForgottenDocument.objects.filter(corpus__in=taught, taken_back_at=None).select_related("corpus")
    return [Finding(RULE, *_verdict(row, version)) for row in rows]


def _verdict(row: ForgottenDocument, version: MemoryVersion) -> tuple[bool, str]:
    if is_affected(row, version):
        return False, f"It learned from “{row}”, which is to be forgotten. Train a version without it."
    run = latest_probes(row, version)
    if run is None and not row.probes:
        return True, f"No approved pair is answered by “{row}” alone, so there is nothing to look for."
    if run is None and not version.pairs.exists():
        return False, f"Its pairs are not known. Probe it for what is left of “{row}”."
    if run is None:
        return True, f"It was trained on no pair of “{row}”; it was not probed."
    residue = found_by(run)
    told, false = residue.told, residue.false
    figures = f"{told.hits} of {told.total} probes, and {false.hits} of {false.total} that nothing answers"
    if residue.leaks:
        return False, f"It still answers as “{row}” does: it answers {figures}."
    return True, f"It does not answer from “{row}”: it answers {figures}."


GATE_RULE = Rule(
    "Forgotten documents",
    lambda case: forgotten_findings(case.version),
    for_every_corpus=True,
    binds_rollback=True,
)


# --- Certificate -------------------------------------------------------------------------------------------
def objections(row: ForgottenDocument) -> list[str]:
    """What stands against certifying that the document is forgotten, as sentences; none if nothing does."""
    found = [
        f"Version {each['number']} learned from it and is {' and '.join(each['aliases'])}."
        for each in states_of(row)
        if each["state"] == "serving"
    ]
    version = row.retrained_as
    if not row.probes:
        return found  # there is nothing to look for
    if version is None:
        return [*found, "No version that was trained without it was probed yet."]
    run = latest_probes(row, version)
    if run is None:
        found.append(f"Version {version.number} was not probed to the end.")
    elif found_by(run).leaks:
        found.append(f"Version {version.number} still answers as the document does.")
    return found


def certify(row: ForgottenDocument, person: Any = None) -> dict[str, Any]:
    """Issue the certificate, once: it never changes. Raises NotCertifiable with what stands against it."""
    with transaction.atomic():
        row = ForgottenDocument.objects.select_for_update().get(pk=row.pk)
        if row.certified_at:
            return dict(row.certificate)
        if against := objections(row):
            raise NotCertifiable(" ".join(against))
        run = latest_probes(row, row.retrained_as) if row.retrained_as else None
        row.certified_at = timezone.now()
        row.certificate = certificate_of(row, run, states_of(row), person)
        row.save(update_fields=["certified_at", "certificate"])
    return dict(row.certificate)
