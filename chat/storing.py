"""Events of a turn as rows: those that happened together in one transaction, before anybody hears of them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from chat import usage
from chat.models import SubQuery, Turn, TurnEvent, TurnStatus
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

#: One turn's events of one moment.
Batch = tuple[Turn, Sequence[Event]]
SAID = ("answer", "known", "needed_memory", "status", "finished_at")
SPENT = ("asked", "calls", "prompt_tokens", "completion_tokens", "cost")


def store(turn: Turn, events: Sequence[Event]) -> None:
    """Keep events in their order, and what they say of the turn and its sub-queries.

    Raises Conflict where another process already stored one of their numbers: it answers the turn.
    """
    store_all([(turn, events)])


def store_all(batches: Sequence[Batch]) -> None:
    """Keep events of several turns, each turn once, in one transaction. Raises Conflict as ``store``, for all."""
    batches = sorted(batches, key=lambda batch: batch[0].pk)  # whoever locks turns locks them in this order
    rows = [
        TurnEvent(turn=turn, seq=event.seq, type=event.type, data=event.as_dict()["data"])
        for turn, events in batches
        for event in events
    ]
    before = [{name: getattr(turn, name) for name in (*SAID, *SPENT)} for turn, _ in batches]
    try:
        with transaction.atomic():
            TurnEvent.objects.bulk_create(rows)
            _store_sub_queries(batches)
            for turn, events in batches:
                _store_turn(turn, events)
    except BaseException as error:
        for (turn, _), values in zip(batches, before, strict=True):
            vars(turn).update(values)  # nothing was stored: whoever tries again counts nothing twice
        if isinstance(error, IntegrityError):
            raise Conflict("This turn is already being answered.") from error
        raise


def _store_turn(turn: Turn, events: Sequence[Event]) -> None:
    """What events say of their turn. Those that say nothing leave the row alone: its process signs for it."""
    changed: list[str] = []
    for event in events:
        changed += _take_in(turn, event)
    if not changed:
        return
    if "cost" in changed:
        turn.cost = _cost(turn)
    turn.heartbeat_at = timezone.now()
    turn.save(update_fields={"heartbeat_at", *changed})
    if any(event.ends_turn for event in events):
        usage.count(turn)


def _take_in(turn: Turn, event: Event) -> tuple[str, ...]:
    """What an event says of its turn; returns the fields that it changed."""
    match event.data:
        case DecisionMade() as decision:
            turn.asked = decision.question or turn.asked
            turn.calls += decision.calls
            turn.prompt_tokens += decision.prompt_tokens
            turn.completion_tokens += decision.completion_tokens
            return SPENT if decision.calls or decision.question else ()
        case FinalAnswer() as final:
            turn.answer, turn.known, turn.needed_memory = final.text, final.known, final.from_memory
    if not event.ends_turn:
        return ()
    turn.status, turn.finished_at = _outcome(event), timezone.now()
    return SAID


def _store_sub_queries(batches: Sequence[Batch]) -> None:
    asked = [
        SubQuery(
            turn=turn,
            index=data.index,
            stage=data.stage,
            question=data.question,
            wordings=[data.question, *data.wordings],
        )
        for turn, events in batches
        for data in (event.data for event in events)
        if isinstance(data, SubQueryAsked)
    ]
    if asked:
        SubQuery.objects.bulk_create(asked)
    for turn, events in batches:
        said = [event.data for event in events if isinstance(event.data, MemoryAnswered)]
        if said:
            _store_answers(turn, said)


def _store_answers(turn: Turn, said: Sequence[MemoryAnswered]) -> None:
    by_name = {}
    if any(answer.source for answer in said):
        by_name = {str(version): version for version in turn.versions.select_related("corpus")}
    for answer in said:
        turn.sub_queries.filter(index=answer.index).update(
            answer=answer.answer,
            known=answer.known,
            confidence=answer.confidence,
            agreement=answer.agreement,
            latency_ms=answer.latency_ms,
            version=by_name.get(answer.source) if answer.source else turn.version,
        )


def _cost(turn: Turn) -> Decimal:
    """US dollars for the EXECUTIVE's calls so far."""
    return turn.endpoint.cost(turn.prompt_tokens, turn.completion_tokens) if turn.endpoint else turn.cost


def _outcome(event: Event) -> str:
    if isinstance(event.data, Stopped):
        return TurnStatus.STOPPED
    return TurnStatus.FAILED if isinstance(event.data, Failed) else TurnStatus.ANSWERED
