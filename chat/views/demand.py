"""The demand of a corpus: what its curators do about the questions that memory could not answer."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from chat import demand as services
from chat.models import Demand, UnansweredQuestion
from knowledge.models import Corpus, Role
from knowledge.views import corpus_or_404
from memosite.errors import MemoError

DEMANDS_ON_A_PAGE = 25
QUESTIONS_SHOWN = 20


class UnknownDeed(MemoError):
    """There is nothing of that name to do with a demand."""

    code = "unknown_deed"
    status = 422


@login_required
@require_safe
def demand(request: HttpRequest, slug: str) -> HttpResponse:
    """The questions that memory could not answer, those asked most often first."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    status = request.GET.get("status", Demand.Status.OPEN)
    status = status if status in Demand.Status.values else Demand.Status.OPEN
    counts = dict(corpus.demands.order_by().values_list("status").annotate(Count("pk")))
    context = {
        "corpus": corpus,
        "status": status,
        "tabs": [(value, label, counts.get(value, 0)) for value, label in Demand.Status.choices],
        "page": Paginator(demands_of(corpus, status), DEMANDS_ON_A_PAGE).get_page(request.GET.get("page")),
        "questions_shown": QUESTIONS_SHOWN,
        "page_query": f"status={status}&",
    }
    return render(request, "chat/demand.html", context)


def demands_of(corpus: Corpus, status: str = "") -> QuerySet[Demand]:
    """The demands of a corpus with the latest questions in each as ``shown``."""
    latest = UnansweredQuestion.objects.order_by("-asked_at", "-pk")[:QUESTIONS_SHOWN]
    rows = corpus.demands.filter(status=status) if status else corpus.demands.all()
    shown = rows.select_related("answered_by", "reflection", "decided_by").prefetch_related(
        Prefetch("questions", latest, to_attr="shown")
    )
    return shown.order_by("-times", "-last_asked_at", "-pk")


@login_required
@require_POST
def decide(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Dismiss a demand, or reopen it."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    row = get_object_or_404(corpus.demands, pk=pk)
    deeds = {"dismiss": services.dismiss, "reopen": services.reopen}
    deed = deeds.get(request.POST.get("do", ""))
    if deed is None:
        raise UnknownDeed("Say what to do: dismiss or reopen.")
    deed(row, request.user)
    messages.success(request, f"“{row}” is {row.get_status_display().lower()} now.")
    return redirect("demand", slug)


@login_required
@require_POST
def write_pair(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Write a pair that answers a demand."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    row = get_object_or_404(corpus.demands, pk=pk)
    posted = request.POST
    words = {name: posted.get(name, "") for name in ("question", "answer")}
    pair = services.write_pair(row, request.user, **words, approve="approve" in posted)
    told = "It is trained on next time." if pair.status == "approved" else "It waits for review."
    messages.success(request, f"Pair {pair.pk} was written. {told}")
    return redirect(f"{reverse('demand', args=[slug])}#demand-{row.pk}")
