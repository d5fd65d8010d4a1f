"""The registry in the workbench: versions with their figures, their aliases, their pairs, and deleting them."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.contrib.filters.admin import BooleanRadioFilter, DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from knowledge.admin.base import CorpusFilter, CorpusScopedAdmin, ReadOnlyInline, corpora_of
from knowledge.admin.urls import list_url
from knowledge.figures import percent
from knowledge.models import Corpus, Role
from memosite.errors import MemoError
from training import services
from training.audience import as_seen_by, live_for, moves_of, readers_lost
from training.downloads import zip_response
from training.exporting import card_of
from training.figures import figures_of, settings_of
from training.importing import import_zip
from training.lab.gate.services import approve, state_of, withdraw
from training.lab.probes.diff import diff_before_promotion
from training.models import (
    ALIASES,
    CANDIDATE,
    LIVE,
    Alias,
    AliasMove,
    MemoryVersion,
    TrainedPair,
    VersionKind,
)
from training.rebuilding import start_rebuild
from training.registry import delete_version


class LiveFilter(DropdownFilter):
    """Versions that people's questions go to."""

    title = "live"
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "live")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(is_the_live_one=True) if self.value() == "1" else queryset


class ReasonForm(forms.Form):
    """Why an alias moves or a version is deleted: the history keeps it."""

    reason = forms.CharField(max_length=300, widget=UnfoldAdminTextInputWidget())


class PromoteForm(ReasonForm):
    """Why an alias moves, and where the gate refuses, why it moves regardless."""

    override = forms.CharField(required=False, max_length=300, widget=UnfoldAdminTextInputWidget())


