"""The corpus page: where a corpus stands, what can be done with it, and who belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from knowledge import services
from knowledge.admin.base import CorpusScopedAdmin
from knowledge.admin.dashboard import DashboardViews, NextStep, dashboard_context
from knowledge.admin.generate import GenerateForm, plan_page
from knowledge.admin.urls import list_url
from knowledge.generators import names
from knowledge.models import Corpus, Document, GenerationRun, Reflection, ReviewStatus, Role
from memosite.runs import Run


@dataclass(frozen=True)
class Link:
    """A way from the corpus page to a list, with how many rows it has."""

    label: str
    url: str
    count: int | None = None


@dataclass(frozen=True)
class Button:
    """Something that a person can start from the corpus page by one click."""

    label: str
    url: str
    hint: str
    is_primary: bool = False


@dataclass(frozen=True)
class Members:
    """The people of one role."""

    role: Role
    people: list[Any]


class MemberForm(forms.Form):
    """A person and the role to give."""

    username = forms.CharField(max_length=150, widget=UnfoldAdminTextInputWidget())
    role = forms.ChoiceField(choices=Role.choices, widget=UnfoldAdminSelectWidget())


def count_of(rows: QuerySet[Any]) -> Coalesce:
    """How many of ``rows`` a corpus has, as a column of a corpus query."""
    counted = (
        rows.filter(corpus=OuterRef("pk")).order_by().values("corpus").annotate(n=Count("pk")).values("n")
    )
    return Coalesce(Subquery(counted), 0)


def kind_of(model: type[Run]) -> str:
    """What a kind of run does, such as “generation”."""
    return str(model._meta.verbose_name).removesuffix(" run")


@admin.register(Corpus)
class CorpusAdmin(DashboardViews, CorpusScopedAdmin):
    """Corpora. Superusers make them, owners describe them and name their people."""

    corpus_path = "pk"
    role_to_change = Role.OWNER
    list_display = ("name", "slug", "documents", *(f"{status}_pairs" for status in ReviewStatus), "job")
    search_fields = ("name", "slug", "description")
    fields = ("name", "slug", "description", "generator")
    list_filter_submit = False
    change_form_template = "admin/knowledge/corpus/change_form.html"
    run_models: ClassVar[tuple[type[Any], ...]] = (GenerationRun,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: Corpus | None = None) -> tuple[str, ...]:
        return ("slug",) if obj else ()  # groups and artifacts carry it in their names

    def get_prepopulated_fields(self, request: HttpRequest, obj: Corpus | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ("name",)}

    # -- the list -------------------------------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[Corpus]:
        pairs = {
            f"n_{status}": count_of(Reflection.objects.present().filter(status=status))
            for status in ReviewStatus.values
        }
        jobs = {f"n_{model.__name__}": count_of(model.objects.active()) for model in self.run_models}
        return (
            super()
            .get_queryset(request)
            .annotate(n_documents=count_of(Document.objects.current()), **pairs, **jobs)
        )

    @admin.display(ordering="n_documents")
    def documents(self, row: Any) -> int:
        return row.n_documents

    @admin.display(description="pending", ordering="n_pending")
    def pending_pairs(self, row: Any) -> int:
        return row.n_pending

    @admin.display(description="approved", ordering="n_approved")
    def approved_pairs(self, row: Any) -> int:
        return row.n_approved

    @admin.display(description="rejected", ordering="n_rejected")
    def rejected_pairs(self, row: Any) -> int:
        return row.n_rejected

    @admin.display(description="at work")
    def job(self, row: Any) -> str:
        return ", ".join(kind_of(model) for model in self.run_models if getattr(row, f"n_{model.__name__}"))

    # -- the page -------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        return [
            *self.dashboard_urls(),
            self.row_url("generate", self.generate_view),
            self.row_url("build", self.build_view),
            self.row_url("add_person", self.add_person_view),
            self.row_url("remove_person", self.remove_person_view),
            *super().get_urls(),
        ]

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        is_owner = row.allows(request.user, Role.OWNER)
        board = dashboard_context(row, request.user)
        return board | {
            "next_steps": [*board["next_steps"], *self.further_steps(row, request.user)],
            "links": self.links(row),
            "buttons": self.buttons(row, is_owner=is_owner),
            "members": [Members(role, list(row.group(role).user_set.order_by("username"))) for role in Role],
            "is_owner": is_owner,
            "review_url": f"{reverse('admin:knowledge_reflection_queue')}?corpus={row.slug}",
            "upload_url": f"{reverse('admin:knowledge_document_upload')}?corpus={row.slug}",
            "import_url": f"{reverse('admin:knowledge_reflection_import')}?corpus={row.slug}",
            "member_form": MemberForm(),
            "add_person_url": self.url_of(row, "add_person"),
            "remove_person_url": self.url_of(row, "remove_person"),
            **self._at_work(request, row),
        }

    def _at_work(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """The runs at work that the person may see, and the kinds of those that the person may not."""
        runs: list[dict[str, Any]] = []
        closed: list[str] = []
        for model in self.run_models:
            admin_of: Any = self.admin_site.get_model_admin(model)
            seen = admin_of.get_queryset(request).filter(corpus=row).active().select_related("corpus")
            found = [admin_of.progress_context(run) for run in seen]
            runs += found
            if getattr(row, f"n_{model.__name__}") > len(found):
                closed.append(kind_of(model))
        return {"runs": runs, "closed_runs": closed}

    def further_steps(self, corpus: Any, person: Any) -> list[NextStep]:
        """What the apps above this one have to say to the person about what to do next."""
        return []

    def links(self, corpus: Any) -> list[Link]:
        """The lists of the corpus's rows."""
        pairs = [
            Link(
                f"{status.label} pairs",
                list_url(Reflection, corpus, status__exact=status.value),
                getattr(corpus, f"n_{status}"),
            )
            for status in ReviewStatus
        ]
        return [
            Link("Documents", list_url(Document, corpus, is_current__exact="1"), corpus.n_documents),
            *pairs,
            Link("Generation runs", list_url(GenerationRun, corpus), corpus.generation_runs.count()),
        ]

    def buttons(self, corpus: Corpus, *, is_owner: bool) -> list[Button]:
        """What can be started, by the role of the person who looks."""
        generate = Button(
            "Generate", self.url_of(corpus, "generate"), "Make question-answer pairs for review."
        )
        build = Button(
            "Build and go live",
            self.url_of(corpus, "build"),
            "Make pairs, approve them all without review, train on them and go live.",
            is_primary=True,
        )
        return [generate, build] if is_owner else [generate]

    # -- what can be done -----------------------------------------------------------------------------------
    def generate_view(self, request: HttpRequest, corpus: Corpus) -> HttpResponse:
        """Start a run; where a language model may do it, show what that takes and ask first."""
        form = GenerateForm(request.POST) if "confirmed" in request.POST else None
        if form and form.is_valid():
            return self._show(request, services.start_generation(corpus, request.user, **form.cleaned_data))
        if len(names()) == 1:
            return self._show(request, services.start_generation(corpus, request.user))
        links = {"action": self.url_of(corpus, "generate"), "back_url": self.url_of(corpus)}
        return plan_page(request, corpus, self.page(request, f"Generate pairs for {corpus}", **links), form)

    def build_view(self, request: HttpRequest, corpus: Corpus) -> HttpResponse:
        corpus.require(request.user, Role.OWNER)
        return self._show(request, services.start_generation(corpus, request.user, go_live=True))

    def _show(self, request: HttpRequest, run: Run) -> HttpResponse:
        """Go to the page of a run that has just been queued."""
        self.message_user(request, f"{run} is on its way.", messages.SUCCESS)
        return HttpResponseRedirect(self.admin_site.get_model_admin(type(run)).url_of(run))

    def add_person_view(self, request: HttpRequest, corpus: Corpus) -> HttpResponse:
        corpus.require(request.user, Role.OWNER)
        form = MemberForm(request.POST)
        if form.is_valid():
            values = form.cleaned_data
            services.give_role(corpus, values["username"], Role(values["role"]))
            self.message_user(request, f"{values['username']} is {values['role']} now.", messages.SUCCESS)
        else:
            self.message_user(request, "Give a user name and a role.", messages.ERROR)
        return self.back_to(corpus)

    def remove_person_view(self, request: HttpRequest, corpus: Corpus) -> HttpResponse:
        corpus.require(request.user, Role.OWNER)
        members = get_user_model().objects.filter(groups__in=[corpus.group(role) for role in Role]).distinct()
        person = get_object_or_404(members, username=request.POST.get("username", ""))
        services.remove_person(corpus, person)
        self.message_user(request, f"{person} has no role on “{corpus}” any more.", messages.SUCCESS)
        return self.back_to(corpus)
