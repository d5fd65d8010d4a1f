"""Markdown to text that keeps headings and list items as lines and drops the rest of the markup."""

from __future__ import annotations

import re

from knowledge.ingest.dates import parse_date
from knowledge.ingest.limits import Content

FRONT_MATTER = re.compile(r"\A---\n(?P<fields>.*?)\n---\n", re.S)
COMMENT = re.compile(r"<!--.*?-->", re.S)
FENCE = re.compile(r"^(?:```|~~~).*$", re.M)
IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)|<(https?://[^>]+)>")
EMPHASIS = re.compile(r"(?<!\w)(\*\*\*|\*\*|\*|___|__|_|`)(?=\S)(.+?)(?<=\S)\1(?!\w)")
UNDERLINED = re.compile(r"^(?P<heading>[^\n#>\-|]+)\n(?:(?P<first>=+)|-{3,})[ ]*$", re.M)
TABLE_RULE = re.compile(r"^\s*\|?(?:\s*:?-{3,}:?\s*\|)+(?:\s*:?-{3,}:?\s*)?$\n?", re.M)
ITEM = re.compile(r"^(\s*)[*+](?=\s)", re.M)


def read_markdown(source: str) -> Content:
    """The text of a Markdown file; a title or date in its front matter is used."""
    source = source.replace("\r\n", "\n").lstrip("\ufeff")
    fields: dict[str, str] = {}
    if match := FRONT_MATTER.match(source):
        lines = (line.partition(":") for line in match["fields"].splitlines())
        fields = {name.strip().lower(): value.strip().strip("\"'") for name, _, value in lines if value}
        source = source[match.end() :]
    day = parse_date(fields["date"]) if "date" in fields else None
    return Content(plain(source), fields.get("title", ""), day)


def plain(source: str) -> str:
    """Markdown without emphasis, links, code fences, comments and table rules."""
    text = COMMENT.sub("", source)
    text = UNDERLINED.sub(lambda match: ("# " if match["first"] else "## ") + match["heading"].strip(), text)
    text = FENCE.sub("", TABLE_RULE.sub("", text))
    text = LINK.sub(lambda match: match[1] or match[2], IMAGE.sub(r"\1", text))
    text = EMPHASIS.sub(r"\2", EMPHASIS.sub(r"\2", text))
    return ITEM.sub(r"\1-", re.sub(r"^(#{1,6}[^\n]*?)[ \t]*#*$", r"\1", text, flags=re.M))
