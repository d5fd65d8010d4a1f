"""Sharing a turn by link, and the page behind the link."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from chat import provenance, services, sharing
from chat.models import SharedTurn, Turn
from chat.shown import shown


@login_required
@require_POST
def share(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a link to one of one's own turns."""
    turn = _own_turn_or_404(request, pk)
    sharing.share(turn)
    return _answer(request, turn)


@login_required
@require_POST
def unshare(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the link away."""
    turn = _own_turn_or_404(request, pk)
    sharing.stop_sharing(turn)
    return _answer(request, turn)


@login_required
@require_safe
@never_cache
def shared_turn(request: HttpRequest, token: str) -> HttpResponse:
    """A turn that somebody shared, for people who may read all that it rests on. To others it does not exist."""
    found = _shared_or_404(request, token)
    (turn,) = shown([found.turn])
    sub_queries = found.turn.sub_queries.select_related("version__corpus")
    context = {"shared": found, "turn": turn, "row": found.turn, "sub_queries": sub_queries}
    return render(request, "chat/shared.html", context)


@login_required
@require_safe
@never_cache
def shared_turn_sources(request: HttpRequest, token: str, index: int) -> HttpResponse:
    """A piece of that page: the pairs that support the answer to one sub-query, as far as this person may read."""
    found = provenance.supporting(_shared_or_404(request, token).turn, index, request.user)
    return render(request, "chat/_sources.html", {"sources": found})


def _shared_or_404(request: HttpRequest, token: str) -> SharedTurn:
    found = sharing.shared_with(request.user, token)
    if found is None:
        raise Http404("There is nothing here.")
    return found


def _own_turn_or_404(request: HttpRequest, pk: int) -> Turn:
    own = services.conversations_of(request.user)
    return get_object_or_404(Turn.objects.filter(conversation__in=own).select_related("conversation"), pk=pk)


def _answer(request: HttpRequest, turn: Turn) -> HttpResponse:
    """The part of the page that changed; without htmx, the page again."""
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(turn.conversation)
    return render(request, "chat/_share.html", {"row": Turn.objects.select_related("shared").get(pk=turn.pk)})
