"""Django application of training."""

from typing import Any

from django.apps import AppConfig
from django.db import transaction
from django.db.models.signals import post_save


class TrainingConfig(AppConfig):
    name = "training"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from knowledge.signals import document_arrives, reflections_ready, versions_trained_on
        from training import lineage
        from training.lab.forgetting import services as forgetting
        from training.lab.gate.rules import RULES

        versions_trained_on.connect(lineage.versions_trained_on, dispatch_uid="versions-of-pairs")
        post_save.connect(_probe, self.get_model("MemoryVersion"), dispatch_uid="probe-what-forgets")
        RULES[forgetting.RULE] = forgetting.GATE_RULE
        document_arrives.connect(forgetting.refuse_forgotten, dispatch_uid="refuse-what-is-forgotten")
        reflections_ready.connect(_train, dispatch_uid="train-when-reflections-are-ready")


def _train(run: Any, **_: Any) -> None:
    from training.services import continue_after_generation

    continue_after_generation(run)


def _probe(instance: Any, created: bool, **_: Any) -> None:
    """Look for residue in a version that was trained in order to forget, once its pairs are there as well."""
    from training.lab.forgetting.services import probe_new_version

    if created:
        transaction.on_commit(lambda: probe_new_version(instance))
