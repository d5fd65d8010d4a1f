"""The bases that a MEMORY can be trained from, in the workbench."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter

from knowledge.admin.base import SuperusersOnly
from training.engine.intake import FolderRefused, examine
from training.models import BaseModel, BaseSource, MemoryVersion, TrainingRun

BUILT_IN_SIZES = ("small", "medium", "large")
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
COMMIT = re.compile(r"[0-9a-f]{40}")


class BaseForm(forms.ModelForm):
    """A base whose location fits its source; a folder is looked at before it is offered."""

    class Meta:
        model = BaseModel
        fields = ("name", "source", "location", "revision", "licence", "parameters", "notes", "is_offered")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        source = values.get("source") or self.instance.source
        location = values.get("location") or self.instance.location
        problems = location_problems(source, location)
        revision = values.get("revision", self.instance.revision)
        if source == BaseSource.HUB and revision and not COMMIT.fullmatch(revision):
            problems["revision"] = (
                "The 40 characters of a commit, or nothing: the first training pins it then."
            )
        known = {name if name in self.fields else None: problem for name, problem in problems.items()}
        for name, problem in known.items():
            self.add_error(name, problem)
        return values


def location_problems(source: str, location: str) -> dict[str, str]:
    """What is wrong with a location for its source, by field."""
    if source == BaseSource.BUILT_IN and location not in BUILT_IN_SIZES:
        return {"location": f"A built-in base is {', '.join(BUILT_IN_SIZES)}."}
    if source == BaseSource.HUB and not REPOSITORY.fullmatch(location):
        return {
            "location": "The id of a repository on the hub is expected, such as Qwen/Qwen2.5-0.5B-Instruct."
        }
    if source == BaseSource.FOLDER:
        try:
            if examine(Path(location)).is_adapter:
                return {"location": "This is an adapter. A base is a whole model."}
        except FolderRefused as refusal:
            return {"location": str(refusal)}
    return {}


@admin.register(BaseModel)
class BaseModelAdmin(SuperusersOnly, ModelAdmin):
    """Bases are of the whole site: superusers add them and say which are offered.

    What a base is stays as it is once something was trained from it; name, notes and whether it is offered do not
    matter to what was trained, and may change.
    """

    form = BaseForm
    list_display = ("name", "source", "location", "short_revision", "licence", "parameters", "is_offered")
    list_editable = ("is_offered",)
    list_filter = ("source", ("is_offered", BooleanRadioFilter))
    search_fields = ("name", "location", "licence")
    list_filter_submit = True

    class Media:
        css: ClassVar = {"all": ["admin-memosite/workbench.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[BaseModel]:
        uses = [
            Exists(model.objects.filter(base_model=OuterRef("pk"))) for model in (MemoryVersion, TrainingRun)
        ]
        rows: QuerySet[BaseModel] = super().get_queryset(request)
        return rows.annotate(is_used=uses[0] | uses[1])

    @admin.display(description="revision", ordering="revision")
    def short_revision(self, row: BaseModel) -> str:
        return row.revision[:12] or ("built in" if row.is_built_in else "pinned by the first training")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("source", "location", "revision", "licence", "parameters") if obj and obj.is_used else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_used)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Deleting a selection would not ask whether something was trained from a base."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
