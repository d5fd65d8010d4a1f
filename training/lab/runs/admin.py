"""Evaluations in the workbench: looked at, cancelled, and led on to their pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html

from knowledge.admin.runs import RunAdmin
from training.admin_closable import ClosableRunAdmin
from training.models import EvaluationRun


@admin.register(EvaluationRun)
class EvaluationRunAdmin(ClosableRunAdmin):
    """Evaluations are started, and their results shown, on the pages of a corpus."""

    role_to_add = None
    list_display = (*RunAdmin.list_display, "title", "evaluation_set")
    list_select_related = ("corpus", "created_by", "evaluation_set")
    facts = (
        "corpus",
        "results",
        "title",
        "evaluation_set",
        "noise",
        "distractors",
        "judge",
        "is_fresh",
        *(fact for fact in RunAdmin.facts if fact not in ("corpus", "go_live")),
    )

    @admin.display(description="results")
    def results(self, run: Any) -> str:
        return format_html('<a href="{}">The page of this evaluation</a>', run.get_absolute_url())
