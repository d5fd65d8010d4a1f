"""Who does something."""

from __future__ import annotations

from typing import Any


def account_of(person: Any) -> Any:
    """The account that a row names as who did it; None for the operator of the site and for anonymous visitors.

    ``person`` is a user, an anonymous one, or None for the operator, who acts by the command line.
    """
    return person if getattr(person, "pk", None) else None
