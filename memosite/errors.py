"""The one family of errors that people are meant to read."""

from __future__ import annotations

from typing import Any


class MemoError(Exception):
    """Something a person can act on.

    ``str(error)`` is a sentence that says what is wrong and what to do; ``code`` is a stable identifier for
    programs; ``status`` is the HTTP status that the REST edge answers with. The command line prints the
    sentence and exits with 1.
    """

    code = "error"
    status = 400
    #: Seconds after which the same request may succeed, where that can be told: the Retry-After of a response.
    retry_after: int | None = None

    def members(self) -> dict[str, Any]:
        """What a program learns besides the sentence: further members of the problem details."""
        return {}


class NotAllowed(MemoError):
    """The person may not do this."""

    code = "not_allowed"
    status = 403


class Conflict(MemoError):
    """The request does not fit the present state of the thing it names."""

    code = "conflict"
    status = 409


class Unavailable(MemoError):
    """Something the request needs is not there yet, or not now."""

    code = "unavailable"
    status = 503
