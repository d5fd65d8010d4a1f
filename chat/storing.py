"""Events of a turn as rows: those that happened together in one transaction, before anybody hears of them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from chat import usage
from chat.models import RULES, SubQuery, Turn, TurnEvent, TurnStatus
from chat.protocol.events import (
    DecisionMade,
    Event,
    Failed,
    FinalAnswer,
    MemoryAnswered,
    Stopped,
    SubQueryAsked,
)
from memosite.errors import Conflict
from memosite.models import Endpoint

CHANGED = ("answer", "known", "asked", "needed_memory", "status", "heartbeat_at", "finished_at")
SPENT = ("calls", "prompt_tokens", "completion_tokens", "cost")


@transaction.atomic
def store(turn: Turn, events: Sequence[Event]) -> None:
    """Keep events in their order, and what they say of the turn and its sub-queries.

    Raises Conflict where another process already stored one of their numbers: it answers the turn.
    """
    rows = [
        TurnEvent(turn=turn, seq=event.seq, type=event.type, data=event.as_dict()["data"]) for event in events
    ]
    try:
        with transaction.atomic():
            TurnEvent.objects.bulk_create(rows)
    except IntegrityError as error:
        raise Conflict("This turn is already being answered.") from error
    _store_sub_queries(turn, events)
    spent = turn.calls
    for event in events:
        _take_in(turn, event)
    turn.heartbeat_at = timezone.now()
    has_spent = turn.calls != spent
    if has_spent:
        turn.cost = _cost(turn)
    turn.save(update_fields=[*CHANGED, *(SPENT if has_spent else ())])
    if any(event.ends_turn for event in events):
        usage.count(turn)


def _take_in(turn: Turn, event: Event) -> None:
    """What an event says of its turn."""
    match event.data:
        case DecisionMade() as decision:
            turn.asked = decision.question or turn.asked
            turn.calls += decision.calls
            turn.prompt_tokens += decision.prompt_tokens
            turn.completion_tokens += decision.completion_tokens
        case FinalAnswer() as final:
            turn.answer, turn.known, turn.needed_memory = final.text, final.known, final.from_memory
    if event.ends_turn:
        turn.status, turn.finished_at = _outcome(event), timezone.now()


def _store_sub_queries(turn: Turn, events: Sequence[Event]) -> None:
    SubQuery.objects.bulk_create(
        SubQuery(
            turn=turn,
            index=asked.index,
            stage=asked.stage,
            question=asked.question,
            wordings=[asked.question, *asked.wordings],
        )
        for asked in (event.data for event in events)
        if isinstance(asked, SubQueryAsked)
    )
    said = [event.data for event in events if isinstance(event.data, MemoryAnswered)]
    if said:
        _store_answers(turn, said)


def _store_answers(turn: Turn, said: Sequence[MemoryAnswered]) -> None:
    answers = {answer.index: answer for answer in said}
    rows = list(turn.sub_queries.filter(index__in=answers))
    by_name = {}
    if any(answer.source for answer in said):
        by_name = {str(version): version for version in turn.versions.select_related("corpus")}
    for row in rows:
        answer = answers[row.index]
        row.answer, row.known = answer.answer, answer.known
        row.confidence, row.agreement, row.latency_ms = (
            answer.confidence,
            answer.agreement,
            answer.latency_ms,
        )
        row.version = by_name.get(answer.source) if answer.source else turn.version
    fields = ["answer", "known", "confidence", "agreement", "latency_ms", "version"]
    SubQuery.objects.bulk_update(rows, fields)


def _cost(turn: Turn) -> Decimal:
    """US dollars for the EXECUTIVE's calls so far, at the endpoint's prices of now."""
    endpoint = None if turn.executive == RULES else Endpoint.objects.filter(name=turn.executive).first()
    return endpoint.cost(turn.prompt_tokens, turn.completion_tokens) if endpoint else turn.cost


def _outcome(event: Event) -> str:
    if isinstance(event.data, Stopped):
        return TurnStatus.STOPPED
    return TurnStatus.FAILED if isinstance(event.data, Failed) else TurnStatus.ANSWERED
