"""Pages about documents that are to be forgotten: the list, one with its residue, and its certificate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from knowledge.models import Corpus, Role
from knowledge.views import corpus_or_404
from memosite.errors import MemoError
from training.audience import open_versions
from training.lab.forgetting import services
from training.lab.forgetting.certificates import is_genuine
from training.lab.probes.views import followed, probing_of
from training.models import ForgottenDocument, Purpose
from training.views import PageRequest


class UnknownDeed(MemoError):
    """A form that asks for what there is not."""

    code = "unknown_deed"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def forgetting(request: HttpRequest, slug: str) -> HttpResponse:
    """The documents that are to be forgotten, and the form that adds one."""
    row = corpus_or_404(request, slug, Role.OWNER)
    if request.method == "POST":
        chosen = request.POST.get("document", "")
        document = get_object_or_404(row.documents, pk=chosen if chosen.isdecimal() else 0)
        made = services.forget(document, request.user, reason=request.POST.get("reason", ""))
        messages.success(request, f"“{made}” is taken out; no later version learns it.")
        if "retrain" in request.POST and (why := services.retrain_if_possible(made, request.user)):
            messages.warning(request, f"No version is trained without it yet: {why}")
        return redirect(made)
    context = {
        "corpus": row,
        "rows": row.forgotten_documents.select_related("asked_by", "retrained_as"),
        "documents": row.documents.current().defer("text").order_by("title", "pk"),
        "chosen": request.GET.get("document", ""),
    }
    return render(request, "lab/forgetting.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: PageRequest, slug: str, pk: int) -> HttpResponse:
    """One document that is to be forgotten: what knows it, what is left of it, and what to do next."""
    row = corpus_or_404(request, slug, Role.OWNER)
    found = get_object_or_404(row.forgotten_documents, pk=pk)
    if request.method == "POST":
        return _do(request, found)
    context = probing_of(request, found.probe_runs.filter(purpose=Purpose.FORGETTING))
    if request.htmx:
        return followed(request, {"corpus": row, **context})
    return render(request, "lab/forgotten.html", {**context, **_state(request, row, found)})


def _state(request: HttpRequest, row: Corpus, found: ForgottenDocument) -> dict[str, Any]:
    versions = open_versions(row, request.user)
    runs = [
        (run, list(services.returned(run)), services.found_by(run).leaks)
        for version in versions
        if (run := services.latest_probes(found, version))
    ]
    return {
        "corpus": row,
        "row": found,
        "states": services.states_of(found),
        "versions": versions,
        "runs": runs,
        "objections": [] if found.certified_at else services.objections(found),
        "retraining": found.retraining,
    }


def _do(request: HttpRequest, found: ForgottenDocument) -> HttpResponse:
    deed = DEEDS.get(request.POST.get("do", ""))
    if deed is None:
        raise UnknownDeed(f"There is nothing like that to do. Choose one of: {', '.join(DEEDS)}.")
    return deed(request, found)


def _retrain(request: HttpRequest, found: ForgottenDocument) -> HttpResponse:
    services.retrain(found, request.user)
    messages.success(request, "A version is trained without the document, and probed once it is there.")
    return redirect(found)


def _probe(request: HttpRequest, found: ForgottenDocument) -> HttpResponse:
    number = request.POST.get("version", "")
    versions = open_versions(found.corpus, request.user)
    version = get_object_or_404(versions, number=number if number.isdecimal() else 0)
    services.start_residue_probes(found, version, request.user)
    return redirect(found)


def _certify(request: HttpRequest, found: ForgottenDocument) -> HttpResponse:
    services.certify(found, request.user)
    return redirect("certificate", found.corpus.slug, found.pk)


def _take_back(request: HttpRequest, found: ForgottenDocument) -> HttpResponse:
    services.take_back(found)
    messages.success(request, f"“{found}” is not to be forgotten any more. It stays out of the corpus.")
    return redirect("forgetting", found.corpus.slug)


DEEDS: dict[str, Callable[[HttpRequest, ForgottenDocument], HttpResponse]] = {
    "retrain": _retrain,
    "probe": _probe,
    "certify": _certify,
    "take-back": _take_back,
}


@login_required
@require_safe
def certificate(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The certificate, to be printed."""
    row = corpus_or_404(request, slug, Role.OWNER)
    found = get_object_or_404(row.forgotten_documents, pk=pk)
    if not found.certified_at:
        raise Http404("No certificate was issued yet.")
    told = found.certificate
    context = {"corpus": row, "row": found, "told": told, "is_genuine": is_genuine(told)}
    return render(request, "lab/certificate.html", context)
