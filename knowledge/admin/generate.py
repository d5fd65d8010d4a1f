"""Before a generation with a language model: what it will take, and the budget that stops it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from knowledge.forecast import Forecast, foresee
from knowledge.generators import RULES, endpoint_named, names
from knowledge.models import Corpus
from knowledge.services import EmptyCorpus


class GenerateForm(forms.Form):
    """The generator of a run, and the limits that a person sets to it."""

    generator = forms.ChoiceField(widget=UnfoldAdminSelectWidget())
    budget = forms.DecimalField(
        required=False,
        min_value=Decimal("0.01"),
        max_digits=10,
        decimal_places=2,
        label="Budget in US dollars",
        help_text="The run pauses before it spends more. Without one it goes to its end.",
        widget=UnfoldAdminDecimalFieldWidget(),
    )
    fresh = forms.BooleanField(
        required=False,
        label="Ask again what was asked before",
        help_text="Otherwise the replies of earlier runs are used again and cost nothing.",
        widget=UnfoldBooleanSwitchWidget(),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["generator"].choices = [(name, name) for name in names()]  # type: ignore[attr-defined]


def plan_page(
    request: HttpRequest, corpus: Corpus, page: dict[str, Any], form: GenerateForm | None = None
) -> HttpResponse:
    """The page on which a generation is planned: a forecast for every generator, and the choice."""
    if not corpus.documents.current().exists():
        raise EmptyCorpus("This corpus has no documents yet. Add a document first.")
    own = corpus.generator.name if corpus.generator else RULES
    context = {
        **page,
        "corpus": corpus,
        "form": form or GenerateForm(initial={"generator": own}),
        "forecasts": forecasts(corpus),
    }
    return TemplateResponse(request, "admin/knowledge/corpus/generate.html", context)


def forecasts(corpus: Corpus) -> list[tuple[str, Forecast | None]]:
    """What each generator would take; None for the built-in rules, which cost nothing."""
    rows = [(name, endpoint_named(name)) for name in names()]
    return [(name, foresee(corpus, endpoint) if endpoint else None) for name, endpoint in rows]
