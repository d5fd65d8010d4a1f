"""The page of a corpus's gate, and what its owners do there."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from knowledge.models import Corpus, Role
from knowledge.views import corpus_or_404
from training.audience import live_for, open_versions, readers_lost
from training.lab.gate import services
from training.lab.gate.forms import GateForm
from training.lab.probes.diff import diff_before_promotion
from training.models import CANDIDATE, MemoryVersion
from training.version_views import rights, version_or_404

CHECKS_ON_A_PAGE = 25
MOST_NOTE = 300


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def gate(request: HttpRequest, slug: str) -> HttpResponse:
    """The rules, how a version stands before them, and every attempt so far. Owners set the rules by POST."""
    row = corpus_or_404(request, slug, Role.OWNER if request.method == "POST" else Role.READER)
    form = GateForm(request.POST if request.method == "POST" else None, instance=services.rules_of(row))
    if form.is_bound and form.is_valid():
        services.set_rules(row, request.user, form.cleaned_data)
        messages.success(request, "The rules of the gate were saved.")
        return redirect("gate", slug)
    status = 422 if form.is_bound else 200
    return render(request, "lab/gate.html", _context(request, row, form), status=status)


def _context(request: HttpRequest, row: Corpus, form: GateForm) -> dict[str, Any]:
    rules = services.rules_of(row)
    live, live_is_closed = live_for(row, request.user)
    versions = open_versions(row, request.user)
    chosen = _chosen(versions, request.GET.get("version", ""))
    page = Paginator(services.checks_for(row, request.user), CHECKS_ON_A_PAGE).get_page(
        request.GET.get("page")
    )
    return {
        "corpus": row,
        "form": form,
        "has_rules": rules.pk is not None,
        "rules": services.in_words(rules),
        "versions": versions,
        "live": live,
        "live_is_closed": live_is_closed,
        "candidate": versions.filter(aliases__name=CANDIDATE).first(),
        "gate": services.state_of(chosen, request.user) if chosen else None,
        "readers_lost": readers_lost(chosen) if chosen else 0,
        "diff_before": diff_before_promotion(live, chosen) if chosen else None,
        "page": page,
        "checks": list(services.as_seen(page.object_list)),
        "changes": services.changes_of(row),
        **rights(request, row),
    }


def _chosen(versions: Any, number: str) -> MemoryVersion | None:
    """The version of the number; without one the candidate, else the newest."""
    if not number:
        found: MemoryVersion | None = versions.filter(aliases__name=CANDIDATE).first() or versions.first()
        return found
    if not number.isdecimal():
        raise Http404("A version is named by its number.")
    return get_object_or_404(versions, number=number)


@login_required
@require_POST
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the gate away."""
    row = corpus_or_404(request, slug, Role.OWNER)
    services.remove_rules(row, request.user)
    messages.success(
        request, "The gate was removed: owners promote versions without being asked for anything."
    )
    return redirect("gate", slug)


@login_required
@require_POST
def approve(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """An owner's word that the version may go live."""
    _, chosen = version_or_404(request, slug, number, Role.OWNER)
    services.approve(chosen, request.user, request.POST.get("note", "").strip()[:MOST_NOTE])
    messages.success(request, f"You approved version {number}. Another owner can promote it.")
    return _back_to(chosen)


@login_required
@require_POST
def withdraw(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Take one's approval of the version back."""
    _, chosen = version_or_404(request, slug, number, Role.OWNER)
    services.withdraw(chosen, request.user)
    messages.success(request, f"Your approval of version {number} was withdrawn.")
    return _back_to(chosen)


def _back_to(version: MemoryVersion) -> HttpResponse:
    return redirect(f"{reverse('gate', args=[version.corpus.slug])}?version={version.number}")
