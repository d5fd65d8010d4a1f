"""Sets of questions in the workbench: to look at, rename and delete. Questions are written on their own pages."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from unfold.contrib.filters.admin import BooleanRadioFilter

from knowledge.admin.base import CorpusFilter, CorpusScopedAdmin
from knowledge.models import Role
from memosite.errors import MemoError
from training.lab.sets import services
from training.models import EvaluationQuestion, EvaluationSet


@admin.register(EvaluationSet)
class EvaluationSetAdmin(CorpusScopedAdmin):
    """Sets of the corpora that one curates; golden ones are for owners to change."""

    role_to_change = Role.CURATOR
    role_to_delete = Role.CURATOR
    list_display = ("name", "corpus", "is_golden", "count", "source", "updated_at")
    list_filter = (CorpusFilter, ("is_golden", BooleanRadioFilter))
    list_select_related = ("corpus",)
    search_fields = ("name",)
    fields = ("name", "description", "is_golden", "corpus", "source", "count", "own_page", "created_by")
    readonly_fields: ClassVar = ("corpus", "source", "count", "own_page", "created_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EvaluationSet]:
        return super().get_queryset(request).annotate(asked=Count("questions"))

    @admin.display(description="questions", ordering="asked")
    def count(self, row: Any) -> int:
        return row.asked

    @admin.display(description="page")
    def own_page(self, row: EvaluationSet) -> str:
        return format_html('<a href="{}">Questions, import and export</a>', row.get_absolute_url())

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_told(request, super().change_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_told(request, super().delete_view, *args, **kwargs)

    def _or_told(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """The view, or the page once more with the reason why nothing was changed."""
        try:
            answer: HttpResponse = view(request, *args, **kwargs)
        except MemoError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.path)
        return answer

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        stored = EvaluationSet.objects.get(pk=obj.pk)
        values = {name: getattr(obj, name) for name in ("name", "description", "is_golden")}
        services.change_set(stored, request.user, **values)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.delete_set(obj, request.user)


@admin.register(EvaluationQuestion)
class EvaluationQuestionAdmin(CorpusScopedAdmin):
    """The questions of all sets, to be searched."""

    corpus_path = "evaluation_set__corpus"
    list_display = ("text", "evaluation_set", "is_set", "answerable")
    list_filter = (CorpusFilter, ("answerable", BooleanRadioFilter), ("is_set", BooleanRadioFilter))
    list_select_related = ("evaluation_set__corpus",)
    search_fields = ("text",)
    fields = readonly_fields = (
        "text",
        "answers",
        "is_set",
        "answerable",
        "documents",
        "tags",
        "evaluation_set",
        "reflection",
    )
