"""Who sees what in the workbench: rows of the corpora on which a person is curator or owner, and no others.

Roles on corpora decide; Django's own model permissions play no part. Every view of a corpus's rows derives
from ``CorpusScopedAdmin``, so that the rule stands in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.db.models import Field, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import DropdownFilter

from knowledge.models import Corpus, Role

RowView = Callable[[HttpRequest, Any], HttpResponse]


def corpora_of(request: HttpRequest, role: Role = Role.CURATOR) -> frozenset[int]:
    """Keys of the corpora on which the request's person has the role; asked of the database once a request."""
    known: dict[Role, frozenset[int]] = vars(request).setdefault("_corpora_by_role", {})
    if role not in known:
        known[role] = frozenset(Corpus.objects.for_role(request.user, role).values_list("pk", flat=True))
    return known[role]


class CorpusScopedAdmin(ModelAdmin):
    """Rows that belong to a corpus: seen by its curators, changed by whoever has the role named here.

    ``corpus_path`` leads from a row to its corpus (``"pk"`` for the corpus itself). A role of None means that
    nobody adds, changes or deletes here, superusers included.
    """

    corpus_path: ClassVar[str] = "corpus"
    role_to_add: ClassVar[Role | None] = None
    role_to_change: ClassVar[Role | None] = None
    role_to_delete: ClassVar[Role | None] = None
    list_filter_submit = True
    show_full_result_count = False

    class Media:
        css: ClassVar = {"all": ["admin-memosite/workbench.css"]}

    # -- whose rows -----------------------------------------------------------------------------------------
    def corpus_id(self, row: Any) -> int:
        """The key of the corpus that the row belongs to."""
        *steps, last = self.corpus_path.split("__")
        for step in steps:
            row = getattr(row, step)
        return getattr(row, last if last == "pk" else f"{last}_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        return rows.filter(**{f"{self.corpus_path}__in": corpora_of(request)})

    def row_or_404(self, request: HttpRequest, key: int) -> Any:
        row = self.get_queryset(request).filter(pk=key).first()
        if row is None:
            raise Http404("There is no such row in your corpora.")
        return row

    # -- permissions ----------------------------------------------------------------------------------------
    def _has_role(self, request: HttpRequest, role: Role | None, row: Any) -> bool:
        if role is None or not request.user.is_staff:
            return False
        allowed = corpora_of(request, role)
        if row is None:
            return bool(allowed) or request.user.is_superuser
        return self.corpus_id(row) in allowed

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._has_role(request, Role.CURATOR, None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._has_role(request, Role.CURATOR, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._has_role(request, self.role_to_add, None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._has_role(request, self.role_to_change, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._has_role(request, self.role_to_delete, obj)

    def formfield_for_foreignkey(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the rows that the person may see, and only corpora to which the person may add rows."""
        related = self.admin_site._registry.get(db_field.related_model)
        if isinstance(related, CorpusScopedAdmin):
            kwargs["queryset"] = related.get_queryset(request)
        if db_field.related_model is Corpus:
            kwargs["queryset"] = Corpus.objects.for_role(request.user, self.role_to_add or Role.CURATOR)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Deleting a selection would go past the services, so it is not on offer."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    # -- a row's page ---------------------------------------------------------------------------------------
    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of a row shows beside its fields."""
        return {}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context |= self.page_context(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def url_name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def url_of(self, row: Model, name: str = "change") -> str:
        return reverse(f"admin:{self.url_name(name)}", args=[row.pk])

    def back_to(self, row: Model) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.url_of(row))

    def row_url(self, name: str, view: RowView, *, posts: bool = True) -> URLPattern:
        """The address ``<key>/<name>/`` of a row, where ``view(request, row)`` does something with it."""

        def on_row(request: HttpRequest, key: int) -> HttpResponse:
            return view(request, self.row_or_404(request, key))

        wrapped = self.admin_site.admin_view(require_POST(on_row) if posts else on_row)
        return path(f"<int:key>/{name}/", wrapped, name=self.url_name(name))

    def page(self, request: HttpRequest, title: str, **context: Any) -> dict[str, Any]:
        """The context of a page of our own in the workbench."""
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **context}


class SuperusersOnly:
    """Rows that superusers alone may see."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)


class ReadOnlyInline(TabularInline):
    """Rows below a row, to be looked at. Whoever sees the row above sees them."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CorpusFilter(DropdownFilter):
    """Rows of one corpus, by its slug."""

    title = "corpus"
    parameter_name = "corpus"

    def __init__(self, request: HttpRequest, params: Any, model: type[Model], model_admin: Any) -> None:
        self.corpus_path = model_admin.corpus_path
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return list(Corpus.objects.for_role(request.user, Role.CURATOR).values_list("slug", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(**{f"{self.corpus_path}__slug": self.value()})
