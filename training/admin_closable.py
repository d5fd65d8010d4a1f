"""Runs in the workbench that tell of memory versions."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from knowledge.admin.runs import RunAdmin


class ClosableRunAdmin(RunAdmin):
    """Runs that tell of versions: seen by those who may ask these."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        seen = self.model._default_manager.for_reader(request.user).values("pk")
        return super().get_queryset(request).filter(pk__in=seen)
