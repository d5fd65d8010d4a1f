"""Taking pairs out of a corpus as a file, and bringing a file of pairs in; shared by admin, REST and commands."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet

from knowledge import services
from knowledge.exchange.formats import FORMATS
from knowledge.exchange.records import FileRefused, Line, PairRecord, SourceRecord
from knowledge.models import Corpus, Reflection, ReflectionSet, ReflectionSource, ReviewStatus
from knowledge.pipeline.types import Kind, Pair
from memosite.errors import MemoError

ROWS_AT_A_TIME = 500
LINES_AT_A_TIME = 500
BLOCK_BYTES = 64 * 1024
MOST_ERRORS = 1000  # so many bad lines are the wrong file, not slips
UPDATED_FIELDS = ("question", "answer", "status")

Track = Callable[[Iterable[Any]], Iterable[Any]]
Problem = tuple[int, str]


# --- Export ------------------------------------------------------------------------------------------------
def export_pairs(pairs: QuerySet[Reflection], format: str, track: Track = iter) -> Iterator[bytes]:
    """The file of these pairs in blocks. It holds a batch of pairs in memory at a time, whatever their number.

    ``track`` sees each pair go by, for a progress bar. Raises FileRefused where there is no such format.
    """
    written = format_named(format).write(track(records_of(pairs)))
    return _blocks(written)


def format_named(name: str) -> Any:
    if name not in FORMATS:
        raise FileRefused(f"There is no format “{name}”. Choose from {', '.join(FORMATS)}.")
    return FORMATS[name]


def records_of(pairs: QuerySet[Reflection]) -> Iterator[PairRecord]:
    """All that is known of the pairs, in the order of their numbers; two more queries for each batch."""
    sources = ReflectionSource.objects.select_related("chunk__document").defer("chunk__document__text")
    rows = (
        Reflection.objects.filter(pk__in=pairs.order_by().values("pk"))
        .select_related("reflection_set", "reviewed_by")
        .prefetch_related(Prefetch("source_spans", sources), "flags")
        .order_by("pk")
    )
    return map(_record_of, rows.iterator(chunk_size=ROWS_AT_A_TIME))


def _record_of(row: Reflection) -> PairRecord:
    same = ("id", "key", "question", "answer", "kind", "fact", "entity", "status", "step", "prompt_version")
    return PairRecord(
        **{name: getattr(row, name) for name in (*same, "model", "retired", "reviewed_at")},
        generator=row.reflection_set.generator,
        reviewed_by=row.reviewed_by.get_username() if row.reviewed_by else "",
        flags=tuple(flag.flag for flag in row.flags.all()),
        sources=tuple(_source_of(span) for span in row.source_spans.all()),
    )


def _source_of(span: ReflectionSource) -> SourceRecord:
    document = span.chunk.document
    return SourceRecord(
        document=document.name,
        title=document.title,
        version=document.version,
        passage=span.chunk.position,
        start=span.start,
        end=span.end,
        text=str(span),
    )


def _blocks(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces."""
    block = bytearray()
    for part in parts:
        block += part
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block)


# --- Import ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ImportReport:
    """What became of a file: how many of its pairs were new, changed or the same, and what is bad at which line.

    Where ``stored`` is false nothing was stored, and the numbers tell what would have been.
    """

    added: int
    updated: int
    unchanged: int
    errors: list[Problem]
    stored: bool

    def __str__(self) -> str:
        return (
            f"{self.added} added, {self.updated} updated, {self.unchanged} unchanged, {len(self.errors)} bad"
        )

    @property
    def has_changed_something(self) -> bool:
        return self.stored and bool(self.added or self.updated)


class LinesRefused(FileRefused):
    """Lines of a file are bad, so nothing of it was stored. ``errors`` names each line."""

    code = "lines_refused"

    def __init__(self, report: ImportReport) -> None:
        number = len(report.errors)
        lines = f"{number} line{'s are' if number > 1 else ' is'} bad"
        super().__init__(f"{lines}, so nothing was stored. Mend the file, or ask to store the good lines.")
        self.report = report
        self._errors = [{"line": line, "message": message} for line, message in report.errors]

    def members(self) -> dict[str, Any]:
        """Each bad line with what is wrong with it."""
        return {"errors": self._errors}


