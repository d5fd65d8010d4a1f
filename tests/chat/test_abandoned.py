"""Turns whose process died are ended once, and never over an answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from chat import services
from chat.models import DayOfUse, Turn
from chat.protocol.events import Event, FinalAnswer
from chat.storing import store
from tests.factories import TurnFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def silent(settings) -> Turn:
    """A turn without a sign of life for too long."""
    return TurnFactory(heartbeat_at=timezone.now() - timedelta(seconds=settings.TURN_LEASE_SECONDS + 1))


def test_two_processes_that_saw_it_silent_end_it_once(silent):
    one, other = (Turn.objects.get(pk=silent.pk) for _ in range(2))
    assert services.end_if_abandoned(one) is not None
    assert services.end_if_abandoned(other) is None
    assert [event.type for event in silent.events.all()] == ["error"]
    assert DayOfUse.objects.get().failed == 1


def test_an_answer_that_came_late_stands(silent):
    seen = Turn.objects.get(pk=silent.pk)
    final = FinalAnswer(text="Ada Lund.", values=["Ada Lund"], known=True, sub_queries=[])
    store(silent, [Event(seq=1, data=final)])
    assert services.end_if_abandoned(seen) is None
    silent.refresh_from_db()
    assert (silent.status, silent.answer) == ("answered", "Ada Lund.")
