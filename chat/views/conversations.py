"""The chat pages. What happens while a question is answered comes over the websocket (chat.consumers)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from chat import services
from chat.choosing import choices_in, choose, executive_for
from chat.history import found_conversations
from chat.models import Conversation, Turn
from chat.retention import kept_until
from chat.shown import FETCHED, RELATED, by_period, shown
from knowledge.models import Role
from knowledge.views import corpus_or_404
from training.audience import open_versions
from training.models import MemoryVersion

CONVERSATIONS_ON_A_PAGE = 30
TURNS_ON_A_PAGE = 30
VERSIONS_OFFERED = 12


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def conversations(request: HttpRequest) -> HttpResponse:
    """Where a conversation begins; a POST opens an empty one with the chosen corpora."""
    if request.method == "POST":
        corpus = corpus_or_404(request, request.POST.get("corpus", ""))
        others = [corpus_or_404(request, slug) for slug in request.POST.getlist("others")]
        return redirect(services.open_conversation(corpus, request.user, others))
    context = {"corpora": services.askable_corpora(request.user), **_history(request)}
    return render(request, "chat/conversations.html", context)


@login_required
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """The list in the sidebar: all conversations, or those with the words of ``?q=``; ``?open=`` is shown now."""
    return render(request, "chat/_history.html", _history(request))


@login_required
@require_safe
def conversation(request: HttpRequest, pk: int) -> HttpResponse:
    """One conversation: its latest turns, or those before ``?before=``, and the form to go on."""
    row = _own_or_404(request, pk)
    services.end_abandoned_turns(row)
    before = request.GET.get("before", "")
    turns = _fetched(row.turns.order_by("-pk"))
    turns = turns.filter(pk__lt=int(before)) if before.isdecimal() else turns
    found = shown(turns[: TURNS_ON_A_PAGE + 1])
    context = {
        "conversation": row,
        "turns": found[:TURNS_ON_A_PAGE][::-1],
        "has_earlier": len(found) > TURNS_ON_A_PAGE,
        "is_latest": not before,
        "without_memory": [each for each in row.corpora if not MemoryVersion.objects.live_in(each).exists()],
        "longest_question": services.MAX_QUESTION,
        "kept_until": kept_until(row),
        **_choices(request, row),
        **_history(request, row),
    }
    return render(request, "chat/conversation.html", context)


@login_required
@require_safe
def turn(request: HttpRequest, pk: int) -> HttpResponse:
    """One turn as the page of its conversation shows it: what takes the place of a turn once it is over."""
    own = services.conversations_of(request.user)
    row = get_object_or_404(_fetched(Turn.objects.filter(conversation__in=own)), pk=pk)
    (one,) = shown([row])
    context = {"turn": one, "row": row, "is_latest": True, **_choices(request, row.conversation)}
    return render(request, "chat/_turn.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    """The form for another title, in the conversation's place in the sidebar; a POST gives it."""
    row = _own_or_404(request, pk)
    if request.method == "POST":
        services.rename_conversation(row, request.POST.get("title", ""))
        return _back_to_history(request, row)
    return render(request, "chat/_rename.html", {"conversation": row, "open": request.GET.get("open", "")})


@login_required
@require_POST
def choose_executive(request: HttpRequest, pk: int) -> HttpResponse:
    """Let another EXECUTIVE lead from the next question on. Asked by htmx, nothing on the page changes."""
    row = _own_or_404(request, pk)
    choose(row, request.POST.get("executive", ""), request.user)
    return HttpResponse(status=204) if request.htmx else redirect(row)  # type: ignore[attr-defined]


@login_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a conversation with all its turns."""
    row = _own_or_404(request, pk)
    services.delete_conversation(row)
    messages.success(request, f"“{row}” was deleted.")
    open_now = request.POST.get("open", "")
    is_elsewhere = open_now.isdecimal() and int(open_now) != pk
    return redirect("conversation", int(open_now)) if is_elsewhere else redirect("conversations")


def _own_or_404(request: HttpRequest, pk: int) -> Conversation:
    return get_object_or_404(services.conversations_of(request.user).select_related("corpus"), pk=pk)


def _fetched(turns: QuerySet[Turn]) -> QuerySet[Turn]:
    return turns.select_related(*RELATED).prefetch_related(*FETCHED)


def _history(request: HttpRequest, row: Conversation | None = None) -> dict[str, Any]:
    """What the sidebar needs."""
    words = request.GET.get("q", "").strip()
    rows = found_conversations(request.user, words).select_related("corpus").prefetch_related("others")
    page = Paginator(rows, CONVERSATIONS_ON_A_PAGE).get_page(request.GET.get("page"))
    open_now = str(row.pk) if row else request.GET.get("open", "")
    return {"page": page, "periods": by_period(list(page)), "words": words, "open": open_now}


def _choices(request: HttpRequest, row: Conversation) -> dict[str, Any]:
    """By whom, and of which version, a question may be asked in a conversation."""
    may_try = row.corpus.allows(request.user, Role.CURATOR)
    return {
        "executives": choices_in(row),
        "executive": executive_for(row),
        "versions": open_versions(row.corpus, request.user)[:VERSIONS_OFFERED] if may_try else [],
        "turn_seconds": settings.TURN_SECONDS,
    }


def _back_to_history(request: HttpRequest, row: Conversation) -> HttpResponse:
    """The sidebar anew for a script, or the whole page where the conversation is open: its title stands there."""
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(row)
    if request.GET.get("open") == str(row.pk):
        return HttpResponseClientRefresh()
    return render(request, "chat/_history.html", _history(request))
