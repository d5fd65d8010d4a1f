"""Django application of knowledge."""

from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "knowledge"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from knowledge.flagging import on_reflections_changed
        from knowledge.signals import reflections_changed

        reflections_changed.connect(on_reflections_changed, dispatch_uid="flag-what-changed")
