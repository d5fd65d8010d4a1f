"""Django application of chat."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat import checking, demand, feedback
        from knowledge.signals import pairs_suggested, reflections_changed
        from memosite.runs import looking_after
        from training.signals import alias_moved

        alias_moved.connect(checking.on_alias_moved, dispatch_uid="ask-what-went-live")
        reflections_changed.connect(feedback.follow_pairs, dispatch_uid="corrections-follow-their-pairs")
        pairs_suggested.connect(feedback.suggestions, dispatch_uid="what-people-said-of-pairs")
        looking_after.connect(demand.file_unanswered, dispatch_uid="file-unanswered-questions")
        looking_after.connect(checking.make_up_now_and_then, dispatch_uid="make-up-for-lost-checks")
