"""The GENERATORs that a corpus can choose from: the built-in rules, and the endpoints of that role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from memosite.errors import MemoError
from memosite.models import Endpoint, EndpointRole

if TYPE_CHECKING:
    from knowledge.rules.generator import RulesGenerator

RULES = "rules"


class UnknownGenerator(MemoError):
    """There is no GENERATOR of that name."""

    code = "unknown_generator"


def rules() -> RulesGenerator:
    """The built-in GENERATOR, which needs no language model."""
    from knowledge.rules.generator import RulesGenerator

    return RulesGenerator()


def names() -> list[str]:
    """The GENERATORs that can be named, the built-in one first."""
    return [RULES, *_endpoints().values_list("name", flat=True)]


def endpoint_named(name: str) -> Endpoint | None:
    """The endpoint of a GENERATOR, None for the built-in rules. Raises UnknownGenerator."""
    if name == RULES:
        return None
    endpoint = _endpoints().filter(name=name).first()
    if endpoint is None:
        raise UnknownGenerator(f"There is no generator “{name}”. Choose one of: {', '.join(names())}.")
    return endpoint


def _endpoints() -> QuerySet[Endpoint]:
    return Endpoint.objects.filter(role=EndpointRole.GENERATOR)
