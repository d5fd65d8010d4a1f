"""The owners' page about the chat of their corpus."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from chat import retention
from chat.corpus_settings import decide, settings_of
from chat.forms import ChatSettingsForm
from knowledge.models import Corpus, Role
from knowledge.views import corpus_or_404


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def chat_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Who leads the conversations about a corpus, and how long they are kept (owners)."""
    corpus = corpus_or_404(request, slug, Role.OWNER)
    form = ChatSettingsForm(request.POST or None, instance=settings_of(corpus))
    if request.method == "POST" and form.is_valid():
        decide(corpus, request.user, **form.cleaned_data)
        messages.success(request, _what_follows(corpus))
        return redirect("chat-settings", corpus.slug)
    status = 422 if request.method == "POST" else 200
    return render(request, "chat/settings.html", {"corpus": corpus, "form": form}, status=status)


def _what_follows(corpus: Corpus) -> str:
    over = retention.expired().filter(retention.asks(Corpus.objects.filter(pk=corpus.pk))).count()
    if not over:
        return "The chat settings were saved."
    which = "One conversation is" if over == 1 else f"{over} conversations are"
    return f"The chat settings were saved. {which} older than that and will be deleted within the hour."
