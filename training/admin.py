"""Training in the workbench: runs, versions with their figures, promotion and rollback."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from unfold.contrib.filters.admin import BooleanRadioFilter, DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from knowledge.admin.base import CorpusFilter, CorpusScopedAdmin, ReadOnlyInline, corpora_of
from knowledge.admin.corpora import Button, CorpusAdmin, Link
from knowledge.admin.dashboard import NextStep, counted
from knowledge.admin.runs import RunAdmin
from knowledge.admin.urls import list_url
from knowledge.models import Corpus, GenerationRun, Role
from knowledge.templatetags.figures import percent
from memosite.runs import Run
from training import services
from training.curve import chart_of
from training.figures import figures_of, settings_of
from training.lineage import documents_changed_since
from training.models import LIVE, Alias, AliasMove, MemoryVersion, TrainedPair, TrainingRun

admin.site.unregister(Corpus)


@admin.register(Corpus)
class CorpusWithMemoryAdmin(CorpusAdmin):
    """The corpus page with what the knowledge app does not know of: training and memory versions."""

    list_display = (*CorpusAdmin.list_display, "live")
    run_models: ClassVar[tuple[type[Any], ...]] = (GenerationRun, TrainingRun)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Corpus]:
        live = Alias.objects.filter(corpus=OuterRef("pk"), name=LIVE).values("version__number")[:1]
        return super().get_queryset(request).annotate(live_number=Subquery(live))

    @admin.display(description="live", ordering="live_number")
    def live(self, row: Any) -> str:
        return f"v{row.live_number}" if row.live_number else ""

    def get_urls(self) -> list[URLPattern]:
        return [self.row_url("train", self.train_view), *super().get_urls()]

    def buttons(self, corpus: Corpus, *, is_owner: bool) -> list[Button]:
        generate, *others = super().buttons(corpus, is_owner=is_owner)
        train = Button("Train", self.url_of(corpus, "train"), "Train a new version on the approved pairs.")
        return [generate, train, *others]

    def links(self, corpus: Any) -> list[Link]:
        live = f"Memory versions (live: v{corpus.live_number})" if corpus.live_number else "Memory versions"
        return [
            *super().links(corpus),
            Link("Training runs", list_url(TrainingRun, corpus), corpus.training_runs.count()),
            Link(live, list_url(MemoryVersion, corpus), corpus.versions.count()),
        ]

    def further_steps(self, corpus: Corpus) -> list[NextStep]:
        """Train for the first time, or again once documents or pairs have changed."""
        train = self.url_of(corpus, "train")
        latest = corpus.versions.first()
        if latest is None:
            approved = corpus.reflections.trainable().count()
            text = f"{counted(approved, 'approved pair waits', 'approved pairs wait')} for a first training."
            return [NextStep(text, "Train", train, posts=True)] if approved else []
        changed = documents_changed_since(latest)
        if not changed:
            return []
        text = (
            f"{counted(changed, 'document', 'documents')} changed since version {latest.number} was trained."
        )
        return [NextStep(text, "Train again", train, posts=True)]

    def train_view(self, request: HttpRequest, corpus: Corpus) -> HttpResponse:
        return self._show(request, services.start_training(corpus, request.user))


@admin.register(TrainingRun)
class TrainingRunAdmin(RunAdmin):
    """Trainings of memory versions on the approved pairs of a corpus."""

    list_display = (*RunAdmin.list_display, "version")
    list_select_related = ("corpus", "created_by", "version__corpus")
    facts = (*RunAdmin.facts, "version", "config")

    def start(self, corpus: Corpus, person: Any, choices: dict[str, Any]) -> Run:
        return services.start_training(corpus, person, **choices)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return super().page_context(request, row) | {"chart": chart_of(row.curve)}


class LiveFilter(DropdownFilter):
    """Versions that people's questions go to."""

    title = "live"
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "live")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(is_the_live_one=True) if self.value() == "1" else queryset


class ReasonForm(forms.Form):
    """Why a version goes live: kept with the move of the alias."""

    reason = forms.CharField(max_length=300, widget=UnfoldAdminTextInputWidget())