@dataclass
class _Plan:
    """What an import will do, made by looking only."""

    corpus: Corpus
    adds: dict[str, tuple[int, PairRecord]] = field(
        default_factory=dict
    )  # by the key that the pair will have
    updates: list[tuple[int, Reflection, dict[str, str]]] = field(default_factory=list)
    unchanged: int = 0
    errors: list[Problem] = field(default_factory=list)
    line_of: dict[int, int] = field(default_factory=dict)  # number of a pair -> the line that named it


def import_pairs(
    corpus: Corpus,
    data: bytes | BinaryIO,
    format: str,
    person: Any,
    *,
    store_good: bool = False,
    dry_run: bool = False,
    track: Track = iter,
) -> ImportReport:
    """Add and update the pairs of a file in a person's name, and say what became of its lines.

    A line with an id updates the question, answer and status of that pair; a line without one finds its pair by
    question and answer, or adds a new pair. A file with a bad line changes nothing unless ``store_good`` asks to
    store the others; ``dry_run`` never stores. Raises FileRefused where nothing in the file can be read.
    """
    plan = _Plan(corpus)
    lines = iter(track(format_named(format).read(_checked_stream(data))))
    while (batch := list(islice(lines, LINES_AT_A_TIME))) and len(plan.errors) <= MOST_ERRORS:
        _plan_batch(plan, batch)
    if len(plan.errors) > MOST_ERRORS:
        raise FileRefused(f"More than {MOST_ERRORS:,} lines are bad, the first: {_told(plan.errors[0])}")
    if not (plan.adds or plan.updates or plan.unchanged or plan.errors):
        raise FileRefused("The file holds no pair. Look whether it is the right one.")
    if dry_run or (plan.errors and not store_good):
        return _report(plan, stored=False)
    return _carry_out(plan, person or AnonymousUser(), store_good=store_good, track=track)


def _checked_stream(data: bytes | BinaryIO) -> BinaryIO:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    size, most = stream.seek(0, io.SEEK_END), settings.MAX_UPLOAD_BYTES
    stream.seek(0)
    if not size:
        raise FileRefused("The file is empty. Look whether it is the right one.")
    if size > most:
        limit = f"{most // 2**20} MB are the limit"
        raise FileRefused(f"The file is too large: {limit}. Split it, or have MAX_UPLOAD_MB raised.")
    return stream


def _told(problem: Problem) -> str:
    return f"line {problem[0]}: {problem[1]}"


def _report(plan: _Plan, *, stored: bool) -> ImportReport:
    errors = sorted(plan.errors)
    return ImportReport(len(plan.adds), len(plan.updates), plan.unchanged, errors, stored)


# -- planning -----------------------------------------------------------------------------------------------
def _plan_batch(plan: _Plan, lines: list[Line]) -> None:
    """Decide about some lines with a handful of queries, however many they are."""
    plan.errors += [(line.number, line.problem) for line in lines if line.record is None]
    found = [(line.number, line.record) for line in lines if line.record is not None]
    named = [(number, record) for number, record in found if record.id is not None]
    nameless = [(number, record) for number, record in found if record.id is None]
    _plan_named(plan, named)
    _plan_nameless(plan, nameless)


def _plan_named(plan: _Plan, lines: list[tuple[int, PairRecord]]) -> None:
    rows = plan.corpus.reflections.in_bulk([record.id for _, record in lines])
    newest = _newest_of([row for row in rows.values() if not row.is_latest])
    for number, record in lines:
        row = rows.get(record.id or 0)
        if row is None:
            reason = f"This corpus has no pair {record.id}. Take the id out to add the line as a new pair."
            plan.errors.append((number, reason))
        elif row.pk in plan.line_of:
            reason = f"Pair {row.pk} stands in line {plan.line_of[row.pk]} already. Keep one of the two."
            plan.errors.append((number, reason))
        else:
            plan.line_of[row.pk] = number
            _plan_update(plan, number, newest.get(row.pk, row), record)


def _plan_update(plan: _Plan, number: int, row: Reflection, record: PairRecord) -> None:
    wanted = {name: getattr(record, name).strip() for name in UPDATED_FIELDS}
    changes = {name: text for name, text in wanted.items() if text and text != getattr(row, name).strip()}
    if not changes:
        plan.unchanged += 1
    elif record.id not in (None, row.pk):
        reason = f"Pair {record.id} was revised as pair {row.pk} since. Export again, then change it there."
        plan.errors.append((number, reason))
    else:
        plan.updates.append((number, row, changes))


