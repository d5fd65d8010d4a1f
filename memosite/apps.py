"""Django application of the site itself: system checks and the commands that belong to no app."""

from django.apps import AppConfig


class MemositeConfig(AppConfig):
    name = "memosite"

    def ready(self) -> None:
        from memosite import checks  # noqa: F401 - registers the system checks
