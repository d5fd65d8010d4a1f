"""What supports the answers of a memory: pairs that its version was trained on and that say the same or nearly.

The caller decides who may see a turn; ``chat.viewing`` decides what is shown of it, for the person who looks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.template.defaultfilters import date

from chat.evidence import copying
from chat.evidence.index import PairIndex, Taught
from chat.evidence.shelf import Shelf
from chat.evidence.sources import (
    ABSTAINED,
    ALL_HIDDEN,
    DELETED,
    NOTHING_NEAR,
    UNANSWERED,
    WITHOUT_PAIRS,
    Sources,
)
from chat.models import SubQuery, Turn
from chat.viewing import Viewer, as_seen
from memosite.errors import MemoError
from training.memory import DONT_KNOW
from training.models import MemoryVersion


class NoSuchSubQuery(MemoError):
    """The turn has no sub-query of that number."""

    code = "no_such_sub_query"
    status = 404


def supporting(turn: Turn, index: int, person: Any) -> Sources:
    """What supports the answer to a sub-query of the turn, as the person may see it. Raises NoSuchSubQuery."""
    row = _sub_queries(turn).filter(index=index).first()
    if row is None:
        raise NoSuchSubQuery(f"This question has no sub-query {index}.")
    return _sources_of(row, Viewer(person))


def all_supporting(turn: Turn, person: Any) -> list[Sources]:
    """What supports each answer of the turn, in the order of its sub-queries, as the person may see it."""
    viewer = Viewer(person)
    return [_sources_of(row, viewer) for row in _sub_queries(turn)]


def as_markdown(turn: Turn, person: Any, absolute: Callable[[str], str] = str) -> str:
    """The turn as Markdown to paste elsewhere, with passages as the person may see them."""
    versions = [version for version in turn.versions.select_related("corpus") if version.allows(person)]
    told = [f"{each}, trained on {date(each.trained_at, 'j F Y')}" for each in versions]
    return copying.as_markdown(turn.question, turn.answer, told, all_supporting(turn, person), absolute)


def _sub_queries(turn: Turn) -> Any:
    return turn.sub_queries.select_related("version__corpus", "turn__version__corpus", "turn__conversation")


def _sources_of(row: SubQuery, viewer: Viewer) -> Sources:
    version = _answered_by(row)
    about: dict[str, Any] = {
        "index": row.index,
        "question": row.question,
        "answer": row.answer,
        "known": row.known,
        "confidence": row.confidence,
        "version": str(version) if version and viewer.may_ask(version) else "",
    }
    if not row.answer:
        return Sources(**about, why_none=UNANSWERED)
    if not row.known and row.answer == DONT_KNOW:
        return Sources(**about, why_none=ABSTAINED)
    if version is None:
        return Sources(**about, why_none=DELETED)
    index = index_of(version)
    if not len(index):
        return Sources(**about, why_none=WITHOUT_PAIRS)
    found = index.nearest(row.wordings or [row.question], row.answer)
    pairs, hidden = as_seen(found, version, viewer)
    why = "" if pairs else ALL_HIDDEN if hidden else NOTHING_NEAR
    return Sources(**about, pairs=tuple(pairs), hidden_pairs=hidden, why_none=why)


def _answered_by(row: SubQuery) -> MemoryVersion | None:
    """The version that answered; of turns from before each answer named its own, the turn's only one."""
    if row.version is None and not row.turn.conversation.others.exists():
        return row.turn.version
    return row.version


@cache
def _shelf() -> Shelf:
    return Shelf(settings.SOURCES_KEPT)


def index_of(version: MemoryVersion) -> PairIndex:
    """The index of the pairs that a version was trained on, built when it is first wanted in this process."""
    return _shelf().get((version.pk, version.trained_at), lambda: _build(version))


def _build(version: MemoryVersion) -> PairIndex:
    rows = version.pairs.filter(held_out=False).values_list("pk", "question", "answer")
    return PairIndex([Taught(*row) for row in rows.iterator(chunk_size=5000)])