class ImportForm(forms.Form):
    """A zip file of a model folder, and the corpus whose version it becomes."""

    corpus = forms.ModelChoiceField(
        Corpus.objects.none(), widget=UnfoldAdminSelectWidget(), help_text="Corpora that you own."
    )
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget(),
        label="Zip file",
        help_text="A folder with config.json, safetensors, and a tokenizer that has a chat template.",
    )
    notes = forms.CharField(
        required=False, max_length=1000, widget=UnfoldAdminTextInputWidget(), label="Where it comes from"
    )

    def __init__(self, *args: Any, person: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        corpora = Corpus.objects.for_role(person, Role.OWNER)
        cast("forms.ModelChoiceField[Corpus]", self.fields["corpus"]).queryset = corpora

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.MAX_MODEL_UPLOAD_BYTES:
            most = settings.MAX_MODEL_UPLOAD_BYTES >> 20
            raise forms.ValidationError(
                f"It is larger than {most} MiB. An operator can use the command import_version."
            )
        return file


@admin.register(MemoryVersion)
class MemoryVersionAdmin(CorpusScopedAdmin):
    """Versions are immutable: owners point aliases at one, go back to the one before, or delete one.

    A version that learned from several corpora is seen by people who read all of them.
    """

    list_display = (
        "label",
        "corpus",
        "alias",
        "recall",
        "held_out_recall",
        "pairs",
        "kind",
        "method",
        "size",
        "trained_at",
    )
    list_filter = (CorpusFilter, LiveFilter, "kind")
    list_select_related = ("corpus",)
    fields = readonly_fields = (
        "label",
        "corpus",
        "alias",
        "kind",
        "learned_from",
        "base",
        "licence",
        "method",
        "made_from",
        "pairs",
        "parameters",
        "size",
        "code_version",
        "trained_at",
        "created_by",
        "notes",
        "path",
        "sha256",
        "data_sha256",
    )
    change_form_template = "admin/training/memoryversion/change_form.html"
    change_list_template = "admin/training/memoryversion/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[MemoryVersion]:
        trained = (
            TrainedPair.objects.filter(version=OuterRef("pk"), held_out=False).order_by().values("version")
        )
        count = Coalesce(Subquery(trained.annotate(n=Count("pk")).values("n")), 0)
        live, candidate = (
            Exists(Alias.objects.filter(version=OuterRef("pk"), name=name)) for name in ALIASES
        )
        seen = MemoryVersion.objects.for_reader(request.user).values("pk")
        return (
            super()
            .get_queryset(request)
            .filter(pk__in=seen)
            .annotate(n_pairs=count, is_the_live_one=live, is_the_candidate=candidate)
        )

    @admin.display(description="version", ordering="number")
    def label(self, row: MemoryVersion) -> str:
        return f"v{row.number}"

    @display(description="alias", label={LIVE: "success", CANDIDATE: "warning"})
    def alias(self, row: Any) -> str | None:
        return LIVE if row.is_the_live_one else CANDIDATE if row.is_the_candidate else None

    @admin.display(description="learned from")
    def learned_from(self, row: MemoryVersion) -> str:
        return ", ".join(str(corpus) for corpus in row.corpora.order_by("name"))

    @admin.display(description="made from")
    def made_from(self, row: MemoryVersion) -> str:
        return ", ".join(str(parent) for parent in row.parents.all())  # whoever may see it may see these

    @admin.display(description="size", ordering="size_bytes")
    def size(self, row: MemoryVersion) -> str:
        return filesizeformat(row.size_bytes) if row.size_bytes else ""

    @admin.display(description="recall")
    def recall(self, row: MemoryVersion) -> str:
        return percent(row.metrics.get("trained_recall", row.metrics.get("recall")))

    @admin.display(description="held-out recall")
    def held_out_recall(self, row: MemoryVersion) -> str:
        return percent(row.metrics.get("held_out_recall"))

    @admin.display(description="pairs", ordering="n_pairs")
    def pairs(self, row: Any) -> int:
        return row.n_pairs

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        before = services.version_before(row.corpus) if row.is_the_live_one else None
        return {
            "metrics": figures_of(row.metrics),
            "config": settings_of(row.config),
            "moves": as_seen_by(request.user, row.corpus, moves_of(row.corpus)),
            "is_live": row.is_the_live_one,
            "is_candidate": row.is_the_candidate,
            "is_owner": row.corpus_id in corpora_of(request, Role.OWNER),
            "readers_lost": readers_lost(row),
            "earlier": before if before and before.allows(request.user) else None,
            "pairs_url": list_url(TrainedPair, row.corpus, version=str(row.pk)),
            "learned_url": reverse("did-it-learn", args=[row.corpus.slug, row.number]),
            "compare_url": self._compare_url(request, row),
            "reason_form": PromoteForm(),
            "gate": None if row.is_the_live_one else state_of(row, request.user),
            "live": (live := live_for(row.corpus, request.user)[0]),
            "diff_before": diff_before_promotion(live, row),
            "gate_page": f"{reverse('gate', args=[row.corpus.slug])}?version={row.number}",
            "promote_url": self.url_of(row, "promote"),
            "approve_url": self.url_of(row, "approve"),
            "withdraw_url": self.url_of(row, "withdraw"),
            "rollback_url": self.url_of(row, "rollback"),
            "remove_url": self.url_of(row, "remove"),
            "export_url": self.url_of(row, "export"),
            "rebuild_url": self.url_of(row, "rebuild") if row.kind == VersionKind.TRAINED else None,
            "rebuilds": row.rebuilt_by.select_related("created_by"),
            "card": card_of(row),
        }

    def _compare_url(self, request: HttpRequest, row: MemoryVersion) -> str:
        """The comparison with the version before it, or the choice of one."""
        address = reverse("compare-versions", args=[row.corpus.slug])
        before = self.get_queryset(request).filter(corpus=row.corpus, number__lt=row.number).first()
        return f"{address}?a={before.number}&b={row.number}" if before else address

    def get_urls(self) -> list[URLPattern]:
        take_in = self.admin_site.admin_view(self.import_view)
        return [
            path("import/", take_in, name=self.url_name("import")),
            self.row_url("promote", self.promote_view),
            self.row_url("rollback", self.rollback_view),
            self.row_url("approve", self.approve_view),
            self.row_url("withdraw", self.withdraw_view),
            self.row_url("remove", self.remove_view, posts=False),
            self.row_url("export", self.export_view, posts=False),
            self.row_url("rebuild", self.rebuild_view),
            *super().get_urls(),
        ]

    def promote_view(self, request: HttpRequest, version: MemoryVersion) -> HttpResponse:
        version.corpus.require(request.user, Role.OWNER)
        form, alias = PromoteForm(request.POST), request.POST.get("alias", LIVE)
        if form.is_valid():
            narrow = "narrow" in request.POST
            services.promote(version, request.user, alias=alias, narrow=narrow, **form.cleaned_data)
            told = "is live now" if alias == LIVE else f"is the {alias} now"
            self.message_user(request, f"{version} {told}.", messages.SUCCESS)
        else:
            self.message_user(request, "Say in a few words why the alias moves to it.", messages.ERROR)
        return self.back_to(version)

    def approve_view(self, request: HttpRequest, version: MemoryVersion) -> HttpResponse:
        """An owner's word that the version may go live."""
        approve(version, request.user)
        self.message_user(request, f"You approved {version}. Another owner can promote it.", messages.SUCCESS)
        return self.back_to(version)

    def withdraw_view(self, request: HttpRequest, version: MemoryVersion) -> HttpResponse:
        version.corpus.require(request.user, Role.OWNER)
        withdraw(version, request.user)
        self.message_user(request, f"Your approval of {version} was withdrawn.", messages.SUCCESS)
        return self.back_to(version)

    def remove_view(self, request: HttpRequest, version: MemoryVersion) -> HttpResponse:
        """Ask whether to delete the version; then delete it."""
        version.corpus.require(request.user, Role.OWNER)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                delete_version(version, request.user, reason=form.cleaned_data["reason"])
            except MemoError as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
                return self.back_to(version)
            self.message_user(request, f"Version {version.number} was deleted.", messages.SUCCESS)
            return HttpResponseRedirect(list_url(MemoryVersion, version.corpus))
        context = self.page(
            request, f"Delete {version}?", version=version, reason_form=form, back_url=self.url_of(version)
        )
        return TemplateResponse(request, "admin/training/memoryversion/remove.html", context)

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """A zip file of a model folder becomes a version."""
        if not corpora_of(request, Role.OWNER):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None, person=request.user)
        if request.method == "POST" and form.is_valid():
            try:
                chosen = form.cleaned_data
                version = import_zip(chosen["corpus"], chosen["file"], request.user, notes=chosen["notes"])
                self.message_user(request, f"{version} was imported.", messages.SUCCESS)
                return self.back_to(version) if version.allows(request.user) else self._to_list()
            except MemoError as refusal:
                form.add_error("file", str(refusal))
        context = self.page(request, "Import a version", form=form)
        return TemplateResponse(request, "admin/training/memoryversion/import.html", context)

    def _to_list(self) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:{self.url_name('changelist')}"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown = self.get_queryset(request).aggregate(total=Sum("size_bytes"))["total"]
        context = {"may_import": bool(corpora_of(request, Role.OWNER)), "disk_use": shown}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def export_view(self, request: HttpRequest, version: MemoryVersion) -> HttpResponse:
        version.corpus.require(request.user, Role.OWNER)
        return zip_response(request, version, with_pairs="pairs" in request.GET)  # type: ignore[return-value]

    def rebuild_view(self, request: HttpRequest, version: MemoryVersion) -> HttpResponse:
        version.corpus.require(request.user, Role.CURATOR)
        run = start_rebuild(version, request.user)
        return HttpResponseRedirect(run.workbench_page)

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
        versions = MemoryVersion.objects.for_reader(request.user).filter(corpus__in=corpora_of(request))
        return [(str(version.pk), str(version)) for version in versions.select_related("corpus")]

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

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainedPair]:
        seen = MemoryVersion.objects.for_reader(request.user).values("pk")
        return super().get_queryset(request).filter(version__in=seen)


class AliasMoveInline(ReadOnlyInline):
    """Where an alias pointed, since when, who moved it and why."""

    model = AliasMove
    fields = readonly_fields = ("moved_at", "from_version", "to_version", "moved_by", "reason")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[AliasMove]:
        """The moves between versions that the person may see."""
        seen = AliasMove.objects.for_reader(request.user).values("pk")
        moves = super().get_queryset(request).filter(pk__in=seen)
        return moves.select_related("from_version__corpus", "to_version__corpus", "moved_by")


@admin.register(Alias)
class AliasAdmin(CorpusScopedAdmin):
    """Aliases move by promotion and rollback on a version's page."""

    list_display = ("name", "corpus", "version")
    list_filter = (CorpusFilter,)
    list_select_related = ("corpus", "version__corpus")
    fields = readonly_fields = ("name", "corpus", "version")
    inlines = (AliasMoveInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alias]:
        seen = MemoryVersion.objects.for_reader(request.user).values("pk")
        return super().get_queryset(request).filter(version__in=seen)
