"""Sets of questions: made by hand, from files, from what people said, and from approved pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet

from knowledge.models import Corpus, Role
from memosite.errors import Conflict, MemoError
from memosite.people import account_of
from training.evaluation.readers import BadFile, Loaded, read_stream
from training.evaluation.readers.plain import write_csv, write_jsonl
from training.evaluation.types import Question
from training.models import EvaluationQuestion, EvaluationSet, MemoryVersion, SetSource, TrainedPair

MOST_QUESTIONS = 20_000  # in one set
LONGEST_NAME = 80
LONGEST_DESCRIPTION = 2000
ROWS_AT_A_TIME = 500
EXPORTS = {"csv": ("text/csv; charset=utf-8", write_csv), "jsonl": ("application/jsonl", write_jsonl)}


class BadSet(MemoError):
    """A set of questions cannot be as it is wanted."""

    code = "bad_evaluation_set"
    status = 422


class NameTaken(Conflict):
    """The corpus has a set of that name."""

    code = "name_taken"


@dataclass(frozen=True)
class Draft:
    """A question that is to be stored, with the pair that it asks about if there is one."""

    question: Question
    reflection_id: int | None = None


@dataclass(frozen=True)
class Stored:
    """What became of questions: how many were new, changed, or there already."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0

    def __str__(self) -> str:
        return f"{self.added:,} added, {self.updated:,} updated, {self.unchanged:,} unchanged"


# --- Sets --------------------------------------------------------------------------------------------------
def sets_of(corpus: Corpus) -> QuerySet[EvaluationSet]:
    return corpus.evaluation_sets.select_related("created_by").order_by("-is_golden", "name")


def create_set(
    corpus: Corpus,
    person: Any,
    name: str,
    *,
    description: str = "",
    is_golden: bool = False,
    source: str = SetSource.HAND,
) -> EvaluationSet:
    """An empty set. Raises BadSet, NameTaken, and NotAllowed where a golden one is not an owner's."""
    if is_golden:
        _require_owner(corpus, person)
    row = EvaluationSet(corpus=corpus, source=source, is_golden=is_golden)
    row.created_by = account_of(person)
    return _named(row, name, description)


def change_set(
    row: EvaluationSet, person: Any, *, name: str, description: str, is_golden: bool
) -> EvaluationSet:
    """Rename or describe a set, or make it golden or not. Raises BadSet, NameTaken and NotAllowed."""
    if row.is_golden or is_golden:
        _require_owner(row.corpus, person)
    row.is_golden = is_golden
    return _named(row, name, description)


def delete_set(row: EvaluationSet, person: Any) -> None:
    """Delete a set with its questions; what runs asked and found stays. Raises NotAllowed."""
    require_may_change(row, person)
    row.delete()


def require_may_change(row: EvaluationSet, person: Any) -> None:
    """Raise NotAllowed unless the person may change the set's questions: the gate rests on golden ones."""
    if row.is_golden:
        _require_owner(row.corpus, person)


def _require_owner(corpus: Corpus, person: Any) -> None:
    """Only owners decide what lets a version go live; the operator of the site (None) may as well."""
    if person is not None:
        corpus.require(person, Role.OWNER)


def _named(row: EvaluationSet, name: str, description: str) -> EvaluationSet:
    row.name, row.description = " ".join(name.split()), description.strip()
    if not 0 < len(row.name) <= LONGEST_NAME:
        raise BadSet(f"Give the set a name of at most {LONGEST_NAME} characters.")
    if len(row.description) > LONGEST_DESCRIPTION:
        raise BadSet(f"The description is longer than {LONGEST_DESCRIPTION:,} characters. Shorten it.")
    with transaction.atomic():
        Corpus.objects.select_for_update().get(pk=row.corpus_id)
        if EvaluationSet.objects.filter(corpus=row.corpus, name=row.name).exclude(pk=row.pk).exists():
            raise NameTaken(f"“{row.corpus}” has a set “{row.name}” already. Choose another name.")
        row.save()
    return row


# --- Questions ---------------------------------------------------------------------------------------------
def add_question(row: EvaluationSet, person: Any, question: Question) -> EvaluationQuestion:
    """Add a question. Raises Conflict where the set asks it already, BadSet where it is full, NotAllowed."""
    require_may_change(row, person)
    with transaction.atomic():
        _lock(row)
        _require_new(row, question)
        if row.questions.count() >= MOST_QUESTIONS:
            raise BadSet(_too_many(MOST_QUESTIONS + 1))
        added = _row_of(row, Draft(question))
        added.save()
        _touch(row)
    return added


def change_question(asked: EvaluationQuestion, person: Any, question: Question) -> EvaluationQuestion:
    """Put another question in the place of one. Raises Conflict and NotAllowed."""
    require_may_change(asked.evaluation_set, person)
    with transaction.atomic():
        _lock(asked.evaluation_set)
        _require_new(asked.evaluation_set, question, besides=asked.pk)
        _write(asked, question)
        asked.save()
        _touch(asked.evaluation_set)
    return asked


def delete_question(asked: EvaluationQuestion, person: Any) -> None:
    """Raises NotAllowed."""
    require_may_change(asked.evaluation_set, person)
    asked.delete()
    _touch(asked.evaluation_set)


