"""Asking a live version what an earlier one did not know: corrections that people gave, and open demands.

Rows say what is due: whatever was not yet put to the version that is live now. A run does the asking in a worker;
one that dies goes on, and one that is lost is made again (``make_up``). Nothing is concluded for a version that is
live no more, or for a pair that changed meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from chat.executives import executive_named
from chat.likeness.answers import says_the_same
from chat.models import RULES, CheckRun, Demand, Feedback
from chat.protocol.events import FinalAnswer
from chat.protocol.state import Budget
from chat.protocol.stream import blocking, interrogate
from knowledge.models import Corpus, ReviewStatus
from memosite.runs import Status, seconds_ago
from training.memory import Memory
from training.models import LIVE, Alias, MemoryVersion
from training.serving import memory_for

BUDGET = Budget(total=24, seconds=10.0)  # for one question, by the built-in EXECUTIVE
ASKED_TOGETHER = 32
RETRY_SECONDS = 600  # after a check that failed, as one does while a server is down
KEPT_SECONDS = 30 * 24 * 3600


# --- What is due -------------------------------------------------------------------------------------------
def open_corrections() -> QuerySet[Feedback]:
    """Corrections that people wait for: no curator decided otherwise, and nobody was told yet of an answer."""
    told = Q(answered_at__isnull=False, seen_at__isnull=False)
    waiting = Feedback.objects.filter(reflection__isnull=False).exclude(told)
    return waiting.exclude(reflection__status=ReviewStatus.REJECTED)


def open_demands() -> QuerySet[Demand]:
    """Demands that nobody has met or dismissed."""
    return Demand.objects.filter(status=Demand.Status.OPEN)


def due_corrections(version: MemoryVersion) -> QuerySet[Feedback]:
    """Open corrections that were not yet put to the version, which is live."""
    due = open_corrections().filter(reflection__corpus=version.corpus_id).exclude(checked_version=version)
    return due.order_by("pk")


def due_demands(version: MemoryVersion) -> QuerySet[Demand]:
    """Open demands that were not yet put to the version, which is live."""
    return open_demands().filter(corpus=version.corpus_id).exclude(checked_version=version).order_by("pk")


# --- Asking for a check ------------------------------------------------------------------------------------
def request_check_if_due(corpus: Corpus) -> None:
    """Have a worker ask the live version of the corpus, if there is anything that it was not asked yet."""
    version = MemoryVersion.objects.live_in(corpus).first()
    if version and (due_corrections(version).exists() or due_demands(version).exists()):
        _request(corpus)


@transaction.atomic
def _request(corpus: Corpus) -> None:
    """Queue a run, unless one waits already: the lock keeps that one from starting before this is committed."""
    runs = CheckRun.objects.filter(corpus=corpus)
    if runs.select_for_update().filter(status=Status.QUEUED).first() is None:
        runs.filter(finished_at__lt=seconds_ago(KEPT_SECONDS)).delete()
        CheckRun.objects.create(corpus=corpus).enqueue()


def on_alias_moved(alias: Alias, **_: Any) -> None:
    """Another version went live: it is asked what the one before did not know."""
    if alias.name == LIVE:
        request_check_if_due(alias.corpus)


def make_up() -> None:
    """Ask for the checks that are due and on nobody's way: lost, failed a while ago, or never asked for."""
    aliases = Alias.objects.filter(name=LIVE)
    corrections = open_corrections().filter(reflection__corpus=OuterRef("corpus"))
    demands = open_demands().filter(corpus=OuterRef("corpus"))
    unasked = Q(checked_version=None) | ~Q(checked_version=OuterRef("version"))
    on_its_way = Q(status__in=(Status.QUEUED, Status.RUNNING))
    recent = Q(finished_at__gt=seconds_ago(RETRY_SECONDS))
    known_of = CheckRun.objects.filter(on_its_way | recent, corpus=OuterRef("corpus"))
    due = aliases.filter(
        Exists(corrections.filter(unasked)) | Exists(demands.filter(unasked)), ~Exists(known_of)
    )
    for alias in due.select_related("corpus"):
        _request(alias.corpus)


# --- The check ---------------------------------------------------------------------------------------------
def perform_check(run: CheckRun) -> None:
    """Ask the live version all that is due, and keep what it answers. Raises a MemoError as ``memory_for``."""
    version = MemoryVersion.objects.live_in(run.corpus).select_related("corpus").first()
    if version is None:
        return
    corrections = due_corrections(version).select_related("turn", "reflection")
    items: list[_Correction | _Wanted] = [_Correction(row) for row in corrections]
    items += [_Wanted(row) for row in due_demands(version)]
    run.report(phase="asking", total=len(items), done=0)
    memory = memory_for(version) if items else None
    for start in range(0, len(items), ASKED_TOGETHER):
        together = items[start : start + ASKED_TOGETHER]
        assert memory is not None  # noqa: S101 - there are items
        said = memory.answer([item.question for item in together])
        for number, (item, answer) in enumerate(zip(together, said, strict=True), start=start + 1):
            is_met = answer.known and item.is_met_by(answer.text)
            item.keep(version, is_met or _is_met_by_interrogation(item, memory))
            run.report(done=number)


def _is_met_by_interrogation(item: _Correction | _Wanted, memory: Memory) -> bool:
    """What takes several facts, no single answer of MEMORY tells: the built-in EXECUTIVE puts them together."""
    events = blocking(interrogate(item.question, executive_named(RULES), memory, budget=BUDGET))
    *_, last = events
    final = last.data
    return isinstance(final, FinalAnswer) and final.known and item.is_met_by(final.text)


def _still_live(version: MemoryVersion) -> Exists:
    return Exists(Alias.objects.filter(name=LIVE, corpus=version.corpus_id, version=version))


@dataclass(frozen=True)
class _Correction:
    """A correction that somebody waits for."""

    row: Feedback

    @property
    def question(self) -> str:
        return self.row.turn.asked or self.row.turn.question

    def is_met_by(self, answer: str) -> bool:
        return says_the_same(self.question, answer, self.row.reflection.answer)  # type: ignore[union-attr]

    def keep(self, version: MemoryVersion, is_met: bool) -> None:
        pair = self.row.reflection
        unchanged = Feedback.objects.filter(
            _still_live(version),
            pk=self.row.pk,
            reflection=pair,
            reflection__edit=pair.edit,  # type: ignore[union-attr]
        ).exclude(answered_at__isnull=False, seen_at__isnull=False)
        if is_met:
            told: dict[str, Any] = {"answered_by": version, "answered_at": timezone.now(), "seen_at": None}
        else:
            told = {"answered_by": None, "answered_at": None}
        unchanged.update(checked_version=version, **told)


@dataclass(frozen=True)
class _Wanted:
    """A question that memory could not answer."""

    row: Demand

    @property
    def question(self) -> str:
        return self.row.question

    def is_met_by(self, answer: str) -> bool:
        return bool(answer)

    def keep(self, version: MemoryVersion, is_met: bool) -> None:
        unchanged = open_demands().filter(_still_live(version), pk=self.row.pk)
        told = {"status": Demand.Status.ANSWERED, "answered_by": version} if is_met else {}
        unchanged.update(checked_version=version, **told)
