"""What a worker does for the chat."""

from __future__ import annotations

import logging
from contextlib import suppress

from chat.models import Conversation, Turn
from chat.retention import purge
from chat.services import end_abandoned_turns
from memosite import runs
from memosite.errors import Conflict
from memosite.worker import every

MINUTE, HOUR = 60, 3600
logger = logging.getLogger(__name__)


@every(HOUR)
def purge_conversations() -> None:
    """Delete conversations that are not kept any longer."""
    deleted = purge(stop=runs.shutting_down.is_set)
    if deleted:
        logger.info("Deleted %s conversations that are not kept any longer", deleted.total())


@every(MINUTE)
def end_lost_turns() -> None:
    """End the turns whose process died, so that they say so and are counted though nobody looks at them."""
    for conversation in Conversation.objects.filter(turns__in=Turn.objects.abandoned()).distinct():
        with suppress(Conflict):  # somebody else has just ended it
            end_abandoned_turns(conversation)
