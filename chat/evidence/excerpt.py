"""A marked span of a text with what stands around it."""

from __future__ import annotations

from knowledge.highlight import Stretch, stretches

AROUND = 160  # letters shown on either side of a marked span, at most


def excerpt(text: str, start: int, end: int) -> list[Stretch]:
    """The span with what stands around it in its paragraph, cut at blanks; dots say that the paragraph goes on."""
    paragraph = text.rfind("\n\n", 0, start) + 2 if "\n\n" in text[:start] else 0
    its_end = text.find("\n\n", end) if "\n\n" in text[end:] else len(text)
    first = (
        _after_blank(text, max(paragraph, start - AROUND), start) if start - paragraph > AROUND else paragraph
    )
    last = _before_blank(text, end, min(its_end, end + AROUND)) if its_end - end > AROUND else its_end
    pieces = stretches(text[first:last], [(start - first, end - first)])
    dots_before = [Stretch("… ", False)] if first > paragraph else []
    dots_after = [Stretch(" …", False)] if last < its_end else []
    return [*dots_before, *pieces, *dots_after]


def _after_blank(text: str, first: int, last: int) -> int:
    blank = text.find(" ", first, last)
    return blank + 1 if blank >= 0 else first


def _before_blank(text: str, first: int, last: int) -> int:
    blank = text.rfind(" ", first, last)
    return blank if blank >= 0 else last
