"""Values of document reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from memosite.errors import MemoError


class DocumentRefused(MemoError):
    """A file that cannot become a document; the message names the file, the reason and the remedy."""

    code = "document_refused"
    status = 422


@dataclass(frozen=True)
class ParsedDocument:
    """Clean text of a file. ``name`` is the safe file name; ``media_type`` is what the content is, sniffed."""

    name: str
    title: str
    text: str
    media_type: str
    date: date | None = None


@dataclass(frozen=True)
class ChunkSpan:
    """A chunk of a document's text: ``text == document_text[start:end]``, always."""

    start: int
    end: int
    text: str
