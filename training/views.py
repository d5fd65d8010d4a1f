"""Pages about corpora as a whole: the start page, and a corpus with its runs."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.middleware import HtmxDetails

from knowledge.models import Corpus, Role
from knowledge.views import corpus_or_404
from training import services
from training.audience import live_for, open_trainings, open_versions
from training.charts.curve import chart_of
from training.models import CANDIDATE
from training.overview import documents_since, knowledge_as_of, states_for
from training.version_views import rights

DOCUMENTS_ON_A_PAGE = 100
RECENT_RUNS = 3
# How often a page asks for its changing part: often while a run is at work on it, and now and then otherwise, so
# that what somebody else starts is seen without a reload.
BUSY_SECONDS = 1
IDLE_SECONDS = 15


class PageRequest(HttpRequest):
    """A request that may ask for the changing part of a page only."""

    htmx: HtmxDetails


@login_required
@require_safe
def home(request: PageRequest) -> HttpResponse:
    """The corpora that the person may read, each with what to do next."""
    states = states_for(request.user)
    context = {"states": states, "poll_seconds": poll_seconds(any(state.run for state in states))}
    template = "training/_corpora.html" if request.htmx else "training/home.html"
    return render(request, template, context)


def poll_seconds(is_busy: bool) -> int:
    """After how many seconds a page asks for its changing part again."""
    return BUSY_SECONDS if is_busy else IDLE_SECONDS


@login_required
@require_safe
def corpus(request: PageRequest, slug: str) -> HttpResponse:
    """A corpus with its documents and runs; asked by htmx, only the part that changes."""
    row = corpus_or_404(request, slug)
    context = state_context(request, row)
    if request.htmx:
        return render(request, "training/_state.html", context)
    documents = row.documents.current().defer("text").order_by("title", "pk")
    context["page"] = Paginator(documents, DOCUMENTS_ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "training/corpus.html", context)


def state_context(request: HttpRequest, row: Corpus) -> dict[str, Any]:
    """All that the changing part of a corpus's page shows."""
    live, live_is_closed = live_for(row, request.user)
    versions = open_versions(row, request.user)
    generations = list(row.generation_runs.annotate(unread_count=Count("unread"))[:RECENT_RUNS])
    trainings = list(open_trainings(row, request.user).select_related("version")[:RECENT_RUNS])
    is_training = any(run.is_active for run in trainings)
    is_busy = is_training or any(run.is_active for run in generations)
    return {
        "corpus": row,
        "live": live,
        "live_is_closed": live_is_closed,
        "candidate": versions.filter(aliases__name=CANDIDATE).first(),
        "as_of": knowledge_as_of(live) if live else None,
        "newer_documents": documents_since(live).count() if live else 0,
        "document_count": row.documents.current().count(),
        "pair_counts": row.reflections.with_current_sources().counts(),
        "generations": generations,
        "trainings": trainings,
        "chart": chart_of(trainings[0].curve, trainings[0].total) if trainings else None,
        "is_busy": is_busy,
        "poll_seconds": poll_seconds(is_busy),
        "generating": any(run.is_active for run in generations),
        "training": is_training,
        "is_closed_at_work": not is_training and row.training_runs.active().exists(),
        "versions": versions,
        **rights(request, row),
    }


@login_required
@require_POST
def train(request: HttpRequest, slug: str) -> HttpResponse:
    """Start the training of a new version."""
    row = corpus_or_404(request, slug, Role.CURATOR)
    services.start_training(row, request.user)
    return redirect(row)


@login_required
@require_POST
def cancel(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Stop a training."""
    row = corpus_or_404(request, slug, Role.CURATOR)
    get_object_or_404(open_trainings(row, request.user), pk=pk).request_cancel()
    messages.success(request, "The training is being cancelled.")
    return redirect(row)


@login_required
@require_POST
def resume(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Let a failed training go on."""
    row = corpus_or_404(request, slug, Role.CURATOR)
    services.resume_training(get_object_or_404(open_trainings(row, request.user), pk=pk), request.user)
    messages.success(request, "The training goes on from its last checkpoint.")
    return redirect("training-run", slug, pk)
