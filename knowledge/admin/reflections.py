"""The review of reflections: a list to work through, and a page with the source passage beside the pair."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminTextareaWidget

from knowledge import services
from knowledge.admin.base import CorpusFilter, CorpusScopedAdmin
from knowledge.admin.exchange import PairExchange
from knowledge.admin.flag_chips import chips
from knowledge.admin.pair_filters import (
    DocumentFilter,
    FlagFilter,
    LengthFilter,
    ModelFilter,
    OriginFilter,
    ReviewerFilter,
    StaleFilter,
    StepFilter,
)
from knowledge.admin.passages import source_passages
from knowledge.admin.queue import ReviewQueueMixin, number_in
from knowledge.admin.samples import SampleFromList
from knowledge.models import Reflection, ReflectionSource, ReviewStatus, Role
from knowledge.pair_search import SEARCHED
from knowledge.suggestions import FEEDBACK, suggestions_for

DECISIONS = {"_approve": ReviewStatus.APPROVED, "_reject": ReviewStatus.REJECTED}  # button -> what it decides
BOTH_TEXTS = (
    "changed this since you looked at it. Theirs: “{}”. Yours: “{}”. "
    "Save again to put yours over theirs, or open the list anew to take theirs."
)
SUGGESTED = "suggested by a person who asked"
REVIEWED_FIELDS = {"question", "answer", "status"}


class PairForm(forms.ModelForm):
    """A pair under review. It carries what the person saw, so that only what the person changed is written:
    somebody else's decision on the same pair in the meantime stays. Where both changed the same field, the form
    is refused with both texts in ``clashes``, and then carries theirs as seen: sent again, it is saved over them.
    """

    clashes: dict[str, tuple[str, str]]  # field -> theirs, yours

    class Meta:
        widgets: ClassVar = {
            name: UnfoldAdminTextareaWidget(attrs={"rows": 3}) for name in ("question", "answer")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clashes = {}
        for name in REVIEWED_FIELDS & self.fields.keys():
            self.fields[name].show_hidden_initial = self.instance.pk is not None

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk:
            now = self.instance.latest_revision()
            self.clashes = dict(self._clashes(now, {**values, **self.decision}))
            for name, (theirs, yours) in self.clashes.items():
                self.add_error(name, f"{now.reviewed_by or 'Somebody'} {BOTH_TEXTS.format(theirs, yours)}")
        return values

    @property
    def decision(self) -> dict[str, str]:
        """What the buttons below a pair decide besides its fields."""
        decided = [status for button, status in DECISIONS.items() if button in self.data]
        return {"status": decided[0]} if decided else {}

    def _clashes(self, now: Reflection, wanted: dict[str, Any]) -> Iterable[tuple[str, tuple[str, str]]]:
        """Fields that the person and somebody else changed, each to something else."""
        changed = {*self.changed_data, *self.decision}
        for name in REVIEWED_FIELDS & changed & wanted.keys():
            theirs, yours = getattr(now, name), wanted[name]
            if theirs not in (yours, self._seen(name)):
                self._see(name, theirs)
                yield name, (theirs, yours)

    def _seen(self, name: str) -> str:
        seen = self.data.get(self.add_initial_prefix(name), getattr(self.instance, name))
        return seen.replace("\r\n", "\n")

    def _see(self, name: str, theirs: str) -> None:
        sent = QueryDict(mutable=True)
        sent.update(self.data)
        sent[self.add_initial_prefix(name)] = theirs
        self.data = sent


class PairInListForm(PairForm):
    """A row of the review list."""

    class Meta:
        model = Reflection
        fields = ("question", "answer", "status")
        widgets: ClassVar = {
            name: UnfoldAdminTextareaWidget(attrs={"rows": 2}) for name in ("question", "answer")
        }


class PresentPairs(ChangeList):
    """The list holds pairs as they stand now; one that was revised is reached from its revision."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Reflection]:
        return super().get_queryset(request, *args, **kwargs).filter(is_latest=True)


class WholeList(PresentPairs):
    """The same pairs for whoever wants to go through them: no page of them is fetched, and none is counted."""

    def get_results(self, request: HttpRequest) -> None:
        """Pages are for those who look at the list."""


