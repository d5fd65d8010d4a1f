"""Addresses of the workbench that several of its pages link to."""

from __future__ import annotations

from django.db.models import Model
from django.http import QueryDict
from django.urls import reverse

from knowledge.models import Corpus


def list_url(model: type[Model], corpus: Corpus, **filters: str) -> str:
    """The list of a model's rows in one corpus."""
    query = QueryDict(mutable=True)
    query.update({"corpus": corpus.slug, **filters})
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    return f"{reverse(name)}?{query.urlencode()}"
