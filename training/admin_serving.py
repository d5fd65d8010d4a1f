"""Which versions a server answers for, for administrators; with a test of whether it does."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from knowledge.admin.base import SuperusersOnly
from memosite.models import Endpoint, EndpointRole
from training.models import ServedVersion
from training.served import try_served


@admin.register(ServedVersion)
class ServedVersionAdmin(SuperusersOnly, ModelAdmin):
    """From the next turn on a version in this list is asked at its endpoint; without a row it is loaded here."""

    list_display = ("version", "model_name", "endpoint")
    list_select_related = ("version__corpus", "endpoint")
    search_fields = ("model_name", "version__corpus__name", "endpoint__name")
    change_form_template = "admin/training/servedversion/change_form.html"

    class Media:
        css: ClassVar = {"all": ["admin-memosite/workbench.css"]}

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField[Any] | None:
        if db_field.name == "endpoint":
            kwargs["queryset"] = Endpoint.objects.filter(role=EndpointRole.MEMORY)
            kwargs["help_text"] = "An endpoint with the role memory."
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        return [path("<int:key>/test/", test, name="training_servedversion_test"), *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj:
            context["test_url"] = reverse("admin:training_servedversion_test", args=[obj.pk])
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def test_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask the server some of the version's own questions and say how many it answered."""
        if not self.has_change_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        tried = try_served(get_object_or_404(ServedVersion, pk=key))
        self.message_user(request, tried.message, messages.SUCCESS if tried.is_working else messages.ERROR)
        return HttpResponseRedirect(reverse("admin:training_servedversion_change", args=[key]))
