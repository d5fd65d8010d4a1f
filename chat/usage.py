"""Counting what was asked: each turn once, in the transaction of its last event, under the day of that.

A turn counts under the conversation's own corpus alone, however many were asked beside it, so that the sums over
all corpora are those of the site. Greetings and the like count as answered questions: they cost calls as well.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.db.models import F

from chat.models import DayOfUse, Turn, TurnStatus


def count(turn: Turn) -> None:
    """Add a turn that has just ended to its day. Call it once a turn, in the transaction that ends it."""
    key = {
        "corpus_id": turn.conversation.corpus_id,
        "day": _ended(turn).astimezone(UTC).date(),
        "executive": turn.executive,
    }
    added = {name: F(name) + value for name, value in figures_of(turn).items() if value}
    if not DayOfUse.objects.filter(**key).update(**added):
        row, _ = DayOfUse.objects.get_or_create(**key)  # another turn may have made it by now
        DayOfUse.objects.filter(pk=row.pk).update(**added)


def figures_of(turn: Turn) -> dict[str, Any]:
    """What an ended turn adds to each figure of its day."""
    outcome = outcome_of(turn)
    return {
        "questions": 1,
        outcome: 1,
        "seconds": max(0.0, (_ended(turn) - turn.created_at).total_seconds()),
        "calls": turn.calls,
        "prompt_tokens": turn.prompt_tokens,
        "completion_tokens": turn.completion_tokens,
        "cost": turn.cost,
    }


def outcome_of(turn: Turn) -> str:
    """answered, abstained, stopped or failed; who only said hello was answered, though memory knew nothing."""
    if turn.status == TurnStatus.ANSWERED:
        return "abstained" if turn.needed_memory and not turn.known else "answered"
    return "stopped" if turn.status == TurnStatus.STOPPED else "failed"


def _ended(turn: Turn) -> Any:
    return turn.finished_at or turn.heartbeat_at