@admin.register(Reflection)
class ReflectionAdmin(ReviewQueueMixin, SampleFromList, PairExchange, SimpleHistoryAdmin, CorpusScopedAdmin):
    """Pairs are approved, rejected and edited, never deleted: versions were trained on them."""

    role_to_add = Role.CURATOR
    role_to_change = Role.CURATOR
    form = PairForm
    list_display = ("number", "question", "answer", "kind", "status", "noticed", "documents", "reviewer")
    list_display_links = ("number",)
    list_editable = ("question", "answer", "status")
    list_filter = (
        CorpusFilter,
        DocumentFilter,
        ("kind", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
        FlagFilter,
        ReviewerFilter,
        LengthFilter,
        OriginFilter,
        ModelFilter,
        StepFilter,
        StaleFilter,
        ("retired", BooleanRadioFilter),
    )
    list_per_page = 25
    list_fullwidth = True
    list_select_related = ("reviewed_by",)
    search_fields = SEARCHED
    search_help_text = "Words of question, answer or entity"
    actions = ("approve", "reject", "set_pending")
    change_form_template = "admin/knowledge/reflection/change_form.html"
    object_history_list_template = "admin/knowledge/reflection/history.html"
    list_before_template = "admin/knowledge/reflection/list_before.html"

    def get_urls(self) -> list[URLPattern]:
        sample = self.admin_site.admin_view(self.sample_view)
        return [
            path("sample/", sample, name=self.url_name("sample")),
            self.row_url("revert", self.revert_view),
            *super().get_urls(),
        ]

    # -- the list -------------------------------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[Reflection]:
        sources = ReflectionSource.objects.select_related("chunk__document").only(
            "reflection", "chunk__document__title", "chunk__document__version"
        )
        return super().get_queryset(request).prefetch_related(Prefetch("source_spans", sources), "flags")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WholeList if getattr(request, "wants_whole_list", False) else PresentPairs

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[forms.ModelForm]:
        return super().get_changelist_form(request, **{"form": PairInListForm, **kwargs})

    @admin.display(description="pair", ordering="pk")
    def number(self, row: Reflection) -> str:
        return f"#{row.pk}"

    @admin.display(description="flags")
    def noticed(self, row: Reflection) -> str:
        return chips(row)

    @admin.display(description="document")
    def documents(self, row: Reflection) -> str:
        names = dict.fromkeys(str(source.chunk.document) for source in row.source_spans.all())
        return ", ".join(names) or (SUGGESTED if row.step == FEEDBACK else "")

    @admin.display(description="reviewer", ordering="reviewed_by__username")
    def reviewer(self, row: Reflection) -> str:
        return str(row.reviewed_by or "")

    # -- decisions on many ----------------------------------------------------------------------------------
    @admin.action(description="Approve", permissions=["change"])
    def approve(self, request: HttpRequest, rows: QuerySet[Reflection]) -> HttpResponse | None:
        return self._decide(request, rows, "approve", ReviewStatus.APPROVED)

    @admin.action(description="Reject", permissions=["change"])
    def reject(self, request: HttpRequest, rows: QuerySet[Reflection]) -> HttpResponse | None:
        return self._decide(request, rows, "reject", ReviewStatus.REJECTED)

    @admin.action(description="Set back to pending", permissions=["change"])
    def set_pending(self, request: HttpRequest, rows: QuerySet[Reflection]) -> HttpResponse | None:
        return self._decide(request, rows, "set_pending", ReviewStatus.PENDING)

    def _decide(
        self, request: HttpRequest, rows: QuerySet[Reflection], action: str, status: ReviewStatus
    ) -> HttpResponse | None:
        """Review the selection once a person has confirmed how many pairs it holds.

        The number that was confirmed has to be the number there is: pairs that came in meanwhile ask again.
        """
        chosen = Reflection.objects.filter(pk__in=rows.order_by().values("pk"))
        count = chosen.count()
        if request.POST.get("confirmed") == str(count):
            changed = services.review(chosen, status, request.user)
            self.message_user(request, f"{changed} of {count} pairs are {status} now.", messages.SUCCESS)
            return None
        across = request.POST.get("select_across") == "1"
        context = self.page(
            request,
            f"Set {count} pairs to {status}?",
            count=count,
            unchanged=chosen.filter(status=status).count(),
            asked_before="confirmed" in request.POST,
            status=status.label,
            action=action,
            select_across=across,
            selected=request.POST.getlist(ACTION_CHECKBOX_NAME)[: 1 if across else None],
            checkbox_name=ACTION_CHECKBOX_NAME,
            back_url=request.get_full_path(),
            examples=chosen.exclude(status=status)[:5],
        )
        return TemplateResponse(request, "admin/knowledge/reflection/confirm_review.html", context)

    # -- one pair -------------------------------------------------------------------------------------------
    def get_fields(self, request: HttpRequest, obj: Reflection | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("corpus", "question", "answer", "kind", "status")
        told = {"noticed": obj.flags.exists(), "retired": obj.retired}
        note = tuple(name for name, is_so in told.items() if is_so)
        return ("question", "answer", "status", *note, "kind", "entity", "reviewer", "reviewed_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Reflection | None = None) -> tuple[str, ...]:
        return ("kind", "entity", "noticed", "retired", "reviewer", "reviewed_at") if obj else ()

    def save_model(self, request: HttpRequest, obj: Reflection, form: Any, change: bool) -> None:
        if not change:
            words = {name: form.cleaned_data[name] for name in ("question", "answer", "kind", "status")}
            # The form's row only stands for the one that the service made.
            obj.pk = services.add_pair(form.cleaned_data["corpus"], request.user, **words).pk
            return
        changes = {name: form.cleaned_data[name] for name in form.changed_data} | form.decision
        if changes:  # on what stands now: the form has seen to it that nothing of it is overwritten unseen
            now = obj.latest_revision()
            obj.pk = services.revise(now, changes, request.user, seen_edit=now.edit).pk

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """The form; or, where somebody changed the same field meanwhile, both texts to choose from."""
        form = context["adminform"].form
        if not form.clashes:
            return super().render_change_form(request, context, *args, obj=obj, **kwargs)
        now = Reflection.objects.select_related("reviewed_by").get(pk=obj.pk).latest_revision()
        seen = {form.add_initial_prefix(name) for name in form.fields}
        sent = {name: form.data[name] for name in (*form.fields, *seen, *DECISIONS) if name in form.data}
        page = self.page(request, "Two changes of one pair", row=now, clashes=form.clashes, sent=sent)
        page |= {"again_url": self._page_of(request, obj.pk), "theirs_url": self._page_of(request, now.pk)}
        return TemplateResponse(request, "admin/knowledge/reflection/clash.html", page, status=409)

    def page_context(self, request: HttpRequest, row: Reflection) -> dict[str, Any]:
        before, after = self._neighbours(request, row)
        return {
            "passages": source_passages(row),
            "suggestions": suggestions_for(row, request.user),
            "revision": None if row.is_latest else row.latest_revision(),
            "before_url": before and self._page_of(request, before),
            "after_url": after and self._page_of(request, after),
        }

    def response_change(self, request: HttpRequest, obj: Reflection) -> HttpResponse:
        """After a decision on one pair comes the next pair of the list the person came from."""
        if not DECISIONS.keys() & request.POST.keys():
            response = super().response_change(request, obj)
            stays = "_continue" in request.POST  # with the pair that was written, which may be a revision
            return HttpResponseRedirect(self._page_of(request, obj.pk)) if stays else response
        _, after = self._neighbours(request, obj)
        if after:
            return HttpResponseRedirect(self._page_of(request, after))
        self.message_user(request, "That was the last pair of this list.", messages.SUCCESS)
        return self.response_post_save_change(request, obj)

    def _neighbours(self, request: HttpRequest, row: Reflection) -> tuple[int | None, int | None]:
        """The pairs before and after this one by number, in the list with the filters the person had set."""
        keys = self._listed(request).values_list("pk", flat=True)
        before = keys.filter(pk__lt=row.pk).order_by("-pk").first()
        after = keys.filter(pk__gt=row.pk).order_by("pk").first()
        return before, after

    def _listed(self, request: HttpRequest) -> QuerySet[Reflection]:
        """The list the person came from: its filters and search, all pages of it."""
        filters = QueryDict(request.GET.get("_changelist_filters", ""), mutable=True)
        filters.pop(PAGE_VAR, None)
        return self.listed(request, filters)

    def listed(self, request: HttpRequest, filters: QueryDict) -> QuerySet[Reflection]:
        """The pairs that the list shows with these filters."""
        filtered = copy.copy(request)
        filtered.GET, filtered.wants_whole_list = filters, True  # type: ignore[assignment, attr-defined]
        try:
            rows = self.get_changelist_instance(filtered).get_queryset(filtered)
        except IncorrectLookupParameters:
            rows = self.get_queryset(request).filter(is_latest=True)
        return rows.prefetch_related(None).select_related(None)

    def _page_of(self, request: HttpRequest, key: int) -> str:
        context = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return add_preserved_filters(context, self.url_of(Reflection(pk=key)))

    # -- history --------------------------------------------------------------------------------------------
    def revert_view(self, request: HttpRequest, row: Reflection) -> HttpResponse:
        """Go back to a former wording, which is recorded as a change like any other."""
        history_id = number_in(request.POST, "history")
        changed = services.revert(row, history_id, request.user, seen_edit=number_in(request.POST, "edit"))
        self.message_user(request, "The former wording is back.", messages.SUCCESS)
        return HttpResponseRedirect(self.url_of(changed, "history"))

    def get_history_queryset(
        self, request: HttpRequest, history_manager: Any, pk_name: str, object_id: Any
    ) -> QuerySet[Any]:
        """What the pair went through, and before it the pairs that it revises."""
        row = get_object_or_404(Reflection, pk=object_id)
        records = history_manager.filter(id__in=row.lineage()).select_related("history_user")
        return records._select_related_history_tracked_objs()

    def set_history_delta_changes(self, request: HttpRequest, historical_records: Any, *args: Any) -> None:
        """What changed in the pair; who and when stand beside it in columns of their own."""
        super().set_history_delta_changes(request, historical_records, *args)
        for record in historical_records:
            changes = getattr(record, "history_delta_changes", [])
            record.history_delta_changes = [
                change for change in changes if change["field"].lower() in REVIEWED_FIELDS
            ]

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        """History is a record, and its forms only show it: ``revert_view`` adds to it."""
        return True
