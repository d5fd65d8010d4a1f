"""Pairs in files, from the review list: Export takes the list as it is filtered, Import brings a file in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelectWidget, UnfoldBooleanWidget

from knowledge.admin.corpora import list_url
from knowledge.admin.forms import IntoCorpusForm
from knowledge.downloads import pairs_file
from knowledge.exchange.formats import FORMATS, format_of
from knowledge.exchange.records import FileRefused
from knowledge.exchanging import ImportReport, import_pairs
from knowledge.models import Reflection

FILTERS = "_changelist_filters"
ERRORS_SHOWN = 200
CHOICES = [(name, each.label) for name, each in FORMATS.items()]


class ExportForm(forms.Form):
    """The format of the file, and the filters of the list that it is of."""

    format = forms.ChoiceField(
        choices=CHOICES,
        widget=UnfoldAdminSelectWidget(),
        help_text="JSONL, CSV and Parquet hold everything that is known of a pair; the others hold the texts.",
    )


class ImportForm(IntoCorpusForm):
    """A file of pairs for a corpus that the person curates."""

    file = forms.FileField(
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"class": " ".join(INPUT_CLASSES)}),
        help_text="Lines with an id change that pair. Lines without one add a pair, unless it is here already.",
    )
    format = forms.ChoiceField(
        choices=[("", "As the file itself tells"), *CHOICES], required=False, widget=UnfoldAdminSelectWidget()
    )
    store_good = forms.BooleanField(
        label="Store the good lines even if others are bad", required=False, widget=UnfoldBooleanWidget()
    )

    def bring_in(self, person: Any) -> ImportReport:
        """Import the file of a form that is valid. Raises FileRefused."""
        values = self.cleaned_data
        file = values["file"].file
        format = values["format"] or format_of(values["file"].name, file)
        return import_pairs(values["corpus"], file, format, person, store_good=values["store_good"])


class PairExchange:
    """What the admin of pairs gains: two pages, and the links to them above its list."""

    def get_urls(self: Any) -> list[URLPattern]:
        pages = {"export": self.export_view, "import": self.import_view}
        return [
            *(
                path(f"{name}/", self.admin_site.admin_view(view), name=self.url_name(name))
                for name, view in pages.items()
            ),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def export_view(self: Any, request: HttpRequest) -> HttpResponse:
        """Ask for a format; with one, send the file of all pages of the list as it was filtered."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        pairs = self._listed(request)
        form = ExportForm(request.GET if "format" in request.GET else None)
        filters = QueryDict(request.GET.get(FILTERS, ""))
        if form.is_valid():
            return pairs_file(request, pairs, filters.get("corpus", "all"), form.cleaned_data["format"])  # type: ignore[return-value]
        context = self.page(
            request, "Export pairs", form=form, count=pairs.count(), filters=filters.urlencode()
        )
        context["is_filtered"] = bool(filters)
        context["back_url"] = f"../?{filters.urlencode()}"
        return TemplateResponse(request, "admin/knowledge/exchange/export.html", context)

    def import_view(self: Any, request: HttpRequest) -> HttpResponse:
        """Bring a file in; then what became of its lines, on the same page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        initial = {"corpus": request.GET.get("corpus")}
        form = ImportForm(request.POST or None, request.FILES or None, initial=initial, person=request.user)
        context = self.page(request, "Import pairs", form=form)
        if form.is_valid():
            try:
                context |= _outcome(form.bring_in(request.user), form)
            except FileRefused as error:
                form.add_error("file", str(error))
        return TemplateResponse(request, "admin/knowledge/exchange/import.html", context)


def _outcome(report: ImportReport, form: ImportForm) -> dict[str, Any]:
    """What the page shows of an import."""
    return {
        "report": report,
        "errors": report.errors[:ERRORS_SHOWN],
        "more_errors": max(len(report.errors) - ERRORS_SHOWN, 0),
        "file_name": form.cleaned_data["file"].name,
        "pairs_url": list_url(Reflection, form.cleaned_data["corpus"]),
        "corpus": form.cleaned_data["corpus"],
    }
