"""Questions that memory could not answer, gathered for the curators of each corpus that was asked.

A turn that ended unknown is filed once, by any worker, soon after its end: in one transaction its row is claimed
and its question joins the group that it is like, or begins one. Nothing says who asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import F

from chat.checking import request_check_if_due
from chat.likeness.questions import Groups
from chat.models import Demand, Turn, UnansweredQuestion
from knowledge.models import Corpus, Reflection, ReviewStatus
from knowledge.pipeline.types import Kind
from knowledge.services import add_pair
from memosite.errors import Conflict, MemoError
from memosite.people import account_of
from training.models import MemoryVersion

FILED_AT_ONCE = 200
MISSING_KEPT = 20


class NoWords(MemoError):
    """A pair without a question or an answer."""

    code = "no_words"
    status = 422


# --- Filing ------------------------------------------------------------------------------------------------
def file_unanswered() -> int:
    """File the turns that ended unknown since the last time; returns how many."""
    turns = Turn.objects.unanswered().filter(is_filed=False).order_by("pk")
    related = turns.select_related("conversation__corpus", "version").prefetch_related(
        "conversation__others", "versions__corpora", "sub_queries"
    )
    shelves: dict[int, _Shelf] = {}
    return sum(_file(turn, shelves) for turn in related[:FILED_AT_ONCE])


@transaction.atomic
def _file(turn: Turn, shelves: dict[int, _Shelf]) -> bool:
    """False where another worker filed the turn."""
    if not Turn.objects.filter(pk=turn.pk, is_filed=False).update(is_filed=True):
        return False
    versions = list(turn.versions.all()) or [version for version in (turn.version,) if version]
    corpora = sorted(
        turn.conversation.corpora, key=lambda corpus: corpus.pk
    )  # one order: no two wait for each other
    for corpus in corpora:
        is_alone = {corpus} >= {*corpora, *(each for version in versions for each in version.corpora.all())}
        question, missing = _words_for(turn, is_alone)
        if question:
            asked = next((version for version in versions if version.corpus_id == corpus.pk), None)
            shelf = shelves.setdefault(corpus.pk, _Shelf(corpus))
            shelf.put(turn, question, missing, asked)
    return True


def _words_for(turn: Turn, is_alone: bool) -> tuple[str, list[str]]:
    """The question as curators of a corpus read it, and the sub-queries that memory did not know.

    Sub-queries, and a follow-up question that was made self-contained, hold words of earlier answers. Where those
    may come from another corpus, curators of this one read only what the person typed; a follow-up says nothing
    by itself and is left out (an empty question).
    """
    if is_alone:
        asked = turn.asked or turn.question
        unknown = (row.question for row in turn.sub_queries.all() if not row.known)
        return asked, [text for text in dict.fromkeys(unknown) if text != asked][:MISSING_KEPT]
    is_follow_up = bool(turn.asked) and turn.asked != turn.question
    return ("" if is_follow_up else turn.question), []


class _Shelf:
    """The demands of a corpus while turns are filed: each is read once, whoever made it."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._groups: Groups[int] = Groups()
        self._last = 0

    def put(self, turn: Turn, question: str, missing: list[str], asked: MemoryVersion | None) -> None:
        """Add the turn's question to the demand that it is like; one at a time in a corpus."""
        Corpus.objects.select_for_update().get(pk=self._corpus.pk)
        self._read()
        live = MemoryVersion.objects.live_in(self._corpus).first()
        pk = self._groups.find(question)
        if pk is None:
            row = Demand.objects.create(
                corpus=self._corpus,
                question=question,
                times=1,
                first_asked_at=turn.created_at,
                last_asked_at=turn.created_at,
                checked_version=asked,
            )
            pk = row.pk
        else:
            _ask_again(pk, turn, asked, is_asked_live=bool(asked and asked == live))
        UnansweredQuestion.objects.create(
            demand_id=pk, turn=turn, question=question, missing=missing, asked_at=turn.created_at
        )
        if live and live != asked:
            request_check_if_due(self._corpus)

    def _read(self) -> None:
        """Take in the demands that came in since; their numbers grow, for they are made one at a time."""
        new = self._corpus.demands.filter(pk__gt=self._last).order_by("pk").values_list("pk", "question")
        for pk, question in new:
            self._groups.add(pk, question)
            self._last = pk


def _ask_again(pk: int, turn: Turn, asked: MemoryVersion | None, *, is_asked_live: bool) -> None:
    """Count the question; what counted as answered is open again if the version that is live did not know it."""
    rows = Demand.objects.filter(pk=pk)
    rows.update(times=F("times") + 1)
    rows.filter(last_asked_at__lt=turn.created_at).update(last_asked_at=turn.created_at)
    if is_asked_live:
        answered = rows.filter(status=Demand.Status.ANSWERED)
        answered.update(status=Demand.Status.OPEN, answered_by=None, checked_version=asked)


# --- Curators ----------------------------------------------------------------------------------------------
def dismiss(demand: Demand, person: Any) -> None:
    """Take a demand off the open list. Raises Conflict where it is dismissed already."""
    _decide(demand, person, {Demand.Status.OPEN, Demand.Status.ANSWERED}, Demand.Status.DISMISSED)


def reopen(demand: Demand, person: Any) -> None:
    """Put a demand back on the open list, until another version than the one that is live now answers it.

    Raises Conflict where it is open.
    """
    _decide(demand, person, {Demand.Status.DISMISSED, Demand.Status.ANSWERED}, Demand.Status.OPEN)


def _decide(demand: Demand, person: Any, before: Iterable[str], after: str) -> None:
    live = MemoryVersion.objects.live_in(demand.corpus).first()
    change: dict[str, Any] = {"status": after, "decided_by": account_of(person)}
    if after == Demand.Status.OPEN:
        change |= {"answered_by": None, "checked_version": live}
    if not Demand.objects.filter(pk=demand.pk, status__in=before).update(**change):
        raise Conflict(f"This is {Demand.Status(after).label.lower()} already. Load the list anew.")
    demand.refresh_from_db()


@transaction.atomic
def write_pair(demand: Demand, person: Any, *, question: str, answer: str, approve: bool) -> Reflection:
    """Add a pair that answers the demand, pending or approved. It stays open until a live version knows it.

    Raises NoWords, and Conflict where the corpus has the pair already.
    """
    if not question.strip() or not answer.strip():
        raise NoWords("Write both a question and its answer.")
    status = ReviewStatus.APPROVED if approve else ReviewStatus.PENDING
    row = add_pair(demand.corpus, person, question=question, answer=answer, kind=Kind.DIRECT, status=status)
    Demand.objects.filter(pk=demand.pk).update(reflection=row)
    demand.reflection = row
    return row
