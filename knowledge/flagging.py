"""Flags as rows: what ``knowledge.pipeline.flags`` finds, kept in step with the pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from knowledge.models import (
    Chunk,
    Corpus,
    Document,
    Flag,
    Reflection,
    ReflectionFlag,
    ReflectionSource,
    ReviewStatus,
)
from knowledge.pipeline.flags import NOTE_LENGTH, Finding, Judged, day_in_words, findings
from knowledge.pipeline.wording import FUNCTION_WORDS, WORD

BATCH = 2000
A_FEW = 20  # pairs that are looked at by themselves; for more, the whole corpus is looked at once
MOST_CANDIDATES = 500
FOUND = [
    flag for flag in Flag if flag != Flag.DOCUMENT_CHANGED
]  # by looking; that one is told by the documents


# --- Looking -----------------------------------------------------------------------------------------------
@transaction.atomic
def flag_corpus(corpus: Corpus) -> int:
    """Bring the flags of all pairs of a corpus up to date; returns how many there are. Safe to repeat."""
    found = findings(_judged(_in_play(corpus.pk)))
    _store(ReflectionFlag.objects.filter(reflection__corpus=corpus), found)
    changed = ReflectionFlag.objects.filter(flag=Flag.DOCUMENT_CHANGED, reflection__corpus=corpus)
    changed.exclude(Exists(_outdated_sources())).delete()
    return len(found)


def flag_pairs(ids: Collection[int]) -> None:
    """Bring the flags of some pairs up to date, and of those that they were, or are now, held against."""
    by_corpus: dict[int, set[int]] = defaultdict(set)
    for batch in _batches(list(ids)):
        for key, corpus in Reflection.objects.filter(pk__in=batch).values_list("pk", "corpus"):
            by_corpus[corpus].add(key)
    for corpus, keys in by_corpus.items():
        if len(keys) > A_FEW:
            flag_corpus(Corpus.objects.get(pk=corpus))
        else:
            _flag_a_few(corpus, keys)


@transaction.atomic
def _flag_a_few(corpus: int, keys: set[int]) -> None:
    partners = ReflectionFlag.objects.filter(other__in=keys).values_list("reflection", flat=True)
    anew = keys | set(partners[:MOST_CANDIDATES])
    pairs = _in_play(corpus)
    near: set[int] = set()
    for row in pairs.filter(pk__in=anew):
        near.update(pairs.filter(_may_be_alike(row)).values_list("pk", flat=True)[:MOST_CANDIDATES])
    found = findings(_judged(pairs.filter(pk__in=anew | near)))
    _store(ReflectionFlag.objects.filter(reflection__in=anew), [each for each in found if each.pair in anew])
    beside = [each for each in found if each.pair not in anew and each.other in anew]
    ReflectionFlag.objects.bulk_create(map(_as_row, beside), ignore_conflicts=True)


def _in_play(corpus: int) -> QuerySet[Reflection]:
    """Pairs that may still be trained on."""
    rows = Reflection.objects.filter(corpus=corpus, retired=False, is_latest=True)
    return rows.exclude(status=ReviewStatus.REJECTED).order_by("pk")


def _may_be_alike(row: Reflection) -> Q:
    """Pairs whose question has the names and numbers of this one; without any, its longest word."""
    terms = [word for word in WORD.findall(row.question) if word.casefold() not in FUNCTION_WORDS]
    telling = [word for word in terms[1:] if word[0].isupper() or word.isdigit()]
    condition = Q()
    for word in telling or [max(terms or [row.question], key=len)]:
        condition &= Q(question__icontains=word)
    return condition


# --- Rows to values and back -------------------------------------------------------------------------------
def _judged(rows: QuerySet[Reflection]) -> list[Judged]:
    """The pairs with the passages behind them, in three queries."""
    sources = ReflectionSource.objects.filter(reflection__in=rows.order_by().values("pk"))
    chunks: dict[int, dict[int, None]] = defaultdict(dict)
    for reflection, chunk in sources.values_list("reflection", "chunk"):
        chunks[reflection][chunk] = None
    texts = _passages(sources)
    return [
        Judged(
            row["pk"],
            row["question"],
            row["answer"],
            row["kind"],
            row["fact"],
            tuple(text for chunk in chunks[row["pk"]] for text in texts[chunk]),
            needs_source=row["last_run"] is not None or bool(chunks[row["pk"]]),
        )
        for row in rows.values("pk", "question", "answer", "kind", "fact", "last_run")
    ]


def _passages(sources: QuerySet[ReflectionSource]) -> dict[int, tuple[str, str]]:
    """The text of each passage, and what its document says by its title and date."""
    chunks = Chunk.objects.filter(pk__in=sources.order_by().values("chunk")).order_by()
    rows = chunks.values_list("pk", "text", "document__title", "document__date")
    return {pk: (text, f"{title} {day_in_words(day)}") for pk, text, title, day in rows}


def _store(rows: QuerySet[ReflectionFlag], found: Sequence[Finding]) -> None:
    """Make ``rows`` what was found: add, change and delete only what differs."""
    wanted = {(each.pair, each.flag): each for each in found}
    there: dict[tuple[int, str], tuple[int, str, int | None]] = {
        (pair, flag): (pk, note, other)
        for pk, pair, flag, note, other in rows.filter(flag__in=FOUND).values_list(
            "pk", "reflection", "flag", "note", "other"
        )
    }
    stale = [
        pk
        for key, (pk, *told) in there.items()
        if key not in wanted or [wanted[key].note, wanted[key].other] != told
    ]
    for batch in _batches(stale):
        ReflectionFlag.objects.filter(pk__in=batch).delete()
    gone = set(stale)
    new = [each for key, each in wanted.items() if key not in there or there[key][0] in gone]
    ReflectionFlag.objects.bulk_create(map(_as_row, new), batch_size=BATCH, ignore_conflicts=True)


def _as_row(found: Finding) -> ReflectionFlag:
    return ReflectionFlag(
        reflection_id=found.pair, flag=found.flag, note=found.note[:NOTE_LENGTH], other_id=found.other
    )


def _batches(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), BATCH):
        yield keys[start : start + BATCH]


# --- Documents that changed --------------------------------------------------------------------------------
def _outdated_sources() -> QuerySet[ReflectionSource]:
    return ReflectionSource.objects.filter(
        reflection=OuterRef("reflection"), chunk__document__is_current=False
    )


def mark_document_changed(documents: Iterable[Document], note: str) -> int:
    """Flag the pairs that rest on these versions of a document, which are no longer current; returns how many."""
    pairs = Reflection.objects.filter(retired=False).exclude(status=ReviewStatus.REJECTED)
    keys = pairs.filter(source_spans__chunk__document__in=documents).order_by().values_list("pk", flat=True)
    found = [Finding(key, Flag.DOCUMENT_CHANGED, note) for key in keys.distinct()]
    ReflectionFlag.objects.bulk_create(map(_as_row, found), batch_size=BATCH, ignore_conflicts=True)
    return len(found)


# --- What people decide ------------------------------------------------------------------------------------
def on_reflections_changed(ids: Collection[int], compare: bool, **_: Any) -> None:
    """A person decided about pairs or edited them: a change of their document is dealt with by that."""
    keys = set(ids)
    changed = ReflectionFlag.objects.filter(flag=Flag.DOCUMENT_CHANGED).values_list("reflection", flat=True)
    for batch in _batches(sorted(keys.intersection(changed))):
        ReflectionFlag.objects.filter(flag=Flag.DOCUMENT_CHANGED, reflection__in=batch).delete()
    if compare or len(keys) <= A_FEW:
        flag_pairs(keys)
    else:
        _forget_rejected()


def _forget_rejected() -> None:
    """Rejected pairs are out of play: their flags go, and those of the pairs that were held against them."""
    rejected = Q(reflection__status=ReviewStatus.REJECTED) | Q(other__status=ReviewStatus.REJECTED)
    gone = ReflectionFlag.objects.filter(rejected, flag__in=FOUND).order_by().values_list("pk", flat=True)
    for batch in _batches(list(gone)):
        ReflectionFlag.objects.filter(pk__in=batch).delete()
