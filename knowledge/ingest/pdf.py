"""PDF to text through pypdf, with wrapped lines joined into paragraphs."""

from __future__ import annotations

import io
import re

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from knowledge.ingest.limits import Content, Limits, Unreadable

HYPHENATED = re.compile(r"(?<=[a-zà-ÿ])-\n(?=[a-zà-ÿ])")
SENTENCE_END = (".", "!", "?", ":", ";")


def read_pdf(data: bytes, limits: Limits) -> Content:
    """The text of a PDF. Raises Unreadable for one that is encrypted, damaged, or too long."""
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
    except (PyPdfError, ValueError, KeyError, TypeError, OSError) as error:
        raise Unreadable("the PDF is damaged. Export it again from the program that made it.") from error
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("the PDF is encrypted. Remove its password and upload it again.")
    if len(reader.pages) > limits.max_pages:
        raise Unreadable(
            f"it has {len(reader.pages):,} pages, and {limits.max_pages:,} is the limit. Split it."
        )
    pages: list[str] = []
    length = 0
    for page in reader.pages:
        pages.append(page.extract_text())
        length += len(pages[-1])
        if length > limits.max_characters:
            break
    information = reader.metadata
    return Content(unwrapped("\n\n".join(pages)), str((information and information.title) or ""))


def unwrapped(text: str) -> str:
    """Join lines that only the page's width has broken: a line that nearly fills it goes on in the next one."""
    lines = [line.strip() for line in HYPHENATED.sub("", text).split("\n")]
    width = max((len(line) for line in lines), default=0)
    joined = ""
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        full = len(line) + len(following.split(" ", 1)[0]) + 1 >= 0.85 * width
        goes_on = bool(line) and bool(following) and full and not line.endswith(SENTENCE_END)
        starts_inside = bool(following) and following[0].islower()
        sentence_goes_on = bool(line) and full and bool(following)
        joined += line + (" " if goes_on or starts_inside or sentence_goes_on else "\n")
    return joined
