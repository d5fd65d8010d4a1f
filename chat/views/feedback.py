"""Feedback on an answer, and the news of what became of a correction: parts of pages, asked for by htmx."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from chat import feedback, services
from chat.models import Turn
from memosite.errors import MemoError
from training.views import PageRequest


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def turn_feedback(request: PageRequest, pk: int) -> HttpResponse:
    """The part of a page that holds the feedback on a turn; a POST stores what the person says."""
    turn = own_turn_or_404(request, pk)
    if request.method != "POST":
        asked = {"is_open": "open" in request.GET, "focus": "bad" if "closed" in request.GET else ""}
        return render(request, "chat/_feedback.html", {"row": turn, **asked})
    try:
        feedback.give(turn, request.user, **_said(request))
    except MemoError as error:
        if not request.htmx:
            raise
        return _part(request, pk, problem=str(error), typed=request.POST)
    return _part(request, pk, is_open=request.POST.get("is_good") == "no" and "save" not in request.POST)


@login_required
@require_POST
def remove_feedback(request: PageRequest, pk: int) -> HttpResponse:
    """Take the feedback on a turn back."""
    feedback.withdraw(own_turn_or_404(request, pk), request.user)
    return _part(request, pk)


@login_required
@require_POST
def dismiss_news(request: PageRequest, pk: int) -> HttpResponse:
    """Put a piece of news away; the others come back."""
    feedback.dismiss_news(pk, request.user)
    return render(request, "chat/_news.html") if request.htmx else redirect("conversations")


def own_turn_or_404(request: HttpRequest, pk: int) -> Turn:
    """A turn of the person's own, as long as the person may read its corpora."""
    own = Turn.objects.filter(conversation__in=services.conversations_of(request.user))
    return get_object_or_404(
        own.select_related("conversation__corpus", "feedback__reflection", "feedback__answered_by"), pk=pk
    )


def _said(request: HttpRequest) -> dict[str, Any]:
    """What the form says. A press on a thumb says no more than that."""
    posted = request.POST
    is_good = posted.get("is_good") == "yes"
    words = {name: posted.get(name, "") for name in ("reason", "comment", "corrected")}
    return {"is_good": is_good, **({} if is_good else words)}


def _part(request: PageRequest, pk: int, **context: Any) -> HttpResponse:
    turn = own_turn_or_404(request, pk)
    if not request.htmx:
        return redirect(f"{turn.conversation.get_absolute_url()}#turn-{turn.pk}")
    focus = "good" if request.POST.get("is_good") == "yes" else "bad"
    return render(request, "chat/_feedback.html", {"row": turn, "focus": focus, **context})
