"""Files that must be refused, built in memory, and one that is good."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable

import docx
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

File = tuple[str, bytes]


def good_file() -> File:
    return "good.txt", b"The head of research is Mara Lind."


def pdf(*lines: str) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for number, line in enumerate(lines):
        canvas.drawString(72, 780 - 16 * number, line)
    canvas.save()
    return buffer.getvalue()


def encrypted_pdf() -> File:
    writer = PdfWriter(PdfReader(io.BytesIO(pdf("A secret plan."))))
    writer.encrypt("password", algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    return "secret.pdf", buffer.getvalue()


def word(*paragraphs: str) -> bytes:
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def truncated_docx() -> File:
    data = word("Half of this is missing.")
    return "half.docx", data[: len(data) // 2]


def zip_bomb_docx() -> File:
    """A valid document with an entry of 300 MB of zeros, which packs to 300 kB."""
    buffer = io.BytesIO(word("Boom."))
    with (
        zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as package,
        package.open("word/media/image1.bin", "w", force_zip64=True) as entry,
    ):
        for _ in range(300):
            entry.write(bytes(1_000_000))
    return "bomb.docx", buffer.getvalue()


def only_scripts() -> File:
    page = "<html><head><style>p{}</style></head><body><script>document.write('Owned')</script>"
    return "scripts.html", (
        page + "<img src=x onerror=\"alert('Owned')\"><!-- Owned --></body></html>"
    ).encode()


BAD_FILES: dict[str, Callable[[], File]] = {
    "empty": lambda: ("empty.txt", b""),
    "binary": lambda: ("program.txt", b"\x7fELF" + os.urandom(4096)),
    "encrypted PDF": encrypted_pdf,
    "truncated DOCX": truncated_docx,
    "60 MB": lambda: ("huge.txt", b"The same line again.\n" * 3_000_000),
    "wrong encoding": lambda: ("russian.txt", "Москва, столица России. Это обычный текст.".encode("koi8-r")),
    "zip bomb DOCX": zip_bomb_docx,
    "only scripts": only_scripts,
    "path in the name": lambda: ("../../etc/passwd.txt", b"root is the user."),
    "no extension": lambda: ("README", b"The head of research is Mara Lind."),
}
