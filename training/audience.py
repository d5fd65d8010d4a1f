"""Who may ask a version: the people who read every corpus that it learned from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from knowledge.models import Corpus, Role
from memosite.errors import Conflict, NotAllowed
from training.models import AliasMove, MemoryVersion, TrainingRun

CLOSED = "It learned from corpora that you may not all read. Ask an owner of the corpus to let you in."


class AudienceNarrowed(Conflict):
    """Readers of the corpus could not ask its live memory any more."""

    code = "audience_narrowed"


def readers_lost(version: MemoryVersion) -> int:
    """How many people may ask its corpus, and could not if this version were live.

    Superusers read everything, and closed accounts ask nothing: neither is counted.
    """
    readers = _readers(version.corpus)
    kept = readers
    for corpus in version.other_corpora:
        kept = kept.filter(pk__in=_readers(corpus).values("pk"))
    return readers.count() - kept.count()


def _readers(corpus: Corpus) -> QuerySet[Any]:
    people = get_user_model()._default_manager.filter(is_active=True, is_superuser=False)
    return people.filter(groups__in=[corpus.group(role) for role in Role]).distinct()


def warn_of_narrowing(version: MemoryVersion) -> None:
    """Raise AudienceNarrowed where readers of the corpus would be shut out if the version went live."""
    if lost := readers_lost(version):
        others = ", ".join(f"“{corpus}”" for corpus in version.other_corpora)
        people = "1 person who reads" if lost == 1 else f"{lost} people who read"
        raise AudienceNarrowed(
            f"{version} learned from {others} as well. {people} “{version.corpus}” but not those could not ask "
            "any more. Give them the role of reader there first, or confirm that they are to lose access."
        )


def require_audience(version: MemoryVersion, person: Any) -> None:
    """Raise NotAllowed unless the person is part of the version's audience; None is the operator of the site."""
    if person is not None and not version.allows(person):
        raise NotAllowed(f"{version} is closed to you. {CLOSED}")


def live_for(corpus: Corpus, person: Any) -> tuple[MemoryVersion | None, bool]:
    """The live version as far as the person may see it, and whether there is one that is closed to the person."""
    live = MemoryVersion.objects.live_in(corpus).first()
    is_closed = live is not None and not live.allows(person)
    return (None if is_closed else live), is_closed


def open_versions(corpus: Corpus, person: Any) -> QuerySet[MemoryVersion]:
    """The corpus's versions that the person may see, the newest first."""
    return MemoryVersion.objects.for_reader(person).filter(corpus=corpus).select_related("corpus")


def open_trainings(corpus: Corpus, person: Any) -> QuerySet[TrainingRun]:
    """The corpus's trainings that the person may see, the newest first."""
    seen: QuerySet[TrainingRun] = TrainingRun.objects.for_reader(person).filter(corpus=corpus)
    return seen


@dataclass(frozen=True)
class SeenMove:
    """A move of an alias as a person may see it, without what concerns a version that is closed to the person."""

    alias: str
    from_number: int | None
    to_number: int | None
    moved_by: str | None
    moved_at: datetime
    reason: str
    is_closed: bool

    @property
    def in_words(self) -> str:
        """Such as “2 → 3”."""
        before = f"{self.from_number} → " if self.from_number else ""
        return f"{before}{self.to_number or ('closed version' if self.is_closed else 'deleted version')}"


def moves_of(corpus: Corpus) -> QuerySet[AliasMove]:
    """Every move of the corpus's aliases, the newest first."""
    moves = AliasMove.objects.filter(alias__corpus=corpus)
    return moves.select_related("alias", "from_version", "to_version", "moved_by")


def as_seen_by(person: Any, corpus: Corpus, moves: Iterable[AliasMove]) -> list[SeenMove]:
    """The moves without what a person may not see of them."""
    visible = frozenset(open_versions(corpus, person).values_list("pk", flat=True))
    told = AliasMove.objects.for_reader(person).filter(alias__corpus=corpus)
    open_moves = frozenset(told.values_list("pk", flat=True))
    return [_seen(move, visible, is_closed=move.pk not in open_moves) for move in moves]


def _seen(move: AliasMove, visible: frozenset[int], *, is_closed: bool) -> SeenMove:
    shown = {
        side: version.number if version and version.pk in visible else None
        for side, version in (("before", move.from_version), ("after", move.to_version))
    }
    return SeenMove(
        alias=move.alias.name,
        from_number=shown["before"],
        to_number=shown["after"],
        moved_by=move.moved_by.get_username() if move.moved_by else None,
        moved_at=move.moved_at,
        reason="" if is_closed else move.reason,
        is_closed=is_closed,
    )
