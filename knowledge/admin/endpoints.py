"""The language models that the site may call, for administrators; with a test of whether they answer."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from knowledge.admin.base import SuperusersOnly
from memosite.endpoints import has_key, try_connection
from memosite.models import Endpoint

ROLES = (
    "A generator makes pairs of documents. An executive leads conversations about the corpora whose owners "
    "allow it in their chat settings. A memory answers for versions that another server serves. An embedding "
    "model finds passages for dense retrieval in evaluations."
)


@admin.register(Endpoint)
class EndpointAdmin(SuperusersOnly, ModelAdmin):
    """Endpoints. The key itself never comes here: only the name of the variable that holds it."""

    list_display = ("name", "role", "model", "base_url", "concurrency", "key", "input_price", "output_price")
    list_filter = ("role",)
    search_fields = ("name", "model", "base_url")
    fieldsets = (
        (None, {"fields": ("name", "role", "base_url", "model", "key_variable"), "description": ROLES}),
        ("Calls", {"fields": ("temperature", "max_tokens", "concurrency", "timeout_seconds", "max_retries")}),
        ("Prices", {"fields": ("input_price", "output_price")}),
    )
    change_form_template = "admin/memosite/endpoint/change_form.html"

    class Media:
        css: ClassVar = {"all": ["admin-memosite/workbench.css"]}

    @admin.display(description="key")
    def key(self, endpoint: Endpoint) -> str:
        if not endpoint.key_variable:
            return "none needed"
        return f"{endpoint.key_variable}, {'set' if has_key(endpoint) else 'NOT SET'}"

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        return [path("<int:key>/test/", test, name="memosite_endpoint_test"), *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj:
            context["test_url"] = reverse("admin:memosite_endpoint_test", args=[obj.pk])
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def test_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Call the endpoint once and say what happened."""
        if not self.has_change_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        endpoint = get_object_or_404(Endpoint, pk=key)
        tested = try_connection(endpoint)
        self.message_user(request, tested.message, messages.SUCCESS if tested.is_working else messages.ERROR)
        return HttpResponseRedirect(reverse("admin:memosite_endpoint_change", args=[key]))
