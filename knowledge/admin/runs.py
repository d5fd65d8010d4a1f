"""Runs as people follow them: how far they are, what went wrong, what could not be read; and Cancel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import URLPattern
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from knowledge import services
from knowledge.admin.base import CorpusFilter, CorpusScopedAdmin, corpora_of
from knowledge.figures import duration
from knowledge.generators import RULES
from knowledge.models import Corpus, GenerationRun, LLMCall, Role, UnreadSentence
from knowledge.synthesis import retry_failed
from memosite.runs import Run, Status

STATUS_COLOURS = {
    Status.QUEUED: "info",
    Status.RUNNING: "primary",
    Status.SUCCEEDED: "success",
    Status.FAILED: "danger",
    Status.CANCELLED: "warning",
    Status.PAUSED: "warning",
    Status.WITH_ERRORS: "warning",
}
UNREAD_SHOWN = 300  # on the run's page; the list of unread sentences has them all


class StartForm(forms.ModelForm):
    """What a person chooses to start a run. Only an owner may ask for the result to go live."""

    owned: ClassVar[frozenset[int]] = frozenset()  # corpora that the person owns

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        corpus = values.get("corpus")
        if values.get("go_live") and corpus and corpus.pk not in self.owned:
            self.add_error("go_live", f"Only an owner of “{corpus}” may take a version live.")
        return values


class RunAdmin(CorpusScopedAdmin):
    """A kind of run. Subclasses say what a person chooses (``start_fields``) and how it starts (``start``)."""

    role_to_add: ClassVar[Role | None] = Role.CURATOR
    form = StartForm
    start_fields: ClassVar[tuple[str, ...]] = ("corpus", "go_live")
    facts: ClassVar[tuple[str, ...]] = (
        "corpus",
        "go_live",
        "starter",
        "created_at",
        "started_at",
        "finished_at",
        "time_taken",
        "attempts",
    )
    list_display: Sequence[str] = (
        "name",
        "corpus",
        "state",
        "progress",
        "phase",
        "started_at",
        "time_taken",
        "starter",
    )
    list_filter = (CorpusFilter, ("status", ChoicesDropdownFilter))
    list_select_related: Sequence[str] = ("corpus", "created_by")
    change_form_template = "admin/runs/change_form.html"

    def start(self, corpus: Corpus, person: Any, choices: dict[str, Any]) -> Run:
        """Queue a run. Raises a MemoError that says why it cannot start."""
        raise NotImplementedError

    # -- starting -------------------------------------------------------------------------------------------
    def get_fields(self, request: HttpRequest, obj: Run | None = None) -> tuple[str, ...]:
        if obj:
            return self.facts
        owns_some = corpora_of(request, Role.OWNER)
        return tuple(field for field in self.start_fields if field != "go_live" or owns_some)

    def get_readonly_fields(self, request: HttpRequest, obj: Run | None = None) -> tuple[str, ...]:
        return self.facts if obj else ()

    def get_form(
        self, request: HttpRequest, obj: Run | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.owned = corpora_of(request, Role.OWNER)
        return form

    def save_model(self, request: HttpRequest, obj: Run, form: Any, change: bool) -> None:
        choices = dict(form.cleaned_data)
        # The form's row only stands for the one that the service made.
        obj.pk = self.start(choices.pop("corpus"), request.user, choices).pk

    # -- following and cancelling ---------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        return [
            self.row_url("progress", self.progress_view, posts=False),
            self.row_url("cancel", self.cancel_view),
            *super().get_urls(),
        ]

    def progress_view(self, request: HttpRequest, run: Run) -> HttpResponse:
        """The progress of a run for a page that asks again and again; once it is over, the page loads anew."""
        response = render(request, "admin/runs/progress.html", self.progress_context(run))
        if not run.is_active:
            response["HX-Refresh"] = "true"
        return response

    def cancel_view(self, request: HttpRequest, run: Run) -> HttpResponse:
        run.request_cancel()
        self.message_user(request, f"{run} is being cancelled.", messages.SUCCESS)
        return self.back_to(run)

    def progress_context(self, run: Run) -> dict[str, Any]:
        return {
            "run": run,
            "colour": STATUS_COLOURS[Status(run.status)],
            "url": self.url_of(run),
            "progress_url": self.url_of(run, "progress"),
            "cancel_url": self.url_of(run, "cancel"),
        }

    def page_context(self, request: HttpRequest, row: Run) -> dict[str, Any]:
        return self.progress_context(row)

    # -- columns --------------------------------------------------------------------------------------------
    @display(description="run", ordering="pk")
    def name(self, run: Run) -> str:
        return f"#{run.pk}"

    @display(description="status", ordering="status", label=STATUS_COLOURS)
    def state(self, run: Run) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description="progress")
    def progress(self, run: Run) -> str:
        return render_to_string("admin/runs/bar.html", {"run": run})

    @display(description="started by", ordering="created_by__username")
    def starter(self, run: Run) -> str:
        return str(run.created_by or "")

    @display(description="duration")
    def time_taken(self, run: Run) -> str:
        return duration(run.seconds) if run.started_at else ""


class BudgetForm(forms.Form):
    """What a run may spend in all when it goes on."""

    budget = forms.DecimalField(
        required=False,
        min_value=Decimal("0.01"),
        max_digits=10,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(),
    )


@admin.register(GenerationRun)
class GenerationRunAdmin(RunAdmin):
    """Passes of a GENERATOR over a corpus."""

    list_display = (*RunAdmin.list_display, "pairs")
    facts = (*RunAdmin.facts, "generator", "budget", "pairs", "sentences", "discarded")

    def start(self, corpus: Corpus, person: Any, choices: dict[str, Any]) -> Run:
        return services.start_generation(corpus, person, **choices)

    def get_urls(self) -> list[URLPattern]:
        return [
            self.row_url("pause", self.pause_view),
            self.row_url("resume", self.resume_view),
            self.row_url("retry", self.retry_view),
            *super().get_urls(),
        ]

    def pause_view(self, request: HttpRequest, run: Any) -> HttpResponse:
        run.request_pause()
        self.message_user(request, f"{run} pauses; what it has done is kept.", messages.SUCCESS)
        return self.back_to(run)

    def resume_view(self, request: HttpRequest, run: Any) -> HttpResponse:
        """Let a paused run go on, with the budget that the person gives now."""
        form = BudgetForm(request.POST)
        if form.is_valid():
            services.resume_generation(run, form.cleaned_data["budget"])
            self.message_user(request, f"{run} goes on.", messages.SUCCESS)
        else:
            self.message_user(request, f"Budget: {form.errors['budget'][0]}", messages.ERROR)
        return self.back_to(run)

    def retry_view(self, request: HttpRequest, run: Any) -> HttpResponse:
        count = retry_failed(run)
        self.message_user(request, f"{count} units of {run} are tried again.", messages.SUCCESS)
        return self.back_to(run)

    def progress_context(self, run: Any) -> dict[str, Any]:
        return super().progress_context(run) | {
            "pause_url": self.url_of(run, "pause"),
            "resume_url": self.url_of(run, "resume"),
            "retry_url": self.url_of(run, "retry"),
            "budget_form": BudgetForm(initial={"budget": run.budget}),
            "spend": run.spend if run.generator != RULES else None,
        }

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        unread = row.unread.select_related("chunk__document").defer("chunk__document__text", "chunk__text")
        by_document: dict[Any, list[UnreadSentence]] = defaultdict(list)
        for sentence in unread[:UNREAD_SHOWN]:
            by_document[sentence.chunk.document].append(sentence)
        return super().page_context(request, row) | {
            "unread": list(by_document.items()),
            "unread_count": row.unread.count(),
            "unread_shown": UNREAD_SHOWN,
            "steps": list(by_step(row)),
            "estimate": row.estimate,
        }


def by_step(run: GenerationRun) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each step of a run has paid for, in the order in which the steps began."""
    calls = LLMCall.objects.filter(run=run)
    for step in dict.fromkeys(calls.order_by("pk").values_list("step", flat=True)):
        yield step.replace("_", " "), calls.filter(step=step).totals()


class RunFilter(DropdownFilter):
    """Unread sentences of one run."""

    title = "run"
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        runs = GenerationRun.objects.filter(corpus__in=corpora_of(request)).select_related("corpus")
        return [(str(run.pk), str(run)) for run in runs[:100]]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        return queryset.filter(run=value) if value and value.isdecimal() else queryset


@admin.register(UnreadSentence)
class UnreadSentenceAdmin(CorpusScopedAdmin):
    """What a GENERATOR could not read, to be looked through."""

    corpus_path = "run__corpus"
    list_display = ("text", "reason", "document", "run")
    list_filter = (CorpusFilter, RunFilter)
    list_select_related = ("run__corpus", "chunk__document")
    search_fields = ("text", "reason")
    readonly_fields = fields = ("text", "reason", "document", "run")

    @admin.display(ordering="chunk__document__title")
    def document(self, row: UnreadSentence) -> str:
        return str(row.chunk.document)