def _require_new(row: EvaluationSet, question: Question, besides: int | None = None) -> None:
    others = row.questions.filter(text=question.text)
    if (others.exclude(pk=besides) if besides else others).exists():
        raise Conflict(f"The set asks “{question.text[:80]}” already. Change that question instead.")


def _lock(row: EvaluationSet) -> None:
    EvaluationSet.objects.select_for_update().get(pk=row.pk)


def _touch(row: EvaluationSet) -> None:
    row.save(update_fields=["updated_at"])


def _too_many(count: int) -> str:
    return f"The set would have {count:,} questions; {MOST_QUESTIONS:,} is the limit. Make several sets."


# --- Files -------------------------------------------------------------------------------------------------
def read_upload(file: UploadedFile, format: str = "") -> Loaded:
    """The questions of an uploaded file. Raises BadFile, with each bad line."""
    if (file.size or 0) > settings.MAX_UPLOAD_BYTES:
        most = settings.MAX_UPLOAD_BYTES // 2**20
        raise BadFile(f"The file is larger than {most} MB. An operator can use the command evaluation_set.")
    file.seek(0)
    return read_stream(file.file, format)  # type: ignore[arg-type]


# --- Many questions ----------------------------------------------------------------------------------------
def import_set(
    corpus: Corpus,
    person: Any,
    name: str,
    loaded: Loaded,
    *,
    is_golden: bool = False,
    source: str = SetSource.FILE,
) -> tuple[EvaluationSet, Stored]:
    """Put the questions of a file into the set of that name, which is made if there is none.

    A question that the set asks already is updated. Raises as ``store`` does.
    """
    drafts = [Draft(question) for question in loaded.questions]
    return store(corpus, person, name, drafts, is_golden=is_golden, source=source)


@transaction.atomic
def store(
    corpus: Corpus, person: Any, name: str, drafts: Sequence[Draft], *, source: str, is_golden: bool = False
) -> tuple[EvaluationSet, Stored]:
    """Put questions into the set of that name; all of them or, where anything is wrong, none.

    Raises BadSet, and NotAllowed where the set is golden or is to be, and the person no owner.
    """
    row = corpus.evaluation_sets.filter(name=" ".join(name.split())).first()
    if row is None:
        row = create_set(corpus, person, name, is_golden=is_golden, source=source)
    require_may_change(row, person)
    if is_golden and not row.is_golden:
        change_set(row, person, name=row.name, description=row.description, is_golden=True)
    _lock(row)
    return row, _store(row, drafts)


def _store(row: EvaluationSet, drafts: Sequence[Draft]) -> Stored:
    known = {asked.text: asked for asked in row.questions.all()}
    new = [_row_of(row, draft) for draft in drafts if draft.question.text not in known]
    if len(known) + len(new) > MOST_QUESTIONS:
        raise BadSet(_too_many(len(known) + len(new)))
    changed = []
    for draft in drafts:
        asked = known.get(draft.question.text)
        if asked and asked.as_question() != draft.question:
            _write(asked, draft.question)
            changed.append(asked)
    EvaluationQuestion.objects.bulk_create(new, batch_size=ROWS_AT_A_TIME)
    EvaluationQuestion.objects.bulk_update(changed, WRITTEN, batch_size=ROWS_AT_A_TIME)
    _touch(row)
    return Stored(len(new), len(changed), len(drafts) - len(new) - len(changed))


WRITTEN = ("text", "answers", "is_set", "answerable", "documents", "tags")


def _row_of(row: EvaluationSet, draft: Draft) -> EvaluationQuestion:
    return _write(EvaluationQuestion(evaluation_set=row, reflection_id=draft.reflection_id), draft.question)


def _write(asked: EvaluationQuestion, question: Question) -> EvaluationQuestion:
    asked.text, asked.is_set, asked.answerable = question.text, question.is_set, question.answerable
    asked.answers, asked.documents = list(question.answers), list(question.documents)
    asked.tags = dict(question.tags)
    return asked


# --- Looking -----------------------------------------------------------------------------------------------
def export_set(row: EvaluationSet, format: str) -> Iterator[bytes]:
    """The questions as a file that can be brought in again. Raises BadSet where there is no such format."""
    if format not in EXPORTS:
        raise BadSet(f"There is no format “{format}”. Choose one of: {', '.join(EXPORTS)}.")
    return EXPORTS[format][1]([asked.as_question() for asked in row.questions.all()])


def trained_questions(row: EvaluationSet, version: MemoryVersion) -> QuerySet[EvaluationQuestion]:
    """The questions that a version was trained on, letter by letter: they show memory, not understanding."""
    learned = TrainedPair.objects.filter(version=version, held_out=False).order_by().values("question")
    return row.questions.filter(text__in=learned)


def questions_matching(row: EvaluationSet, words: str = "", kind: str = "") -> QuerySet[EvaluationQuestion]:
    """The questions of a set that hold the words and are of the kind: answerable, unanswerable or set."""
    rows = row.questions.filter(text__icontains=words) if words else row.questions.all()
    kinds: dict[str, dict[str, bool]] = {
        "unanswerable": {"answerable": False},
        "answerable": {"answerable": True},
        "set": {"is_set": True},
    }
    return rows.filter(**kinds.get(kind, {}))
