"""The EXECUTIVE backends that can lead a conversation."""

from __future__ import annotations

from collections.abc import Callable

from chat.protocol.executive import Executive
from chat.rules.executive import RulesExecutive

EXECUTIVES: dict[str, Callable[[], Executive]] = {"rules": RulesExecutive}


def make_executive(name: str) -> Executive:
    """Build the EXECUTIVE called ``name``."""
    return EXECUTIVES[name]()
