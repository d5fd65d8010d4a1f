"""What a file may cost, and what a reader gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


class Unreadable(Exception):
    """Why a file cannot be read, as the second half of a sentence, and what to do."""


@dataclass(frozen=True)
class Limits:
    """Upper bounds for one file: bytes as uploaded, bytes unpacked, packed entries, pages, characters of text."""

    max_bytes: int = 25 * 1024 * 1024
    max_unpacked_bytes: int = 200 * 1024 * 1024
    max_entries: int = 2000
    max_pages: int = 2000
    max_characters: int = 5_000_000


@dataclass(frozen=True)
class Content:
    """Text as a reader found it, with what the format itself says of title and date."""

    text: str
    title: str = ""
    date: date | None = None
