"""The demand of a corpus, for pages of other apps that link to it."""

from __future__ import annotations

from django import template

from chat.models import Demand
from knowledge.models import Corpus

register = template.Library()


@register.simple_tag
def open_demand(corpus: Corpus) -> int:
    """How many groups of questions memory could not answer and nobody has met or dismissed."""
    return Demand.objects.filter(corpus=corpus, status=Demand.Status.OPEN).count()
