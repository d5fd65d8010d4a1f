"""Turns and conversations as the pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

from django.utils import timezone
from django.utils.safestring import SafeString

from chat.choosing import executive_label
from chat.markdown import as_html
from chat.models import Conversation, Turn
from chat.protocol.events import Event
from chat.timeline import Timeline, timeline_of
from training.models import MemoryVersion
from training.overview import knowledge_as_of


@dataclass(frozen=True)
class MemoryAsked:
    """A version that a turn asked, and the time after which it knows of nothing."""

    version: MemoryVersion
    as_of: datetime


@dataclass(frozen=True)
class TurnShown:
    """A turn with its timeline, and its answer as HTML.

    ``before`` is the turn whose very question is asked again here: its answer stands beside this one's.
    """

    row: Turn
    timeline: Timeline
    answer: SafeString
    memories: list[MemoryAsked] = field(default_factory=list)
    before: TurnShown | None = None

    @property
    def seconds(self) -> float:
        """Wall time from the question until the end, or until now."""
        end = self.row.finished_at or timezone.now()
        return (end - self.row.created_at).total_seconds()

    @property
    def uncited(self) -> list[int]:
        """The sub-queries that the answer rests on without citing them."""
        final = self.timeline.final
        return [index for index in final.sub_queries if f"[{index}]" not in final.text] if final else []

    @property
    def executive(self) -> str:
        return executive_label(self.row.executive)


class Shower:
    """Makes turns ready to be shown; what several of them share is looked up once."""

    def __init__(self) -> None:
        self._as_of: dict[int, datetime] = {}

    def show(self, turns: Iterable[Turn]) -> list[TurnShown]:
        return [self._shown(turn) for turn in turns]

    def _shown(self, turn: Turn, *, with_before: bool = True) -> TurnShown:
        timeline = timeline_of(Event.from_dict(row.as_dict()) for row in turn.events.all())
        indexes = {exchange.index for exchange in timeline.exchanges}
        text = timeline.final.text if timeline.final else ""
        earlier = turn.again_of if with_before else None
        is_same = earlier is not None and earlier.question == turn.question and not turn.is_running
        return TurnShown(
            row=turn,
            timeline=timeline,
            answer=as_html(text, partial("#turn-{}-{}".format, turn.pk), indexes),
            memories=self._memories(turn),
            before=self._shown(earlier, with_before=False) if earlier is not None and is_same else None,
        )

    def _memories(self, turn: Turn) -> list[MemoryAsked]:
        versions = list(turn.versions.all()) or [version for version in (turn.version,) if version]
        return [MemoryAsked(version, self._knowledge_as_of(version)) for version in versions]

    def _knowledge_as_of(self, version: MemoryVersion) -> datetime:
        if version.pk not in self._as_of:
            self._as_of[version.pk] = knowledge_as_of(version)
        return self._as_of[version.pk]


def shown(turns: Iterable[Turn]) -> list[TurnShown]:
    """The turns ready to be shown, with what they need from the database looked up together."""
    return Shower().show(turns)


#: What a query of turns fetches beside, so that showing them asks no more a turn.
RELATED = (
    *("conversation", "shared", "version__corpus", "again_of__version__corpus"),
    *("feedback__reflection", "feedback__answered_by"),
)
FETCHED = ("events", "versions__corpus", "again_of__events", "again_of__versions__corpus")


@dataclass(frozen=True)
class Period:
    """The conversations of a stretch of days, under its name."""

    name: str
    conversations: list[Conversation]


def by_period(conversations: Sequence[Conversation], today: date | None = None) -> list[Period]:
    """Conversations, the latest first, under Today, Yesterday and so on; periods without any are left out."""
    today = today or timezone.localdate()
    periods: dict[str, list[Conversation]] = {}
    for conversation in conversations:
        name = _period_of(timezone.localdate(conversation.updated_at), today)
        periods.setdefault(name, []).append(conversation)
    return [Period(name, rows) for name, rows in periods.items()]


def _period_of(day: date, today: date) -> str:
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    if day > today - timedelta(days=7):
        return "The last 7 days"
    return "The last 30 days" if day > today - timedelta(days=30) else "Earlier"
