"""Bytes to text, and text to clean text."""

from __future__ import annotations

import codecs
import re
import unicodedata

from charset_normalizer import from_bytes

from knowledge.ingest.limits import Unreadable

BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
# Western European text is the one legacy encoding that can be told apart safely: in its readings every high byte
# has to be a letter or a typographic mark between letters and blanks.
WESTERN = "cp1252"
LIKELY = re.compile(r"[\w\s\x20-\x7e€‚„…‘’“”•–—«»§°©®ª-¿]+")


def decode(data: bytes) -> str:
    """Text in UTF-8, UTF-16 with a byte-order mark, or plainly Western European. Raises Unreadable otherwise."""
    for mark, encoding in BOMS.items():
        if data.startswith(mark):
            return _strictly(data, encoding)
    if BINARY.search(data):
        raise Unreadable("its content is binary, not text. Check that it is the file you meant.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        text = _western(data)
        if text is None:
            raise Unreadable(
                f"its encoding is unknown (byte {error.start} is not UTF-8). Save it as UTF-8 and try again."
            ) from error
        return text


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeError as error:
        raise Unreadable(f"it is marked as {encoding.upper()} but is not. Save it as UTF-8.") from error


def _western(data: bytes) -> str | None:
    """The text in Windows-1252 where that reading is beyond doubt: mostly ASCII, accents inside words."""
    high = sum(byte >= 0x80 for byte in data)
    if high > 0.15 * len(data) or from_bytes(data).best() is None:
        return None
    try:
        text = data.decode(WESTERN)
    except UnicodeDecodeError:
        return None
    marks = [character for character in text if ord(character) >= 0x80]
    letters = sum(character.isalpha() and character.isprintable() for character in marks)
    words = re.findall(r"[A-Za-zÀ-ÖØ-öø-ÿŒœŠšŽžŸ]+", text)
    odd = [word for word in words if len(word) > 1 and min(word) >= "\x80"]  # no plain letter in it
    return (
        text
        if LIKELY.fullmatch(text) and letters >= len(marks) / 2 and len(odd) <= len(words) / 100
        else None
    )


def clean(text: str) -> str:
    """NFC, plain newlines, no control characters, no blanks at line ends, at most one blank line in a row."""
    text = unicodedata.normalize(
        "NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    )
    text = CONTROL.sub("", text.replace("\t", " ").replace("\xa0", " ").replace("\xad", ""))
    lines = [re.sub(r" {2,}", " ", line).rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
