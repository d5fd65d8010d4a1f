"""Training in the workbench: the corpus page with its memory, and runs. Versions are in ``admin_registry``."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse

from knowledge.admin.corpora import Button, CorpusAdmin, Link, count_of
from knowledge.admin.dashboard import NextStep, counted
from knowledge.admin.runs import RunAdmin
from knowledge.admin.urls import list_url
from knowledge.models import Corpus, GenerationRun
from memosite.runs import Run
from training import admin_bases, admin_registry, admin_serving, services
from training.admin_closable import ClosableRunAdmin
from training.audience import open_versions
from training.charts.curve import chart_of
from training.lab.gate import admin as admin_gate
from training.lab.runs import admin as admin_runs
from training.lab.sets import admin as admin_sets
from training.lineage import documents_changed_since
from training.merge_report import report_of
from training.models import LIVE, Alias, EvaluationRun, EvaluationSet, MemoryVersion, MergeRun, TrainingRun

__all__ = [  # they register their admins
    "admin_bases",
    "admin_gate",
    "admin_registry",
    "admin_runs",
    "admin_serving",
    "admin_sets",
]

admin.site.unregister(Corpus)


@admin.register(Corpus)
class CorpusWithMemoryAdmin(CorpusAdmin):
    """The corpus page with what the knowledge app does not know of: training and memory versions."""

    list_display = (*CorpusAdmin.list_display, "live")
    run_models: ClassVar[tuple[type[Any], ...]] = (GenerationRun, TrainingRun, MergeRun, EvaluationRun)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Corpus]:
        seen = MemoryVersion.objects.for_reader(request.user)
        live = Alias.objects.filter(corpus=OuterRef("pk"), name=LIVE, version__in=seen.values("pk"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                live_number=Subquery(live.values("version__number")[:1]),
                n_versions=count_of(seen),
                n_trainings=count_of(TrainingRun.objects.for_reader(request.user)),
                n_merges=count_of(MergeRun.objects.for_reader(request.user)),
                n_evaluations=count_of(EvaluationRun.objects.for_reader(request.user)),
                n_evaluation_sets=count_of(EvaluationSet.objects.all()),
            )
        )

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
        number = corpus.live_number
        map_page = reverse("did-it-learn", args=[corpus.slug, number]) if number else ""
        live = f"Memory versions (live: v{number})" if number else "Memory versions"
        return [
            *super().links(corpus),
            Link("Training runs", list_url(TrainingRun, corpus), corpus.n_trainings),
            Link("Merges", list_url(MergeRun, corpus), corpus.n_merges),
            Link("Evaluations", list_url(EvaluationRun, corpus), corpus.n_evaluations),
            Link(live, list_url(MemoryVersion, corpus), corpus.n_versions),
            Link("Evaluation sets", reverse("evaluation-sets", args=[corpus.slug]), corpus.n_evaluation_sets),
            *([Link("What the live version learned", map_page)] if map_page else []),
            Link("Gate", reverse("gate", args=[corpus.slug])),
        ]

    def further_steps(self, corpus: Corpus, person: Any) -> list[NextStep]:
        """Train for the first time, or again once documents or pairs have changed."""
        train = self.url_of(corpus, "train")
        latest = open_versions(corpus, person).first()
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
class TrainingRunAdmin(ClosableRunAdmin):
    """Trainings of memory versions on the approved pairs of a corpus."""

    list_display = (*RunAdmin.list_display, "version")
    list_select_related = ("corpus", "created_by", "version__corpus")
    facts = (*RunAdmin.facts, "version", "base_model", "recipe", "config", "continues", "repeats")

    def start(self, corpus: Corpus, person: Any, choices: dict[str, Any]) -> Run:
        return services.start_training(corpus, person, **choices)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return super().page_context(request, row) | {"chart": chart_of(row.curve)}


@admin.register(MergeRun)
class MergeRunAdmin(ClosableRunAdmin):
    """Merges of versions; they are started on the corpus's own page."""

    role_to_add = None
    list_display = (*RunAdmin.list_display, "method", "version")
    list_select_related = ("corpus", "created_by", "version__corpus")
    facts = (
        "corpus",
        "merged",
        "method",
        "options",
        *(fact for fact in RunAdmin.facts if fact not in ("corpus", "go_live")),
        "version",
    )

    @admin.display(description="merges")
    def merged(self, run: MergeRun) -> str:
        return ", ".join(map(str, run.parents_in_order))

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return super().page_context(request, row) | {"report": report_of(row.result)}
