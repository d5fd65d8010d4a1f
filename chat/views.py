"""The chat pages. What happens while a question is answered comes over the websocket (chat.consumers)."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat import choosing, services
from chat.models import Conversation, Turn
from chat.protocol.events import Event
from chat.timeline import Timeline, timeline_of
from knowledge.views import corpus_or_404
from training.models import MemoryVersion

CONVERSATIONS_ON_A_PAGE = 50
TURNS_ON_A_PAGE = 30


@dataclass(frozen=True)
class TurnShown:
    """A turn with its timeline as the page shows it."""

    row: Turn
    timeline: Timeline

    @property
    def seconds(self) -> float:
        """Wall time from the question until the end, or until now."""
        end = self.row.finished_at or timezone.now()
        return (end - self.row.created_at).total_seconds()


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def conversations(request: HttpRequest) -> HttpResponse:
    """A person's conversations; a POST opens an empty one with the chosen corpora."""
    if request.method == "POST":
        corpus = corpus_or_404(request, request.POST.get("corpus", ""))
        others = [corpus_or_404(request, slug) for slug in request.POST.getlist("others")]
        return redirect(services.open_conversation(corpus, request.user, others))
    found = services.conversations_of(request.user).select_related("corpus").prefetch_related("others")
    page = Paginator(found, CONVERSATIONS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "corpora": services.askable_corpora(request.user)}
    return render(request, "chat/conversations.html", context)


@login_required
@require_safe
def conversation(request: HttpRequest, pk: int) -> HttpResponse:
    """One conversation: its latest turns, or those before ``?before=``, and the form to go on."""
    row = _own_or_404(request, pk)
    services.end_abandoned_turns(row)
    before = request.GET.get("before", "")
    turns = row.turns.order_by("-pk").prefetch_related("events")
    turns = turns.filter(pk__lt=int(before)) if before.isdecimal() else turns
    shown = [_shown(turn) for turn in turns[: TURNS_ON_A_PAGE + 1]]
    context = {
        "conversation": row,
        "turns": shown[:TURNS_ON_A_PAGE][::-1],
        "has_earlier": len(shown) > TURNS_ON_A_PAGE,
        "is_latest": not before,
        "without_memory": [each for each in row.corpora if not MemoryVersion.objects.live_in(each).exists()],
        "longest_question": services.MAX_QUESTION,
    }
    return render(request, "chat/conversation.html", context)


@login_required
@require_POST
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a conversation another title."""
    row = _own_or_404(request, pk)
    services.rename_conversation(row, request.POST.get("title", ""))
    return redirect(row)


@login_required
@require_POST
def choose_executive(request: HttpRequest, pk: int) -> HttpResponse:
    """Let another EXECUTIVE lead from the next question on. Asked by htmx, nothing on the page changes."""
    row = _own_or_404(request, pk)
    choosing.choose(row, request.POST.get("executive", ""), request.user)
    return HttpResponse(status=204) if request.htmx else redirect(row)  # type: ignore[attr-defined]


@login_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a conversation with all its turns."""
    row = _own_or_404(request, pk)
    services.delete_conversation(row)
    messages.success(request, f"“{row}” was deleted.")
    return redirect("conversations")


def _own_or_404(request: HttpRequest, pk: int) -> Conversation:
    return get_object_or_404(services.conversations_of(request.user).select_related("corpus"), pk=pk)


def _shown(turn: Turn) -> TurnShown:
    return TurnShown(turn, timeline_of(Event.from_dict(row.as_dict()) for row in turn.events.all()))
