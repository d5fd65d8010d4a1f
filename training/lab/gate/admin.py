"""The gate in the workbench: owners set the rules; curators see them and what the gate decided."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from knowledge.admin.base import CorpusFilter, CorpusScopedAdmin
from knowledge.models import Role
from training.lab.gate import services
from training.lab.gate.forms import GateForm
from training.models import GateCheck, GateRules

RULE_FIELDS = GateForm.Meta.fields


@admin.register(GateRules)
class GateRulesAdmin(CorpusScopedAdmin):
    """The rules of a corpus; every change stays on record."""

    role_to_add = role_to_change = role_to_delete = Role.OWNER
    list_display = ("corpus", *RULE_FIELDS)
    list_filter = (CorpusFilter,)
    list_select_related = ("corpus",)
    fields = ("corpus", *RULE_FIELDS)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("corpus",) if obj else ()

    def save_model(self, request: HttpRequest, obj: GateRules, form: Any, change: bool) -> None:
        values = {name: getattr(obj, name) for name in RULE_FIELDS}
        obj.pk = services.set_rules(obj.corpus, request.user, values).pk

    def delete_model(self, request: HttpRequest, obj: GateRules) -> None:
        services.remove_rules(obj.corpus, request.user)


@admin.register(GateCheck)
class GateCheckAdmin(CorpusScopedAdmin):
    """Every attempt to take a version live: what was found, and why it was overridden."""

    list_display = ("version", "corpus", "result", "checked_by", "checked_at", "override_reason")
    list_filter = (CorpusFilter, "passed")
    list_select_related = ("corpus", "version__corpus", "move", "checked_by")
    fields = readonly_fields = (
        "version",
        "corpus",
        "result",
        "found",
        "override_reason",
        "move",
        "checked_by",
        "checked_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[GateCheck]:
        seen = GateCheck.objects.for_reader(request.user).values("pk")
        return super().get_queryset(request).filter(pk__in=seen)

    @display(
        description="outcome",
        label={"passed": "success", "refused": "danger", "overridden": "warning", "rolled back": "warning"},
    )
    def result(self, row: GateCheck) -> str:
        return row.outcome

    @admin.display(description="found")
    def found(self, row: GateCheck) -> str:
        (seen,) = services.as_seen([row])
        return "\n".join(finding.line for finding in seen.findings)
