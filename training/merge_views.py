"""The page on which versions are merged: the form, the merge at work, and what earlier ones kept."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from knowledge.models import Corpus, Role
from knowledge.views import corpus_or_404
from memosite.errors import MemoError
from training.merge_form import MergeForm, mergeable
from training.merge_report import report_of
from training.merging import start_merge
from training.models import MergeRun
from training.views import PageRequest, poll_seconds

RECENT_MERGES = 5


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: PageRequest, slug: str) -> HttpResponse:
    """Choose versions and merge them; what does not fit is said in the form. Asked by htmx, only the merges."""
    row = corpus_or_404(request, slug, Role.CURATOR)
    if request.htmx:
        return render(request, "training/_merges.html", _merges(request, row))
    form = MergeForm(request.POST or None, versions=mergeable(row, request.user))
    refusal = _start(request, row, form) if request.method == "POST" else 200
    if refusal is None:
        return redirect("merge-versions", slug)
    context = {"form": form, "can_merge": len(form.versions) > 1, **_merges(request, row)}
    return render(request, "training/merge.html", context, status=refusal)


def _start(request: HttpRequest, row: Corpus, form: MergeForm) -> int | None:
    """Start the merge of a form that is filled in; a refusal's status otherwise, with the reason in the form."""
    if not form.is_valid():
        return 422
    chosen = form.cleaned_data
    try:
        start_merge(row, list(chosen["parents"]), chosen["method"], form.options(), request.user)
    except MemoError as error:
        form.add_error(None, str(error))
        return error.status
    messages.success(request, "The merge is on its way.")
    return None


def _merges(request: HttpRequest, row: Corpus) -> dict[str, Any]:
    """The recent merges that the person may see, and whether one is at work that the person may not."""
    seen = MergeRun.objects.for_reader(request.user).filter(corpus=row)
    runs = list(seen.select_related("version", "created_by")[:RECENT_MERGES])
    is_busy = any(run.is_active for run in runs)
    return {
        "corpus": row,
        "merges": [(run, report_of(run.result) if run.is_complete else None) for run in runs],
        "is_closed_at_work": not is_busy and row.merge_runs.active().exists(),
        "poll_seconds": poll_seconds(is_busy),
        "may_curate": True,
    }


@login_required
@require_POST
def cancel(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Stop a merge."""
    row = corpus_or_404(request, slug, Role.CURATOR)
    get_object_or_404(MergeRun.objects.for_reader(request.user).filter(corpus=row), pk=pk).request_cancel()
    messages.success(request, "The merge is being cancelled.")
    return redirect("merge-versions", slug)
