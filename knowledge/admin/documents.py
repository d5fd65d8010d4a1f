"""Documents: bringing several in at once, looking at their versions, taking them out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from knowledge import services
from knowledge.admin.base import CorpusFilter, CorpusScopedAdmin
from knowledge.admin.forms import FilesForm, PastedTextForm
from knowledge.admin.urls import list_url
from knowledge.lineage import pairs_from, versions_of
from knowledge.models import Document, Reflection, Role
from knowledge.services import Ingested
from memosite.errors import Conflict


@admin.register(Document)
class DocumentAdmin(CorpusScopedAdmin):
    """Documents are read-only but for their title and date; a changed file comes in as a new version."""

    role_to_add = Role.CURATOR
    role_to_change = Role.CURATOR
    role_to_delete = Role.CURATOR
    list_display = ("title", "name", "corpus", "version", "date", "state", "uploaded_at", "uploader")
    list_filter = (CorpusFilter, ("is_current", BooleanRadioFilter))
    list_select_related = ("corpus", "uploaded_by")
    search_fields = ("title", "name", "text")
    ordering = ("-is_current", "title", "-version")
    fields = (
        "title",
        "date",
        "corpus",
        "name",
        "version",
        "state",
        "media_type",
        "uploaded_at",
        "uploader",
    )
    readonly_fields = ("corpus", "name", "version", "state", "media_type", "uploaded_at", "uploader")
    change_form_template = "admin/knowledge/document/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        return super().get_queryset(request).defer("text")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.is_current)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.is_current)

    def save_model(self, request: HttpRequest, obj: Document, form: Any, change: bool) -> None:
        if form.changed_data:  # only these: the document may have got a new version in the meantime
            obj.save(update_fields=form.changed_data)

    @display(description="state", label={"current": "success"}, ordering="is_current")
    def state(self, row: Document) -> str:
        return "current" if row.is_current else "no longer used"

    @display(description="uploaded by", ordering="uploaded_by__username")
    def uploader(self, row: Document) -> str:
        return str(row.uploaded_by or "")

    def page_context(self, request: HttpRequest, row: Document) -> dict[str, Any]:
        pairs = Reflection.objects.present().filter(sources__document=row, retired=False).order_by()
        versions = row.corpus.documents.filter(name=row.name).exclude(pk=row.pk).defer("text")
        return {
            "versions": [(version, self.url_of(version)) for version in versions],
            "pairs_url": list_url(Reflection, row.corpus, document=str(row.pk)),
            "pair_counts": list(
                pairs.values_list("status").annotate(Count("pk", distinct=True)).order_by("status")
            ),
            "trained_versions": versions_of(pairs_from(row), request.user),
            "remove_url": self.url_of(row, "delete"),
        }

    # -- bringing documents in ------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        upload = self.admin_site.admin_view(self.upload_view)
        return [path("upload/", upload, name=self.url_name("upload")), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:{self.url_name('upload')}"))

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Files, or pasted text, into a corpus; then what became of each, on the same page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        chosen = {"corpus": request.GET.get("corpus")}
        files, text = (
            form(initial=chosen, person=request.user, prefix=name)
            for name, form in {"files": FilesForm, "text": PastedTextForm}.items()
        )
        results: list[Ingested] = []
        if request.method == "POST" and "paste" in request.POST:
            text = PastedTextForm(request.POST, person=request.user, prefix="text")
            results = self._paste(request, text) if text.is_valid() else []
        elif request.method == "POST":
            files = FilesForm(request.POST, request.FILES, person=request.user, prefix="files")
            results = self._take_in(request, files) if files.is_valid() else []
        context = self.page(request, "Add documents", files_form=files, text_form=text, results=results)
        return TemplateResponse(request, "admin/knowledge/document/upload.html", context)

    def _take_in(self, request: HttpRequest, form: FilesForm) -> list[Ingested]:
        # One byte more than is allowed is enough to see that a file is too large.
        most = settings.MAX_UPLOAD_BYTES + 1
        corpus, files = form.cleaned_data["corpus"], form.cleaned_data["documents"]
        return [services.ingest_file(corpus, file.name, file.read(most), request.user) for file in files]

    def _paste(self, request: HttpRequest, form: PastedTextForm) -> list[Ingested]:
        values = form.cleaned_data
        return [services.ingest_text(values["corpus"], values["title"], values["text"], request.user)]

    # -- taking documents out -------------------------------------------------------------------------------
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then take the document out of its corpus. Its rows stay: pairs and versions come from it."""
        document = self.row_or_404(request, int(object_id)) if object_id.isdecimal() else None
        if document is None or not document.is_current:
            raise Conflict("This document is not in use any more; there is nothing to take out.")
        if request.method == "POST":
            services.remove_document(document)
            self.message_user(request, f"“{document}” is out of “{document.corpus}”.", messages.SUCCESS)
            return HttpResponseRedirect(list_url(Document, document.corpus, is_current__exact="1"))
        pairs = Reflection.objects.present().filter(sources__document=document).distinct().count()
        context = self.page(request, f"Take “{document}” out?", document=document, pairs=pairs)
        context["back_url"] = self.url_of(document)
        return TemplateResponse(request, "admin/knowledge/document/remove.html", context)
