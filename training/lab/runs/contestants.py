"""Who can answer in an evaluation. The app above fills ``KINDS``: an EXECUTIVE is needed to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from memosite.errors import MemoError
from training.evaluation.types import Contestant, Passage
from training.models import MemoryVersion


class UnknownKind(MemoError):
    """There is no contestant of that kind."""

    code = "unknown_contestant"
    status = 422


@dataclass(frozen=True)
class Spec:
    """What a contestant is made of. ``options`` are those of its kind."""

    kind: str
    executive: str = "rules"
    version: MemoryVersion | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def _sends_nothing(spec: Spec) -> bool:
    """Of a kind that keeps documents here, or shows them to its EXECUTIVE alone."""
    return False


def _takes_all(spec: Spec) -> None:
    """The check of a kind that has none."""


@dataclass(frozen=True)
class Kind:
    """A kind of contestant. ``build`` takes the spec and the documents, distractors included."""

    name: str
    label: str
    description: str
    needs_version: bool
    build: Callable[[Spec, Sequence[Passage]], Contestant]
    options: Mapping[str, Any] = field(default_factory=dict)
    """Their defaults."""
    check: Callable[[Spec], None] = _takes_all
    """Raises the MemoError of options, or of a site, with which ``build`` would fail."""
    needs_documents: bool = False
    """Whether it can be asked only questions that name their documents."""
    sends_documents: Callable[[Spec], bool] = _sends_nothing
    """Whether documents go to a server other than the EXECUTIVE's, about which no owner was asked."""


KINDS: dict[str, Kind] = {}


def build(spec: Spec, passages: Sequence[Passage]) -> Contestant:
    """Raises UnknownKind, and what the kind raises where it cannot be made."""
    if spec.kind not in KINDS:
        raise UnknownKind(f"There is no contestant “{spec.kind}”. Choose one of: {', '.join(sorted(KINDS))}.")
    return KINDS[spec.kind].build(spec, passages)
