"""Pages about documents and generation. The corpus's own page is in training.views, which knows its memory."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from knowledge import services
from knowledge.blocks import blocks_of
from knowledge.models import Corpus, Role

SENTENCES_ON_A_PAGE = 100


def corpus_or_404(request: HttpRequest, slug: str, role: Role = Role.READER) -> Corpus:
    """The corpus, if the person may read it: to others it does not exist.

    Raises NotAllowed where the person may read it but does not have ``role``.
    """
    corpus = get_object_or_404(Corpus.objects.for_role(request.user, Role.READER), slug=slug)
    corpus.require(request.user, role)
    return corpus


@login_required
@require_POST
def upload(request: HttpRequest, slug: str) -> HttpResponse:
    """Take in several files and say what became of each."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    # One byte more than is allowed is enough to see that a file is too large.
    most = settings.MAX_UPLOAD_BYTES + 1
    results = [
        services.ingest_file(corpus, str(file.name), file.read(most), request.user)
        for file in request.FILES.getlist("files")
    ]
    return render(request, "knowledge/uploaded.html", {"corpus": corpus, "results": results})


@login_required
@require_safe
def document(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The text of one version of a document."""
    corpus = corpus_or_404(request, slug)
    row = get_object_or_404(corpus.documents, pk=pk)
    context = {
        "corpus": corpus,
        "document": row,
        "blocks": blocks_of(row.text),
        "versions": corpus.documents.filter(name=row.name).defer("text"),
        "may_curate": corpus.allows(request.user, Role.CURATOR),
        "may_own": corpus.allows(request.user, Role.OWNER),
    }
    return render(request, "knowledge/document.html", context)


@login_required
@require_POST
def remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take a document out of the corpus."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    row = get_object_or_404(corpus.documents, pk=pk)
    services.remove_document(row)
    messages.success(request, f"“{row}” is no longer part of this corpus.")
    return redirect(corpus)


@login_required
@require_POST
def generate(request: HttpRequest, slug: str) -> HttpResponse:
    """Start a generation whose pairs are reviewed afterwards."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    services.start_generation(corpus, request.user)
    return redirect(corpus)


@login_required
@require_POST
def build(request: HttpRequest, slug: str) -> HttpResponse:
    """Start a generation that is approved, trained on and taken live without further steps."""
    corpus = corpus_or_404(request, slug, Role.OWNER)
    services.start_generation(corpus, request.user, go_live=True)
    return redirect(corpus)


@login_required
@require_POST
def cancel(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Stop a generation."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    get_object_or_404(corpus.generation_runs, pk=pk).request_cancel()
    messages.success(request, "The generation is being cancelled.")
    return redirect(corpus)


@login_required
@require_safe
def unread(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The sentences that the GENERATOR could not read in a run."""
    corpus = corpus_or_404(request, slug)
    run = get_object_or_404(corpus.generation_runs, pk=pk)
    sentences = run.unread.select_related("chunk__document").defer("chunk__document__text")
    page = Paginator(sentences, SENTENCES_ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "knowledge/unread.html", {"corpus": corpus, "run": run, "page": page})
