"""Conversations in the workbench: other people's questions, so superusers alone look, and nobody changes them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from chat.models import ChatSettings, Conversation, SubQuery, Turn
from knowledge.admin.base import ReadOnlyInline, SuperusersOnly


class LookedAtOnly(SuperusersOnly, ModelAdmin):
    """Rows that superusers look at."""

    list_filter_submit = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TurnInline(ReadOnlyInline):
    """The questions of a conversation."""

    model = Turn
    fields = readonly_fields = ("question", "answer", "status", "known", "created_at")


class SubQueryInline(ReadOnlyInline):
    """What went to MEMORY in a turn."""

    model = SubQuery
    fields = readonly_fields = (
        "index",
        "stage",
        "question",
        "answer",
        "known",
        "confidence",
        "latency_ms",
        "version",
    )
    show_change_link = False


@admin.register(Conversation)
class ConversationAdmin(LookedAtOnly):
    """Threads of questions."""

    list_display = ("title", "person", "corpus", "questions", "updated_at")
    list_filter = (("corpus", RelatedDropdownFilter),)
    list_select_related = ("person", "corpus")
    search_fields = ("title", "person__username")
    fields = readonly_fields = ("title", "person", "corpus", "others", "created_at", "updated_at")
    inlines = (TurnInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return super().get_queryset(request).annotate(n_turns=Count("turns"))

    @admin.display(ordering="n_turns")
    def questions(self, row: Any) -> int:
        return row.n_turns


@admin.register(Turn)
class TurnAdmin(LookedAtOnly):
    """Questions, with what MEMORY was asked on the way to the answer."""

    list_display = ("question", "person", "version", "executive", "status", "known", "created_at")
    list_filter = (("status", ChoicesDropdownFilter),)
    list_select_related = ("conversation__person", "version__corpus")
    search_fields = ("question", "answer")
    fields = readonly_fields = (
        "conversation",
        "person",
        "version",
        "versions",
        "executive",
        "question",
        "answer",
        "known",
        "status",
        "created_at",
        "finished_at",
    )
    inlines = (SubQueryInline,)

    @admin.display(ordering="conversation__person__username")
    def person(self, row: Turn) -> str:
        return str(row.conversation.person)


@admin.register(ChatSettings)
class ChatSettingsAdmin(SuperusersOnly, ModelAdmin):
    """What the owners of corpora decided about their chats; they have a page of their own for it."""

    list_display = ("corpus", "executive", "may_choose_rules", "retention_days")
    list_select_related = ("corpus", "executive")
    search_fields = ("corpus__name", "corpus__slug")
    autocomplete_fields = ("corpus",)
    filter_horizontal = ("choices",)
