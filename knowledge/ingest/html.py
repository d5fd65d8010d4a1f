"""HTML to text in the same convention: headings as ``#`` lines, list items as ``- `` lines, rows as ``a | b``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import html as lxml_html

from knowledge.ingest.dates import parse_date
from knowledge.ingest.limits import Content, Unreadable

DROPPED = "//script|//style|//noscript|//template|//svg|//iframe|//object|//form//select|//nav|//head"
HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
BLOCKS = {*HEADINGS, "p", "li", "tr", "blockquote", "pre", "dt", "dd", "figcaption", "caption"}
CONTAINERS = {
    "div",
    "section",
    "article",
    "main",
    "header",
    "footer",
    "aside",
    "ul",
    "ol",
    "dl",
    "table",
    "body",
}
BREAK = "\n\n"


def read_html(source: str) -> Content:
    """The visible text of a page. Scripts, styles, comments and attributes never reach it."""
    source = re.sub(
        r"\A\s*<\?xml[^>]*\?>", "", source
    )  # lxml refuses an encoding declaration in decoded text
    parser = lxml_html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True)
    try:
        page = lxml_html.document_fromstring(source, parser=parser)
    except (lxml_html.etree.ParserError, ValueError) as error:
        raise Unreadable("there is no text in it.") from error
    title = (page.findtext(".//title") or "").strip()
    stamp = page.xpath("string(//meta[@name='date' or @property='article:published_time']/@content)")
    for element in page.xpath(DROPPED):
        element.drop_tree()
    text = re.sub(
        r"(?<=^- )\s+|\n{3,}", lambda match: BREAK if "\n" in match[0] else "", "".join(_text(page))
    )
    return Content(text, title, parse_date(str(stamp)[:10]) if stamp else None)


def _text(element: lxml_html.HtmlElement) -> Iterator[str]:
    tag = element.tag if isinstance(element.tag, str) else ""
    if tag in BLOCKS or tag in CONTAINERS:
        yield "\n" if tag in ("li", "tr") else BREAK
    yield HEADINGS.get(tag, "- " if tag == "li" else "")
    if tag == "tr":
        yield " | ".join(" ".join(cell.text_content().split()) for cell in element)
    else:
        yield _tidy(element.text)
        for child in element:
            yield "\n" if child.tag == "br" else ""
            yield from _text(child)
            yield _tidy(child.tail)
    if tag in BLOCKS or tag in CONTAINERS:
        yield "\n" if tag in ("li", "tr") else BREAK


def _tidy(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "")
