"""Reading JSON element by element, so that whatever is wrong has a line number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

WHITE_SPACE = re.compile(r"[ \t\r\n]*")


class BadJSON(ValueError):
    """Text that is no JSON; ``number`` is the line where reading ended."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number


class Cursor:
    """A place in a JSON text. Whoever walks through ``elements`` or ``members`` reads each value on the way."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._counted_to = 0
        self._line = 1
        self._decoder = json.JSONDecoder()

    @property
    def line(self) -> int:
        """The line on which the next value begins."""
        self.peek()
        self._line += self.text.count("\n", self._counted_to, self.at)
        self._counted_to = self.at
        return self._line

    def peek(self) -> str:
        """The next character that is no white space, or nothing at the end."""
        self.at = WHITE_SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
        return self.text[self.at : self.at + 1]

    def value(self) -> Any:
        """Read the next value. Raises BadJSON."""
        number = self.line
        try:
            value, self.at = self._decoder.raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            raise BadJSON(number + error.doc.count("\n", self.at, error.pos), error.msg) from error
        except (ValueError, RecursionError) as error:
            raise BadJSON(number, "the numbers are too large, or the lists too deep") from error
        return value

    def elements(self) -> Iterator[None]:
        """Stop at each element of the list that comes next. Raises BadJSON."""
        yield from self._parts("[", "]")

    def members(self) -> Iterator[str]:
        """Stop at each value of the object that comes next, with its name. Raises BadJSON."""
        for _ in self._parts("{", "}"):
            name = self.value()
            self._pass(":")
            yield str(name)

    def _parts(self, opening: str, closing: str) -> Iterator[None]:
        self._pass(opening)
        if self.peek() == closing:
            return self._pass(closing)
        while True:
            yield
            if self.peek() == closing:
                return self._pass(closing)
            self._pass(",")

    def _pass(self, character: str) -> None:
        if self.peek() != character:
            raise BadJSON(self.line, f"a “{character}” is missing")
        self.at += 1
