"""Typed reading of the environment that collects what is wrong, so that ``manage.py check`` can explain it all."""

from __future__ import annotations

import warnings
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


class Environment(environ.Env):
    """Reads variables; a value that cannot be read is noted in ``problems`` and its default stands in.

    ``problems`` maps the variable's name to a sentence that says what was expected.
    """

    def __init__(self) -> None:
        super().__init__()
        self.problems: dict[str, str] = {}

    def number(self, name: str, default: int, *, at_least: int) -> int:
        """A whole number that is at least ``at_least``."""
        given = self.str(name, default=str(default))
        try:
            value = int(given)
        except ValueError:
            value = at_least - 1
        if value < at_least:
            self.problems[name] = f"is {given!r}; a whole number of at least {at_least} is expected."
            return default
        return value

    def number_or_auto(self, name: str, *, at_least: int) -> int | str:
        """A whole number that is at least ``at_least``, or ``auto``, which is the default."""
        given = self.str(name, default="auto").strip().lower()
        if given == "auto" or (given.isdecimal() and int(given) >= at_least):
            return given if given == "auto" else int(given)
        self.problems[name] = f"is {given!r}; auto or a whole number of at least {at_least} is expected."
        return "auto"

    def switch(self, name: str, default: bool) -> bool:
        """Yes or no."""
        given = self.str(name, default=str(default)).strip().lower()
        if given in ("1", "true", "yes", "on"):
            return True
        if given not in ("0", "false", "no", "off", ""):
            self.problems[name] = f"is {given!r}; true or false is expected."
        return False

    def database(self, name: str, default: str) -> dict[str, Any]:
        """A database address as Django's settings want it; the default where it is empty, too."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the reader warns of is explained below
            found = self._database_or_nothing(name, default)
        if found.get("ENGINE") not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
            self.problems[name] = (
                "is no database address that memosite knows; "
                "sqlite:///path or postgres://user:password@host:port/name is expected."
            )
            return self.db_url_config(default)
        return found

    def _database_or_nothing(self, name: str, default: str) -> dict[str, Any]:
        try:
            return self.db_url_config(self.str(name, default="").strip() or default)
        except (ValueError, ImproperlyConfigured):
            return {}

    def redis(self, name: str) -> str:
        """The address of a Redis server, or nothing."""
        given: str = self.str(name, default="")
        if given and not given.startswith(("redis://", "rediss://", "unix://")):
            self.problems[name] = f"is {given!r}; redis://host:port/number is expected, or nothing."
            return ""
        return given
