"""The form that starts a merge: which versions, how, and how much each counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.db.models import Case, QuerySet, Value, When

from knowledge.models import Corpus
from memosite.errors import MemoError
from training.audience import open_versions
from training.engine.merge_methods import METHODS, MergeOptions, options_for
from training.models import MemoryVersion

OTHERS_SHOWN = 100  # the newest versions of other corpora; the command and REST take any
NUMBERS = ("density", "scale", "seed")


def mergeable(corpus: Corpus, person: Any) -> list[MemoryVersion]:
    """The versions that the person may merge: the corpus's own, then the newest of other corpora."""
    others = MemoryVersion.objects.for_reader(person).exclude(corpus=corpus).select_related("corpus")
    newest = sorted(others.order_by("-pk")[:OTHERS_SHOWN], key=lambda one: (one.corpus.name, -one.number))
    return [*open_versions(corpus, person), *newest]


class MergeForm(forms.Form):
    """Parents, method and numbers. A number that is left empty has the method's default, a weight is one."""

    parents = forms.ModelMultipleChoiceField(
        MemoryVersion.objects.none(), error_messages={"required": "Choose at least two versions."}
    )
    method = forms.ChoiceField(
        choices=[(name, method.title) for name, method in METHODS.items()],
        error_messages={"required": "Choose a method."},
    )
    density = forms.FloatField(required=False)
    scale = forms.FloatField(required=False)
    seed = forms.IntegerField(required=False)

    def __init__(self, *args: Any, versions: list[MemoryVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.versions = versions
        cast("forms.ModelMultipleChoiceField[MemoryVersion]", self.fields["parents"]).queryset = _in_order(
            versions
        )
        for version in versions:
            self.fields[f"weight_{version.pk}"] = forms.FloatField(required=False, min_value=0)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                options_for(values["method"], self.options(), len(values["parents"]))
            except MemoError as error:
                self.add_error(None, str(error))
        return values

    def options(self) -> dict[str, Any]:
        """The numbers that were given, as the engine names them."""
        given = {name: self.cleaned_data.get(name) for name in NUMBERS}
        weights = [self.cleaned_data.get(f"weight_{one.pk}") for one in self.cleaned_data["parents"]]
        if any(weight is not None for weight in weights):
            given["weights"] = [1.0 if weight is None else weight for weight in weights]
        return given

    # -- for the template -----------------------------------------------------------------------------------
    def rows(self) -> Iterator[dict[str, Any]]:
        """Each version with whether it is chosen and its weight."""
        chosen = set(self["parents"].value() or ())
        for version in self.versions:
            weight = self[f"weight_{version.pk}"]
            yield {"version": version, "is_chosen": str(version.pk) in chosen, "weight": weight}

    def numbers(self) -> Iterator[dict[str, Any]]:
        """Each number with what it means, and the methods that take it with their defaults."""
        for name in NUMBERS:
            field = MergeOptions.model_fields[name]
            takers = {
                method.title: method.defaults.get(name, field.default)
                for method in METHODS.values()
                if name in method.parameters
            }
            told = ", ".join(f"{title} ({default:g})" for title, default in takers.items())
            yield {"field": self[name], "description": field.description, "takers": told}

    def methods(self) -> Iterator[dict[str, Any]]:
        chosen = self["method"].value() or next(iter(METHODS))
        for name, method in METHODS.items():
            yield {"name": name, "method": method, "is_chosen": name == chosen}


def _in_order(versions: list[MemoryVersion]) -> QuerySet[MemoryVersion]:
    """The versions as rows to choose from, in the order in which they are listed."""
    rows = MemoryVersion.objects.filter(pk__in=[one.pk for one in versions]).select_related("corpus")
    places = [When(pk=one.pk, then=Value(place)) for place, one in enumerate(versions)]
    return rows.order_by(Case(*places, default=Value(0)))
