"""The reasons that people give for what cannot be undone without a trace."""

from __future__ import annotations

from memosite.errors import MemoError

MOST_LETTERS = 300  # for which rows, fields and forms have room


class NoReason(MemoError):
    """Something needs a reason, on whatever way it is asked for."""

    code = "no_reason"
    status = 422


def reason_why(deed: str, reason: str, *, kept_by: str = "the history") -> str:
    """The reason on one line. Raises NoReason where there is none, or one that is too long to keep."""
    found = " ".join(reason.split())
    if not 0 < len(found) <= MOST_LETTERS:
        raise NoReason(
            f"Say in one sentence, of {MOST_LETTERS} characters at most, why {deed}; {kept_by} keeps it."
        )
    return found
