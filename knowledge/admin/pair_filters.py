"""The filters of the list of pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from knowledge.admin.base import corpora_of
from knowledge.admin.flag_chips import WORDS
from knowledge.models import Chunk, Document, Flag, Reflection, ReflectionSource
from knowledge.pair_search import LENGTHS, of_length, stale
from knowledge.services import BY_HAND
from knowledge.suggestions import FROM_FEEDBACK


class DocumentFilter(DropdownFilter):
    """Pairs that a document supports. The documents are looked up while one types: there may be thousands."""

    title = "document"
    parameter_name = "document"

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.request, self.model_admin = request, model_admin
        super().__init__(request, params, model, model_admin)

    def has_output(self) -> bool:
        return True

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return []

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        yield {
            "form": AutocompleteDropdownForm(
                request=self.request,
                name=self.parameter_name,
                label=f"By {self.title}",
                choices=(),
                field=Chunk._meta.get_field("document"),
                model_admin=self.model_admin,
                data={self.parameter_name: self._chosen()},
            )
        }

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.value():
            return queryset
        chosen = self._chosen()
        if chosen is None:
            return queryset.none()
        supported = ReflectionSource.objects.filter(chunk__document=chosen).values("reflection")
        return queryset.filter(pk__in=supported)

    def _chosen(self) -> int | None:
        """The document, if it is one that the person may see."""
        value = self.value()
        if not value or not value.isdecimal():
            return None
        seen = Document.objects.filter(corpus__in=corpora_of(self.request), pk=value)
        return seen.values_list("pk", flat=True).first()


class FlagFilter(DropdownFilter):
    """Pairs with a flag, with any, or with none."""

    title = "flag"
    parameter_name = "flag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            ("any", "Any flag"),
            ("none", "No flag"),
            *((flag.value, word.capitalize()) for flag, (word, _) in WORDS.items()),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if value in ("any", "none"):
            return queryset.flagged() if value == "any" else queryset.unflagged()
        return queryset.flagged(value) if value in Flag.values else queryset


class ReviewerFilter(DropdownFilter):
    """Pairs that one person decided about last."""

    title = "reviewer"
    parameter_name = "reviewer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        decided = Reflection.objects.filter(reviewed_by=OuterRef("pk"), corpus__in=corpora_of(request))
        people = get_user_model().objects.filter(Exists(decided)).order_by("username")
        return [("nobody", "Nobody yet"), *((str(person.pk), str(person)) for person in people)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if value == "nobody":
            return queryset.filter(reviewed_by=None)
        return queryset.filter(reviewed_by=value) if value and value.isdecimal() else queryset


class LengthFilter(DropdownFilter):
    """Pairs by the letters of question and answer together."""

    title = "length"
    parameter_name = "length"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            (name, f"{name.replace('_', ' ').capitalize()} ({_range(*bounds)})")
            for name, bounds in LENGTHS.items()
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        bounds = LENGTHS.get(self.value() or "")
        return of_length(queryset, *bounds) if bounds else queryset


def _range(least: int, most: int | None) -> str:
    return f"{least} to {most} letters" if most else f"{least} letters or more"


class StaleFilter(DropdownFilter):
    """Pairs whose passages are all in use still, or not."""

    title = "passages"
    parameter_name = "stale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("0", "From documents in use"), ("1", "From documents that changed or were taken out")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        return stale(queryset, is_stale=value == "1") if value in ("0", "1") else queryset


class OriginFilter(DropdownFilter):
    """Pairs by where they come from: a GENERATOR, a curator's hand, or somebody's corrected answer."""

    title = "origin"
    parameter_name = "origin"
    OF_PEOPLE: ClassVar = {"feedback": FROM_FEEDBACK, "hand": BY_HAND}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            ("feedback", "From feedback: suggested by people who asked"),
            ("hand", "Written or imported by curators"),
            ("generated", "Made by a generator"),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if value == "generated":
            return queryset.exclude(reflection_set__generator__in=self.OF_PEOPLE.values())
        generator = self.OF_PEOPLE.get(value or "")
        return queryset.filter(reflection_set__generator=generator) if generator else queryset


class _OneOfThoseThereAre(DropdownFilter):
    """Pairs by a short text of theirs; offered are the values that occur."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        rows = Reflection.objects.filter(corpus__in=corpora_of(request)).exclude(**{self.parameter_name: ""})
        values = rows.order_by(self.parameter_name).values_list(self.parameter_name, flat=True).distinct()
        return [(value, value) for value in values[:100]]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class ModelFilter(_OneOfThoseThereAre):
    """Pairs that one model made."""

    title = parameter_name = "model"


class StepFilter(_OneOfThoseThereAre):
    """Pairs that one step of the synthesis made."""

    title = parameter_name = "step"
