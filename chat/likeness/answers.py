"""Whether an answer says what a corrected one says.

Somebody is told "memory knows it now" on the strength of this, so it would rather miss a reworded answer than take
another one for the same.
"""

from __future__ import annotations

import re

from chat.protocol.mentions import names_in, numbers_in
from chat.protocol.voting import added, content_words

_DENIAL = re.compile(r"\b(?:not|no|never|nobody|none|neither|nor|without|cannot)\b|n['’]t\b")


_CITATION = re.compile(r"\s*\[\d{1,3}(?:\s*,\s*\d{1,3})*\]")


def uncited(answer: str) -> str:
    """The answer without its citations of sub-queries: [1], [2, 3]."""
    return _CITATION.sub("", answer)


def says_the_same(question: str, answer: str, expected: str) -> bool:
    """True if ``answer`` holds all that ``expected`` adds to the question, and no other name or number.

    "Bo Marsh leads it." says the same as "Bo Marsh" and as "The lead is Bo Marsh."; "Ada Lund and Bo Marsh" does
    not, nor does "Bo Marsh does not lead it." Citations say nothing.
    """
    answer, expected = uncited(answer), uncited(expected)
    if not added(question, expected) <= content_words(answer):
        return False
    if _denies(answer) != _denies(expected):
        return False
    known = content_words(f"{question} {expected}")
    further = " ".join((*names_in(answer), *numbers_in(answer)))
    return content_words(further) <= known


def _denies(text: str) -> bool:
    return bool(_DENIAL.search(text.casefold()))
