"""What supports the answers of a turn: beside each on the page, and as text to take along."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from chat import provenance, services
from chat.models import Turn


@login_required
@require_safe
def sources(request: HttpRequest, turn: int, index: int) -> HttpResponse:
    """A piece of a page: the pairs that support the answer to one sub-query."""
    found = provenance.supporting(_own_turn_or_404(request, turn), index, request.user)
    return render(request, "chat/_sources.html", {"sources": found})


@login_required
@require_safe
def copy(request: HttpRequest, turn: int) -> HttpResponse:
    """The answer with its sub-queries and supporting documents, as Markdown."""
    text = provenance.as_markdown(_own_turn_or_404(request, turn), request.user, request.build_absolute_uri)
    return HttpResponse(text, content_type="text/markdown; charset=utf-8")


def _own_turn_or_404(request: HttpRequest, pk: int) -> Turn:
    own = services.conversations_of(request.user)
    return get_object_or_404(Turn.objects.filter(conversation__in=own), pk=pk)
