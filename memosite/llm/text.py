"""Text that comes from models and people, fit to be stored and sent."""

from __future__ import annotations

import re
from typing import Any

#: Control characters but for tab and line ends, and halves of surrogate pairs: PostgreSQL refuses the one, UTF-8
#: the other.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def printable(text: str) -> str:
    """The text without what can be neither stored nor sent."""
    return _UNPRINTABLE.sub("", text)


def printable_all(value: Any) -> Any:
    """A JSON value with all its texts printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [printable_all(each) for each in value]
    if isinstance(value, dict):
        return {printable(str(name)): printable_all(each) for name, each in value.items()}
    return value
