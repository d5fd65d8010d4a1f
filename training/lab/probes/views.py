"""Pages about what a version learned of each passage, and what changed from one version to another."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from knowledge.models import Corpus, Role
from knowledge.views import corpus_or_404
from training.audience import open_versions
from training.evaluation.learned import WEAK_BELOW, Change
from training.lab.probes.diff import NO_DOCUMENT, TOLD, KnowledgeDiff
from training.lab.probes.learned import document_of, make_more_pairs, map_of, totals_of
from training.lab.probes.probing import start_probes
from training.models import MemoryVersion, ProbeRun, Purpose
from training.version_views import version_or_404
from training.views import PageRequest, poll_seconds

DOCUMENTS_ON_A_PAGE = 50
QUESTIONS_ON_A_PAGE = 50


def probing_of(request: PageRequest, runs: Any) -> dict[str, Any]:
    """The latest of the runs that the person may see, for the part of a page that follows it."""
    run = ProbeRun.objects.for_reader(request.user).filter(pk__in=runs.values("pk")).first()
    return {"probing": run, "poll_seconds": poll_seconds(bool(run and run.is_active)), "may_curate": True}


def followed(request: PageRequest, context: dict[str, Any]) -> HttpResponse:
    """What htmx gets while a run is at work: its bar; and once it is over, the word to load the page anew."""
    run = context["probing"]
    if run is None or not run.is_active:
        return HttpResponseClientRefresh()
    return render(request, "lab/_probing.html", context)


def limit_of(values: Any) -> float:
    """The share below which a passage is weak, from a percentage in a form; the usual one where it is none."""
    text = str(values.get("below", "")).strip()
    return min(100, int(text)) / 100 if text.isdecimal() else WEAK_BELOW


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def learned(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """The heat map of a version: documents with the recall of their passages. A POST asks what is to be asked."""
    row, version = version_or_404(request, slug, number, Role.CURATOR)
    if request.method == "POST":
        start_probes(version, request.user)
        return redirect("did-it-learn", slug, number)
    context = probing_of(request, version.probed_by.filter(purpose=Purpose.LEARNED))
    if request.htmx:
        return followed(request, {"corpus": row, **context})
    below, only_weak = limit_of(request.GET), "weak" in request.GET
    documents = map_of(version)
    shown = [
        (document, [(passage, passage.is_weak(below)) for passage in document.passages])
        for document in documents
        if not only_weak or document.weak(below)
    ]
    context |= {
        "corpus": row,
        "version": version,
        "totals": totals_of(documents, below),
        "page": Paginator(shown, DOCUMENTS_ON_A_PAGE).get_page(request.GET.get("page")),
        "below": round(below * 100),
        "only_weak": only_weak,
        "query": f"below={round(below * 100)}{'&weak=1' if only_weak else ''}",
    }
    return render(request, "lab/learned.html", context)


@login_required
@require_safe
def learned_document(request: HttpRequest, slug: str, number: int, document: int) -> HttpResponse:
    """The passages of one document with every probe: what was asked, what is right, and what the version says."""
    row, version = version_or_404(request, slug, number, Role.CURATOR)
    source = get_object_or_404(row.documents.current(), pk=document)
    (shown,) = map_of(version, document)
    texts = dict(source.chunks.values_list("pk", "text"))
    below = limit_of(request.GET)
    passages = [(passage, texts[passage.chunk], passage.is_weak(below)) for passage in shown.passages]
    if "weak" in request.GET:
        passages = [each for each in passages if each[2]]
    context = {
        "corpus": row,
        "version": version,
        "document": document_of(version, document),
        "shown": shown,
        "passages": passages,
        "below": round(below * 100),
        "only_weak": "weak" in request.GET,
    }
    return render(request, "lab/learned_document.html", context)


@login_required
@require_POST
def more_pairs(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Have more pairs made for the weak passages of a version, or for the one that is named."""
    row, version = version_or_404(request, slug, number, Role.CURATOR)
    chunk = request.POST.get("passage", "")
    run = make_more_pairs(
        version,
        request.user,
        below=limit_of(request.POST),
        chunk=int(chunk) if chunk.isdecimal() else None,
    )
    count = run.chunks.count()
    told = (
        f"{run.generator} makes more pairs for {count} passage{'s' if count > 1 else ''}; review them then."
    )
    messages.success(request, told)
    return redirect(row)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def diff(request: PageRequest, slug: str) -> HttpResponse:
    """What was learned, forgotten and changed from one version to another. A POST asks what is to be asked."""
    row = corpus_or_404(request, slug, Role.CURATOR)
    versions = open_versions(row, request.user)
    context: dict[str, Any] = {"corpus": row, "versions": versions}
    if not (request.GET.get("a") and request.GET.get("b")):
        return render(request, "lab/diff.html", context)
    a, b = (_chosen(versions, request.GET[side]) for side in ("a", "b"))
    if request.method == "POST":
        return redirect(start_probes(a, request.user, purpose=Purpose.DIFF, other=b))
    context |= {"a": a, "b": b}
    context |= probing_of(request, ProbeRun.objects.filter(purpose=Purpose.DIFF, version=a, other=b))
    if request.htmx:
        return followed(request, context)
    return render(request, "lab/diff.html", {**context, **_differences(request, KnowledgeDiff(a, b))})


def _chosen(versions: Any, number: str) -> MemoryVersion:
    if not number.isdecimal():
        raise Http404("A version is named by its number.")
    found: MemoryVersion = get_object_or_404(versions, number=number)
    return found


def _differences(request: HttpRequest, found: KnowledgeDiff) -> dict[str, Any]:
    counts = found.counts()
    change = request.GET.get("change", "")
    if change not in TOLD:
        change = next((each for each in TOLD if counts[each]), Change.LEARNED)
    documents = found.by_document()
    named = request.GET.get("document", "")
    document = int(named) if named.isdecimal() else None
    page = Paginator(found.of(change, document), QUESTIONS_ON_A_PAGE).get_page(request.GET.get("page"))
    return {
        "diff": found,
        "counts": counts,
        "changes": TOLD,
        "change": change,
        "documents": documents,
        "document": next((each for each in documents if each.pk == document), None),
        "no_document": NO_DOCUMENT,
        "page": page,
    }


def _run(request: HttpRequest, slug: str, pk: int) -> ProbeRun:
    row: Corpus = corpus_or_404(request, slug, Role.CURATOR)
    found: ProbeRun = get_object_or_404(ProbeRun.objects.for_reader(request.user).filter(corpus=row), pk=pk)
    if found.purpose == Purpose.FORGETTING:
        row.require(request.user, Role.OWNER)
    return found


@login_required
@require_POST
def cancel(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Stop asking; what was answered stays."""
    run = _run(request, slug, pk)
    run.request_cancel()
    messages.success(request, "No more questions are asked; the answers so far are kept.")
    return redirect(run)


@login_required
@require_POST
def resume(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Let a run that failed or was paused ask what is left."""
    run = _run(request, slug, pk)
    run.resume()
    return redirect(run)
