"""Pages about corpora as a whole: the start page, a corpus with its runs, and its memory versions."""

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
from memosite.errors import Conflict, MemoError
from training import services
from training.curve import chart_of
from training.figures import figures_of, settings_of
from training.models import AliasMove, MemoryVersion
from training.overview import documents_since, knowledge_as_of, states_for

DOCUMENTS_ON_A_PAGE = 100
RECENT_RUNS = 3
RECENT_MOVES = 50
# How often a page asks for its changing part: often while a run is at work on it, and now and then otherwise, so
# that what somebody else starts is seen without a reload.
BUSY_SECONDS = 1
IDLE_SECONDS = 15


class PageRequest(HttpRequest):
    """A request that may ask for the changing part of a page only."""

    htmx: HtmxDetails


class NoReason(MemoError):
    """A promotion without a reason."""

    code = "no_reason"
    status = 422


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
    live = MemoryVersion.objects.live_in(row).first()
    generations = list(row.generation_runs.annotate(unread_count=Count("unread"))[:RECENT_RUNS])
    trainings = list(row.training_runs.select_related("version")[:RECENT_RUNS])
    is_busy = any(run.is_active for run in (*generations, *trainings))
    return {
        "corpus": row,
        "live": live,
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
        "training": any(run.is_active for run in trainings),
        "versions": row.versions.all(),
        **_rights(request, row),
    }


def _rights(request: HttpRequest, row: Corpus) -> dict[str, bool]:
    return {
        "may_curate": row.allows(request.user, Role.CURATOR),
        "may_own": row.allows(request.user, Role.OWNER),
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
    get_object_or_404(row.training_runs, pk=pk).request_cancel()
    messages.success(request, "The training is being cancelled.")
    return redirect(row)


@login_required
@require_safe
def version(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A memory version: how it was made, how good it is, and when it was live."""
    row = corpus_or_404(request, slug)
    shown = get_object_or_404(row.versions, number=number)
    run = row.training_runs.filter(version=shown).first()
    context = {
        "corpus": row,
        "version": shown,
        "figures": figures_of(shown.metrics),
        "settings": settings_of(shown.config),
        "as_of": knowledge_as_of(shown),
        "chart": chart_of(run.curve, run.total) if run else None,
        "trained_pairs": shown.pairs.filter(held_out=False).count(),
        "held_out_pairs": shown.pairs.filter(held_out=True).count(),
        **_history(row),
        **_rights(request, row),
    }
    return render(request, "training/version.html", context)


def _history(row: Corpus) -> dict[str, Any]:
    """All versions of a corpus, and which of them was live when."""
    moves = AliasMove.objects.filter(alias__corpus=row).select_related(
        "alias", "from_version", "to_version", "moved_by"
    )
    return {
        "versions": row.versions.all(),
        "live": MemoryVersion.objects.live_in(row).first(),
        "before": services.version_before(row),
        "moves": moves[:RECENT_MOVES],
    }


@login_required
@require_POST
def promote(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Let this version answer people's questions from now on."""
    row = corpus_or_404(request, slug, Role.OWNER)
    chosen = get_object_or_404(row.versions, number=number)
    reason = request.POST.get("reason", "").strip()
    if not 0 < len(reason) <= (AliasMove._meta.get_field("reason").max_length or 0):
        raise NoReason("Say in one sentence why this version goes live; the history keeps it.")
    services.promote(chosen, request.user, reason=reason)
    messages.success(request, f"Version {chosen.number} answers from now on.")
    return redirect(chosen)


@login_required
@require_POST
def rollback(request: HttpRequest, slug: str) -> HttpResponse:
    """Go back to the version that was live before, if it is still the one that the page named."""
    row = corpus_or_404(request, slug, Role.OWNER)
    before = services.version_before(row)
    if before and request.POST.get("to", str(before.number)) != str(before.number):
        raise Conflict("Another version went live since this page was loaded. Look at it again.")
    services.rollback(row, request.user)
    number = services.live_version(row).number
    messages.success(request, f"Rolled back: version {number} answers from now on.")
    return redirect(row)
