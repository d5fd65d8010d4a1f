"""From a file's bytes to a document, or to a reason why not."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath

from knowledge.ingest.clean import clean, decode
from knowledge.ingest.dates import parse_date
from knowledge.ingest.docx import read_docx
from knowledge.ingest.html import read_html
from knowledge.ingest.limits import Content, Limits, Unreadable
from knowledge.ingest.markdown import read_markdown
from knowledge.ingest.pdf import read_pdf
from knowledge.ingest.types import DocumentRefused, ParsedDocument

__all__ = ["READERS", "Limits", "checksum", "read_document", "safe_name"]

MAX_NAME = 150
FORBIDDEN_IN_NAMES = re.compile(r"[/\\\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
DATE_LINE = re.compile(r"^(?:date|updated|last updated|effective date)\s*:\s*(?P<date>.+)$", re.I)
LINES_BEFORE_DATE = 12
LONGEST_HEADING = 80
SENTENCE_END = re.compile(r"[.!?…](?:\s|$)|[,;:]$")
LIST_MARK = re.compile(r"[-*•]\s")


@dataclass(frozen=True)
class Format:
    """A kind of file: how it is read, and how its content has to begin (nothing: it is text)."""

    media_type: str
    read: Callable[[bytes, Limits], Content]
    magic: bytes = b""
    remedy: str = field(default="Save the file anew and upload it again.")


def read_text(data: bytes, limits: Limits) -> Content:
    text = clean(decode(data))
    return Content(text, title=_heading_line(text))


def _markdown(data: bytes, limits: Limits) -> Content:
    return read_markdown(decode(data))


def _html(data: bytes, limits: Limits) -> Content:
    return read_html(decode(data))


MARKDOWN = Format("text/markdown", _markdown)
HTML = Format("text/html", _html)
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
READERS = {
    ".txt": Format("text/plain", read_text),
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".html": HTML,
    ".htm": HTML,
    ".pdf": Format("application/pdf", read_pdf, b"%PDF-"),
    ".docx": Format(WORD, read_docx, b"PK\x03\x04"),
}


def read_document(name: str, data: bytes, *, limits: Limits = Limits()) -> ParsedDocument:  # noqa: B008 - frozen
    """Read a file into clean text.

    Raises DocumentRefused, and nothing else, with a message that names the file, the reason and the remedy.
    """
    name = safe_name(name)
    kind = _format_of(name)
    try:
        _check_bytes(data, kind, limits)
        content = kind.read(data, limits)
        text = clean(content.text)
        _check_text(text, limits)
    except Unreadable as error:
        raise DocumentRefused(f"“{name}” was refused: {error}") from error
    except Exception as error:  # the parsers raise whatever a damaged file provokes
        reason = (
            f"it is damaged and cannot be read as {kind.media_type} ({type(error).__name__}). {kind.remedy}"
        )
        raise DocumentRefused(f"“{name}” was refused: {reason}") from error
    title = " ".join((content.title or _first_heading(text) or PurePosixPath(name).stem).split())
    return ParsedDocument(name, title[:300], text, kind.media_type, stated_date(text) or content.date)


def checksum(data: bytes) -> str:
    """The SHA-256 of a file's bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def safe_name(name: str) -> str:
    """The file name with blanks tidied. Raises DocumentRefused for one that is a path or hides something."""
    shown = re.sub(r"[^\x20-\x7e\u00a1-\u1fff\u2c00-\ud7ff]", "?", name)[:80]
    if FORBIDDEN_IN_NAMES.search(name):
        raise DocumentRefused(
            f"“{shown}” was refused: its name holds a path or control characters. Rename the file and try again."
        )
    tidy = " ".join(name.split())
    if not tidy.strip(". "):
        raise DocumentRefused(f"“{shown}” was refused: it has no name. Rename the file and try again.")
    if tidy.startswith("."):
        raise DocumentRefused(
            f"“{shown}” was refused: it is a hidden file. Rename it without the leading dot."
        )
    if len(tidy) > MAX_NAME:
        raise DocumentRefused(
            f"“{shown}…” was refused: its name has more than {MAX_NAME} characters. Shorten it."
        )
    return tidy


def _format_of(name: str) -> Format:
    extension = PurePosixPath(name).suffix.lower()
    if extension in READERS:
        return READERS[extension]
    what = f"files of type “{extension}” are not read" if extension else "it has no extension"
    raise DocumentRefused(f"“{name}” was refused: {what}. Accepted are {', '.join(READERS)}.")


def _check_bytes(data: bytes, kind: Format, limits: Limits) -> None:
    if len(data) > limits.max_bytes:
        raise Unreadable(
            f"it has {len(data) / 2**20:.1f} MiB, and {limits.max_bytes / 2**20:.0f} MiB is the limit. Split it."
        )
    if not data.strip():
        raise Unreadable("it is empty.")
    if kind.magic and kind.magic not in data[:1024]:
        raise Unreadable(f"its content is not {kind.media_type}, whatever its name says. Check the file.")
    for extension, other in READERS.items():
        if not kind.magic and other.magic and data.startswith(other.magic):
            raise Unreadable(f"its content is {other.media_type}. Name it with the ending {extension}.")


def _check_text(text: str, limits: Limits) -> None:
    if not re.search(r"\w", text):
        raise Unreadable("there is no text in it. If it is a scan, run text recognition first.")
    if len(text) > limits.max_characters:
        raise Unreadable(
            f"it has {len(text):,} characters of text, and {limits.max_characters:,} is the limit. Split it."
        )


def _first_heading(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first.lstrip("#").strip() if first.startswith("#") else ""


def _heading_line(text: str) -> str:
    """The first line of a plain text if it reads as a heading: short, no sentence, and sentences follow it.

    A text that has no sentence ends at all may state a fact in every line, the first one included.
    """
    first, _, rest = text.partition("\n")
    heading = first.strip("#=*_ ")
    is_heading = (
        re.search(r"[^\W\d_]", heading)
        and len(heading) <= LONGEST_HEADING
        and not SENTENCE_END.search(heading)
        and not LIST_MARK.match(first)
        and not DATE_LINE.match(first)
        and SENTENCE_END.search(rest)
        and not rest[:1].islower()  # a line of prose that was broken by its width
    )
    return heading if is_heading else ""


def stated_date(text: str) -> date | None:
    """The date of a line such as ``Date: 3 May 2024`` near the top; never guessed from prose."""
    for line in text.splitlines()[:LINES_BEFORE_DATE]:
        if match := DATE_LINE.match(line.strip()):
            return parse_date(match["date"])
    return None
