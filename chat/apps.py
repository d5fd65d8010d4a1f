"""Django application of chat."""

from typing import Any

from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat import checking, contesting, feedback, peoples_questions, transcripts
        from knowledge.signals import pairs_suggested, reflections_changed
        from memosite.endpoints import trials
        from training.lab.runs import executives
        from training.lab.runs.transcripts import renderers
        from training.lab.sets.providers import PEOPLES_QUESTIONS, READ_VALUES
        from training.signals import alias_moved

        alias_moved.connect(checking.on_alias_moved, dispatch_uid="ask-what-went-live")
        reflections_changed.connect(feedback.follow_pairs, dispatch_uid="corrections-follow-their-pairs")
        pairs_suggested.connect(feedback.suggestions, dispatch_uid="what-people-said-of-pairs")
        trials["executive"] = _try_as_executive
        contesting.register()
        renderers.append(transcripts.draw)
        executives.offers.append(transcripts.offers)
        PEOPLES_QUESTIONS["correction"] = peoples_questions.corrected
        PEOPLES_QUESTIONS["demand"] = peoples_questions.demanded
        READ_VALUES["rules"] = _read_values


async def _try_as_executive(client: Any) -> Any:
    from chat.executives import try_as_executive

    return await try_as_executive(client)


def _read_values(question: str, answer: str) -> tuple[str, ...]:
    from chat.rules.answers import values_of

    return values_of(question, answer)
