"""The GENERATOR backends that a corpus can choose from."""

from __future__ import annotations

from collections.abc import Callable

from knowledge.pipeline.types import Generator
from memosite.errors import MemoError


class UnknownGenerator(MemoError):
    """There is no GENERATOR of that name."""

    code = "unknown_generator"


def _rules() -> Generator:
    from knowledge.rules.generator import RulesGenerator

    return RulesGenerator()


GENERATORS: dict[str, Callable[[], Generator]] = {"rules": _rules}


def make_generator(name: str) -> Generator:
    """Build the GENERATOR called ``name``; raises UnknownGenerator."""
    if name not in GENERATORS:
        raise UnknownGenerator(f"There is no generator “{name}”. Choose one of: {', '.join(GENERATORS)}.")
    return GENERATORS[name]()
