"""Reviewing by sample: draw one from a list, judge its pairs one by one, decide for the whole batch."""

from __future__ import annotations

import copy
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from knowledge import sampling
from knowledge.admin.base import CorpusFilter, CorpusScopedAdmin
from knowledge.admin.passages import source_passages
from knowledge.figures import percent
from knowledge.models import Corpus, Reflection, SampledPair, SampleReview
from knowledge.pipeline.confidence import wilson

EXAMPLES = (30, 50, 100, 200, 400)  # sizes of samples whose worth the form tells


class SampleForm(forms.Form):
    """How many pairs to judge, and how many of them may be wrong."""

    size = forms.IntegerField(
        min_value=1,
        max_value=sampling.LARGEST,
        initial=sampling.SIZE,
        label="Pairs to judge",
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    allowed_errors = forms.IntegerField(
        min_value=0, initial=0, label="Wrong ones that you accept", widget=UnfoldAdminIntegerFieldWidget()
    )


def worth_of_samples(allowed: int = 0) -> list[tuple[int, str]]:
    """What a sample of each size says when no more than ``allowed`` of its pairs are wrong."""
    return [(size, percent(wilson(allowed, size).most)) for size in EXAMPLES if allowed < size]


class SampleFromList:
    """The page that draws a sample from the list of pairs; mixed into the admin of pairs."""

    def sample_view(self: Any, request: HttpRequest) -> HttpResponse:
        """Say what the sample is drawn from, ask for its size, and draw it."""
        batch = sampling.batch_of(self.rows_of_list(request))
        corpora = list(Corpus.objects.filter(pk__in=batch.order_by().values("corpus"))[:2])
        form = SampleForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and len(corpora) == 1:
            query = request.GET.urlencode()
            sample = sampling.draw(corpora[0], batch, request.user, query=query, **form.cleaned_data)
            return HttpResponseRedirect(reverse("admin:knowledge_samplereview_change", args=[sample.pk]))
        context = self.page(
            request,
            "Review a sample",
            form=form,
            count=batch.count(),
            corpora=corpora,
            worth=worth_of_samples(),
            back_url=f"{reverse('admin:knowledge_reflection_changelist')}?{request.GET.urlencode()}",
        )
        return TemplateResponse(request, "admin/knowledge/samplereview/draw.html", context)

    def rows_of_list(self: Any, request: HttpRequest) -> QuerySet[Reflection]:
        """All pages of the list with the filters and the search of the address."""
        filtered = copy.copy(request)
        filters = request.GET.copy()
        filters.pop(PAGE_VAR, None)
        filtered.GET = filters  # type: ignore[assignment]
        rows: QuerySet[Reflection] = self.get_changelist_instance(filtered).get_queryset(filtered)
        return rows.prefetch_related(None).select_related(None)


@admin.register(SampleReview)
class SampleReviewAdmin(CorpusScopedAdmin):
    """Samples: what was found in them, and what was decided for their batches."""

    list_display = ("name", "corpus", "size", "batch", "progress", "state", "created_at", "drawer")
    list_filter = (CorpusFilter, ("outcome", ChoicesDropdownFilter))
    list_select_related = ("corpus", "created_by")
    fields = readonly_fields = ("corpus", "drawn_from", "created_at", "drawer", "decided_at")
    change_form_template = "admin/knowledge/samplereview/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SampleReview]:
        judged = Count("pairs", filter=Q(pairs__is_right__isnull=False))
        wrong = Count("pairs", filter=Q(pairs__is_right=False))
        return super().get_queryset(request).annotate(n_judged=judged, n_wrong=wrong)

    # -- columns --------------------------------------------------------------------------------------------
    @admin.display(description="sample", ordering="pk")
    def name(self, row: SampleReview) -> str:
        return f"#{row.pk}"

    @admin.display(description="pairs in the batch")
    def batch(self, row: SampleReview) -> int:
        return len(row.population)

    @admin.display(description="judged")
    def progress(self, row: Any) -> str:
        return f"{row.n_judged} of {row.size}, {row.n_wrong} wrong"

    @display(description="state", label={"open": "info", "approved": "success", "refused": "danger"})
    def state(self, row: SampleReview) -> tuple[str, str]:
        return row.outcome, row.get_outcome_display()

    @admin.display(description="drawn by")
    def drawer(self, row: SampleReview) -> str:
        return str(row.created_by or "")

    @admin.display(description="drawn from the list")
    def drawn_from(self, row: SampleReview) -> str:
        return row.query or "of all pairs"

    # -- pages ----------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        return [
            self.row_url("judge", self.judge_view, posts=False),
            self.row_url("decide", self.decide_view),
            *super().get_urls(),
        ]

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return {
            "standing": sampling.standing(row),
            "batch_size": len(row.population),
            "pairs": row.pairs.select_related("reflection"),
            "judge_url": self.url_of(row, "judge"),
            "decide_url": self.url_of(row, "decide"),
            "is_open": row.outcome == SampleReview.Outcome.OPEN,
        }

    def judge_view(self, request: HttpRequest, sample: SampleReview) -> HttpResponse:
        """One pair beside its passages: right or wrong; then the next that nobody has judged."""
        pairs = sample.pairs.select_related("reflection", "sample")
        if request.method == "POST":
            judged = get_object_or_404(pairs, position=request.POST.get("position", "0"))
            sampling.judge(judged, is_right=request.POST.get("verdict") == "right")
            return self._next(sample)
        place = request.GET.get("position", "")
        pair = pairs.filter(position=place).first() if place.isdecimal() else _unjudged(sample)
        if pair is None or sample.outcome != SampleReview.Outcome.OPEN:
            return self.back_to(sample)
        context = self.page(
            request,
            f"Pair {pair.position} of {sample.size}",
            sample=sample,
            pair=pair,
            reflection=pair.reflection,
            passages=source_passages(pair.reflection),
            standing=sampling.standing(sample),
            sample_url=self.url_of(sample),
            before=pair.position - 1,
        )
        return TemplateResponse(request, "admin/knowledge/samplereview/judge.html", context)

    def _next(self, sample: SampleReview) -> HttpResponseRedirect:
        return (
            HttpResponseRedirect(self.url_of(sample, "judge")) if _unjudged(sample) else self.back_to(sample)
        )

    def decide_view(self, request: HttpRequest, sample: SampleReview) -> HttpResponse:
        """Approve the batch of a sample that passed, or close one that failed."""
        if sampling.standing(sample).has_passed:
            done = sampling.approve_batch(sample, request.user)
            text = f"{done.approved:,} pairs are approved and {done.rejected:,} rejected."
        else:
            done = sampling.refuse_batch(sample, request.user)
            text = f"{done.rejected:,} pairs are rejected; the others stay pending."
        if done.approved and done.left_out:
            text += (
                f" {done.left_out:,} were left out: they were edited or decided since the sample was drawn."
            )
        self.message_user(request, text, messages.SUCCESS)
        return self.back_to(sample)


def _unjudged(sample: SampleReview) -> SampledPair | None:
    return sample.pairs.filter(is_right=None).select_related("reflection", "sample").first()