@admin.register(MemoryVersion)
class MemoryVersionAdmin(CorpusScopedAdmin):
    """Versions are immutable: owners promote one, or go back to the one before."""

    list_display = ("label", "corpus", "live", "recall", "held_out_recall", "pairs", "method", "trained_at")
    list_filter = (CorpusFilter, LiveFilter)
    list_select_related = ("corpus",)
    fields = readonly_fields = (
        "label",
        "corpus",
        "live",
        "base",
        "method",
        "pairs",
        "trained_at",
        "path",
        "sha256",
    )
    change_form_template = "admin/training/memoryversion/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[MemoryVersion]:
        trained = (
            TrainedPair.objects.filter(version=OuterRef("pk"), held_out=False).order_by().values("version")
        )
        count = Coalesce(Subquery(trained.annotate(n=Count("pk")).values("n")), 0)
        live = Exists(Alias.objects.filter(version=OuterRef("pk"), name=LIVE))
        return super().get_queryset(request).annotate(n_pairs=count, is_the_live_one=live)

    @admin.display(description="version", ordering="number")
    def label(self, row: MemoryVersion) -> str:
        return f"v{row.number}"

    @display(description="live", label={LIVE: "success"})
    def live(self, row: Any) -> str | None:
        return LIVE if row.is_the_live_one else None

    @admin.display(description="recall")
    def recall(self, row: MemoryVersion) -> str:
        return percent(row.metrics.get("recall"))

    @admin.display(description="held-out recall")
    def held_out_recall(self, row: MemoryVersion) -> str:
        return percent(row.metrics.get("held_out_recall"))

    @admin.display(description="pairs", ordering="n_pairs")
    def pairs(self, row: Any) -> int:
        return row.n_pairs

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        moves = AliasMove.objects.filter(alias__corpus=row.corpus).select_related(
            "alias", "moved_by", "from_version__corpus", "to_version__corpus"
        )
        return {
            "metrics": figures_of(row.metrics),
            "config": settings_of(row.config),
            "moves": moves,
            "is_live": row.is_the_live_one,
            "is_owner": row.corpus_id in corpora_of(request, Role.OWNER),
            "earlier": services.version_before(row.corpus) if row.is_the_live_one else None,
            "pairs_url": list_url(TrainedPair, row.corpus, version=str(row.pk)),
            "reason_form": ReasonForm(),
            "promote_url": self.url_of(row, "promote"),
            "rollback_url": self.url_of(row, "rollback"),
        }

    def get_urls(self) -> list[URLPattern]:
        return [
            self.row_url("promote", self.promote_view),
            self.row_url("rollback", self.rollback_view),
            *super().get_urls(),
        ]

    def promote_view(self, request: HttpRequest, version: MemoryVersion) -> HttpResponse:
        version.corpus.require(request.user, Role.OWNER)
        form = ReasonForm(request.POST)
        if form.is_valid():
            move = services.promote(version, request.user, reason=form.cleaned_data["reason"])
            self.message_user(request, f"{move.to_version} is live now.", messages.SUCCESS)
        else:
            self.message_user(request, "Say in a few words why this version goes live.", messages.ERROR)
        return self.back_to(version)

    def rollback_view(self, request: HttpRequest, version: MemoryVersion) -> HttpResponse:
        """Go back from this version; refused where it is not the live one (any more)."""
        version.corpus.require(request.user, Role.OWNER)
        if services.live_version(version.corpus) != version:
            self.message_user(
                request, f"{version} is not live, so there is nothing to roll back.", messages.ERROR
            )
            return self.back_to(version)
        move = services.rollback(version.corpus, request.user)
        self.message_user(request, f"{move.to_version} is live again.", messages.SUCCESS)
        return self.back_to(move.to_version or version)


class VersionFilter(DropdownFilter):
    """Pairs of one version."""

    title = "version"
    parameter_name = "version"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        versions = MemoryVersion.objects.filter(corpus__in=corpora_of(request)).select_related("corpus")
        return [(str(version.pk), str(version)) for version in versions]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        return queryset.filter(version=value) if value and value.isdecimal() else queryset


@admin.register(TrainedPair)
class TrainedPairAdmin(CorpusScopedAdmin):
    """The pairs of a version exactly as it saw them, whatever became of them since."""

    corpus_path = "version__corpus"
    list_display = ("question", "answer", "held_out", "version")
    list_filter = (CorpusFilter, VersionFilter, ("held_out", BooleanRadioFilter))
    list_select_related = ("version__corpus",)
    search_fields = ("question", "answer")
    fields = readonly_fields = ("question", "answer", "held_out", "version", "reflection")


class AliasMoveInline(ReadOnlyInline):
    """Where an alias pointed, since when, who moved it and why."""

    model = AliasMove
    fields = readonly_fields = ("moved_at", "from_version", "to_version", "moved_by", "reason")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[AliasMove]:
        return (
            super()
            .get_queryset(request)
            .select_related("from_version__corpus", "to_version__corpus", "moved_by")
        )


@admin.register(Alias)
class AliasAdmin(CorpusScopedAdmin):
    """Aliases move by promotion and rollback on a version's page."""

    list_display = ("name", "corpus", "version")
    list_filter = (CorpusFilter,)
    list_select_related = ("corpus", "version__corpus")
    fields = readonly_fields = ("name", "corpus", "version")
    inlines = (AliasMoveInline,)
