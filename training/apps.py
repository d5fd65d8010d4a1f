"""Django application of training."""

from typing import Any

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from knowledge.signals import reflections_ready, versions_trained_on
        from training import lineage

        versions_trained_on.connect(lineage.versions_trained_on, dispatch_uid="versions-of-pairs")
        reflections_ready.connect(_train, dispatch_uid="train-when-reflections-are-ready")


def _train(run: Any, **_: Any) -> None:
    from training.services import continue_after_generation

    continue_after_generation(run)
