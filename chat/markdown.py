"""Answers, which are Markdown, as HTML that is safe to show, each citation a link to its sub-query."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

_CITATION = re.compile(r"\[(\d{1,4})\]")
#: The answer stands below a question, which is a heading of the second level.
_LEVELS_DOWN = 2
#: No pictures: an address that a model wrote could carry what memory said to somebody else's server.
_TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "a"),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "h3", "h4", "h5", "h6"),
}
_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


def as_html(text: str, anchor: Callable[[int], str], indexes: Collection[int] = ()) -> SafeString:
    """The HTML of an answer. ``[1]`` becomes a link to ``anchor(1)`` where 1 is one of ``indexes``."""
    tokens = _markdown.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + _LEVELS_DOWN)}"
        if token.children:
            token.children = list(_with_citations(token.children, anchor, indexes))
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        allowed_classes={"a": {"cite"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
    return mark_safe(clean.strip())  # noqa: S308 - nh3 has cleaned it


def _with_citations(
    tokens: Sequence[Token], anchor: Callable[[int], str], indexes: Collection[int]
) -> Iterator[Token]:
    depth = 0  # a link inside a link would be none
    for token in tokens:
        depth += (token.type == "link_open") - (token.type == "link_close")
        if token.type != "text" or depth:
            yield token
            continue
        start = 0
        for match in _CITATION.finditer(token.content):
            if int(match[1]) not in indexes:
                continue
            yield _text(token.content[start : match.start()])
            yield Token("link_open", "a", 1, attrs={"href": anchor(int(match[1])), "class": "cite"})
            yield _text(match[0])
            yield Token("link_close", "a", -1)
            start = match.end()
        yield _text(token.content[start:])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
