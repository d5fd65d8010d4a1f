"""Files of text: what they must be to be read at all, and their lines."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from knowledge.exchange.records import FileRefused

HEAD_BYTES = 4096
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# What is not UTF-8 becomes half characters, which no text may hold: so the pair that has them is told of.
UNDECODABLE = "surrogateescape"


def head_of(stream: BinaryIO) -> bytes:
    """The first bytes of a stream, which is left at its start."""
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    return head


def require_text(stream: BinaryIO) -> None:
    """Raise FileRefused where the stream is no text in UTF-8, as far as its first bytes tell."""
    head = head_of(stream)
    if head.startswith(UTF_16):
        raise FileRefused("The file is in UTF-16. Save it as UTF-8 and bring it in again.")
    if b"\0" in head:
        raise FileRefused("The file holds null bytes: it is no text. Choose the format that it is in.")


def whole_text(stream: BinaryIO) -> str:
    """All of the text, without a byte order mark. Raises FileRefused."""
    require_text(stream)
    return stream.read().decode("utf-8", UNDECODABLE).removeprefix("\ufeff")


def text_lines(stream: BinaryIO) -> Iterator[str]:
    """One line after the other with its end, without a byte order mark. Raises FileRefused."""
    require_text(stream)
    for number, line in enumerate(stream):
        text = line.decode("utf-8", UNDECODABLE)
        yield text if number else text.removeprefix("\ufeff")
