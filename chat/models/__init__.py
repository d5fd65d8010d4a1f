"""What the chat keeps."""

from chat.models.checks import CheckRun
from chat.models.conversations import (
    RULES,
    Conversation,
    SubQuery,
    Turn,
    TurnEvent,
    TurnQuerySet,
    TurnStatus,
)
from chat.models.corpora import ChatSettings
from chat.models.feedback import Demand, Feedback, FeedbackReason, UnansweredQuestion
from chat.models.sharing import SharedTurn
from chat.models.usage import DayOfUse

__all__ = [
    "RULES",
    "ChatSettings",
    "CheckRun",
    "Conversation",
    "DayOfUse",
    "Demand",
    "Feedback",
    "FeedbackReason",
    "SharedTurn",
    "SubQuery",
    "Turn",
    "TurnEvent",
    "TurnQuerySet",
    "TurnStatus",
    "UnansweredQuestion",
]
