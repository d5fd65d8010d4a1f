"""What became of a person's corrections, for the top of the chat pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template

from chat import feedback
from chat.models import Feedback, Turn
from chat.views.conversations import TURNS_ON_A_PAGE

register = template.Library()
NEWS_AT_ONCE = 5


@dataclass(frozen=True)
class News:
    """A correction of which there is something to tell, and the address of its turn."""

    feedback: Feedback

    @property
    def address(self) -> str:
        """The turn on the page of its conversation: the latest one, or an earlier one if it is not there."""
        turn = self.feedback.turn
        later = Turn.objects.filter(conversation=turn.conversation_id, pk__gt=turn.pk).count()
        page = f"?before={turn.pk + 1}" if later >= TURNS_ON_A_PAGE else ""
        return f"{turn.conversation.get_absolute_url()}{page}#turn-{turn.pk}"


@register.simple_tag
def news_for(person: Any) -> list[News]:
    """The latest news for the person; when they are put away, older ones come up."""
    return [News(row) for row in feedback.news_of(person)[:NEWS_AT_ONCE]]
