"""What the feedback on an answer looks like."""

from __future__ import annotations

from typing import Any

from django import template

from chat.feedback import MAX_COMMENT, MAX_CORRECTED, corpus_to_correct
from chat.models import Feedback, FeedbackReason, Turn

register = template.Library()


@register.simple_tag
def feedback_form(turn: Turn, typed: Any = None) -> dict[str, Any]:
    """The form's words (those typed, or else those stored), its choices and limits, and whose curators read it."""
    stored = Feedback.objects.filter(turn=turn).values("reason", "comment", "corrected").first()
    return {
        "words": typed or stored or {},
        "reasons": FeedbackReason.choices,
        "longest_comment": MAX_COMMENT,
        "longest_correction": MAX_CORRECTED,
        "corpus": corpus_to_correct(turn),
    }
