"""Which EXECUTIVEs may lead in an evaluation. The app above knows what the owners of corpora allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from knowledge.models import Corpus
from memosite.errors import MemoError
from memosite.models import Endpoint, EndpointRole
from training.models import MemoryVersion

BUILT_IN = "rules"
BUILT_IN_LABEL = "Built-in rules"


class ExecutiveNotOffered(MemoError):
    """The owners of the corpora do not let this EXECUTIVE lead, or there is none of that name."""

    code = "executive_not_allowed"
    status = 422


@dataclass(frozen=True)
class Offered:
    """An EXECUTIVE by its name, and as people read it; ``is_default`` is the one that leads where nobody chose."""

    name: str
    label: str
    is_default: bool = False


Offers = Callable[[Sequence[Corpus], Sequence[MemoryVersion]], list[Offered]]
#: What the owners of corpora and of the corpora of versions allow. The app above puts its own here.
offers: list[Offers] = []


def offered(corpora: Sequence[Corpus], versions: Sequence[MemoryVersion] = ()) -> list[Offered]:
    """The EXECUTIVEs that may lead questions about these corpora and versions, the built-in one first."""
    found = {BUILT_IN: Offered(BUILT_IN, BUILT_IN_LABEL)}
    for offer in offers:
        found |= {one.name: one for one in offer(corpora, versions)}
    return list(found.values())


def default_of(corpora: Sequence[Corpus], versions: Sequence[MemoryVersion] = ()) -> str:
    """The EXECUTIVE that leads people's questions about these corpora and versions where nobody chose another."""
    return next((one.name for one in offered(corpora, versions) if one.is_default), BUILT_IN)


def require_offered(
    names: Sequence[str], corpora: Sequence[Corpus], versions: Sequence[MemoryVersion]
) -> None:
    """Raise ExecutiveNotOffered where one of them may not lead: it would see questions, answers and documents."""
    allowed = [one.name for one in offered(corpora, versions)]
    if refused := [name for name in names if name not in allowed]:
        raise ExecutiveNotOffered(
            f"“{refused[0][:60]}” may not lead questions here. Choose one of: {', '.join(allowed)}. Owners of a "
            "corpus allow others on its chat settings."
        )


def at_once(name: str) -> int:
    """How many questions an EXECUTIVE is asked at a time: the built-in one reckons, others wait for a server."""
    endpoint = Endpoint.objects.filter(role=EndpointRole.EXECUTIVE, name=name).first()
    return endpoint.concurrency if endpoint else 1