def _newest_of(rows: list[Reflection]) -> dict[int, Reflection]:
    """The latest revision of each of these pairs, by the number of the pair it goes back to."""
    newest: dict[int, Reflection] = {}
    origins = {row.pk: row.pk for row in rows}
    while origins:
        revisions = Reflection.objects.filter(revises__in=origins)
        newest |= {origins[row.revises_id or 0]: row for row in revisions}
        origins = {row.pk: origins[row.revises_id or 0] for row in revisions if not row.is_latest}
    return newest


def _plan_nameless(plan: _Plan, lines: list[tuple[int, PairRecord]]) -> None:
    keyed = [(number, key_of(record), record) for number, record in lines]
    by_text, by_key = _rows_like(plan.corpus, keyed)
    for number, key, record in keyed:
        row = by_text.get(key)
        if key in plan.adds or (row and row.pk in plan.line_of):
            plan.unchanged += 1  # the same pair twice in one file is one pair
        elif row:
            plan.line_of[row.pk] = number
            _plan_update(plan, number, row, record)
        elif key in by_key:
            reason = (
                f"This pair is here as number {by_key[key]}, which somebody has reworded. Change that one."
            )
            plan.errors.append((number, reason))
        else:
            plan.adds[key] = (number, record)


def _rows_like(
    corpus: Corpus, lines: list[tuple[int, str, PairRecord]]
) -> tuple[dict[str, Reflection], dict[str, int]]:
    """The pairs that read now as the lines do, and the numbers of those that did when they were made."""
    keys = [key for _, key, _ in lines]
    questions = [record.question.strip() for _, _, record in lines]
    alike = corpus.reflections.filter(Q(key__in=keys) | Q(question__in=questions)).order_by("-retired", "-pk")
    rows = list(alike) if lines else []
    by_text = {key_of(row): row for row in rows if row.is_latest}
    return by_text, {row.key: row.pk for row in rows}


def key_of(pair: PairRecord | Reflection) -> str:
    """The key that a pair of these words has when it is made."""
    return Pair(pair.question.strip(), pair.answer.strip(), Kind.DIRECT, fact="", spans=()).key


# -- storing ------------------------------------------------------------------------------------------------
@transaction.atomic
def _carry_out(plan: _Plan, person: Any, *, store_good: bool, track: Track) -> ImportReport:
    """Store what was planned. What came in between makes its line a bad one, and undoes all unless told not to."""
    Corpus.objects.select_for_update().get(pk=plan.corpus.pk)
    plan.updates.sort(key=lambda update: update[1].pk)  # everybody locks pairs in this order
    if plan.updates:
        plan.updates = [update for update in track(plan.updates) if _update(plan, update, person)]
    adds = iter(track(list(plan.adds.items())) if plan.adds else ())
    while batch := list(islice(adds, LINES_AT_A_TIME)):
        _add(plan, dict(batch), person)
    if stored := store_good or not plan.errors:
        return _report(plan, stored=stored)
    transaction.set_rollback(True)
    return _report(plan, stored=False)


def _update(plan: _Plan, update: tuple[int, Reflection, dict[str, str]], person: Any) -> bool:
    number, row, changes = update
    try:
        services.revise(row, changes, person)
    except MemoError as error:
        plan.errors.append((number, str(error)))
        return False
    return True


def _add(plan: _Plan, lines: dict[str, tuple[int, PairRecord]], person: Any) -> None:
    """Add the pairs as ones that a person wrote, with the first entry of their history."""
    for key in plan.corpus.reflections.filter(key__in=lines).values_list("key", flat=True):
        if line := lines.pop(key, None):
            plan.errors.append((line[0], "Somebody has added this pair just now. Bring the file in again."))
            del plan.adds[key]
    by_hand, _ = ReflectionSet.objects.get_or_create(corpus=plan.corpus, generator=services.BY_HAND)
    rows = [_row_of(by_hand, key, record, person) for key, (_, record) in lines.items()]
    Reflection.objects.bulk_create(rows)
    author = person if person.pk else None
    Reflection.history.bulk_history_create(rows, batch_size=LINES_AT_A_TIME, default_user=author)


def _row_of(by_hand: ReflectionSet, key: str, record: PairRecord, person: Any) -> Reflection:
    row = Reflection(
        corpus_id=by_hand.corpus_id,
        reflection_set=by_hand,
        key=key,
        question=record.question.strip(),
        answer=record.answer.strip(),
        kind=record.kind or Kind.DIRECT,
        fact=record.fact or key,
        entity=record.entity,
    )
    row.mark_reviewed(record.status or ReviewStatus.PENDING, person)
    return row
