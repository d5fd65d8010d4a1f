"""DOCX to text through python-docx, after a look at what the package would unpack to."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date

import docx
from docx.document import Document as DocxDocument
from docx.table import Table
from docx.text.paragraph import Paragraph

from knowledge.ingest.limits import Content, Limits, Unreadable

CHUNK = 1024 * 1024


def read_docx(data: bytes, limits: Limits) -> Content:
    """The text of a Word document: headings as ``#`` lines, list items as ``- `` lines, rows as ``a | b``."""
    _check_package(data, limits)
    document = docx.Document(io.BytesIO(data))
    properties = document.core_properties
    stamp = properties.modified or properties.created
    return Content("\n".join(_lines(document)), properties.title or "", _written_on(stamp))


def _written_on(stamp: object) -> date | None:
    """The day a document was last saved, unless it is the library's template that says so."""
    day = getattr(stamp, "date", lambda: None)()
    return day if day and day.year > 2013 else None


def _check_package(data: bytes, limits: Limits) -> None:
    """Refuse what is no package or unpacks to more than it may; sizes are measured, not believed."""
    try:
        package = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        raise Unreadable("the DOCX is damaged or cut short. Save it again in Word and upload it.") from error
    with package:
        entries = package.infolist()
        if len(entries) > limits.max_entries:
            raise Unreadable(
                f"it packs {len(entries):,} files, more than a document needs. Check where it is from."
            )
        if "word/document.xml" not in package.namelist():
            raise Unreadable("it is a ZIP archive but no Word document. Upload the files in it one by one.")
        left = limits.max_unpacked_bytes
        for entry in entries:
            if entry.file_size > left:
                raise _bomb(limits)
            with package.open(entry) as file:
                while block := file.read(CHUNK):
                    left -= len(block)
                    if left < 0:
                        raise _bomb(limits)


def _bomb(limits: Limits) -> Unreadable:
    return Unreadable(
        f"it would unpack to more than {limits.max_unpacked_bytes / 2**20:.0f} MiB (a “zip bomb”?). "
        "Check where it comes from."
    )


def _lines(document: DocxDocument) -> Iterator[str]:
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield ""
            yield from _rows(block)
            yield ""
        else:
            yield from _paragraph(block)


def _paragraph(paragraph: Paragraph) -> Iterator[str]:
    style = (paragraph.style.name or "") if paragraph.style else ""
    if style == "Title":
        yield f"# {paragraph.text}"
    elif style.startswith("Heading"):
        level = style.removeprefix("Heading").strip()
        yield f"\n{'#' * min(6, int(level) if level.isdigit() else 1)} {paragraph.text}"
    elif style.startswith("List"):
        yield f"- {paragraph.text}"
        return
    else:
        yield paragraph.text
    yield ""


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        yield " | ".join(" ".join(cell.text.split()) for cell in row.cells)
