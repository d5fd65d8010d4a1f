"""What was asked, for owners and administrators."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chat.usage_chart import charts_of
from chat.usage_report import (
    LONGEST_PERIOD,
    PERIODS,
    BadPeriod,
    Period,
    as_csv,
    days_of_use,
    overseen_by,
    period_of,
    report_on,
)
from knowledge.downloads import file_of
from knowledge.models import Corpus


@login_required
@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    """Questions, time, tokens and money by corpus, EXECUTIVE and day (owners of their corpora, administrators)."""
    overseen = overseen_by(request.user)
    corpora, slug = chosen_corpora(overseen, request.GET.get("corpus", ""))
    problem = ""
    try:
        period = period_of(request.GET)
    except BadPeriod as error:
        period, problem = period_of({}), str(error)
    report = report_on(corpora, period)
    context = {
        "report": report,
        "charts": charts_of(report.by_day),
        "corpora": overseen.order_by("name"),
        "slug": slug,
        "periods": PERIODS,
        "longest": LONGEST_PERIOD,
        "problem": problem,
        "query": f"{period.query}&corpus={slug}" if slug else period.query,
    }
    return render(request, "chat/usage.html", context, status=422 if problem else 200)


@login_required
@require_safe
def usage_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The same days as a file for table programs. Raises BadPeriod."""
    corpora, slug = chosen_corpora(overseen_by(request.user), request.GET.get("corpus", ""))
    return csv_of(request, corpora, period_of(request.GET), slug)


def csv_of(request: Any, corpora: QuerySet[Corpus], period: Period, slug: str) -> StreamingHttpResponse:
    name = "-".join(filter(None, ("usage", slug, str(period.first), str(period.last))))
    return file_of(request, as_csv(days_of_use(corpora, period)), "text/csv; charset=utf-8", f"{name}.csv")


def chosen_corpora(overseen: QuerySet[Corpus], slug: str) -> tuple[QuerySet[Corpus], str]:
    """The corpora that a report is about, and the slug of the one that was chosen, if any. Raises Http404."""
    if not slug:
        return overseen, ""
    chosen = overseen.filter(slug=slug)
    if not chosen.exists():
        raise Http404("There is no such corpus of yours.")
    return chosen, slug
