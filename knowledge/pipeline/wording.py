"""What two wordings have in common: words, names, numbers and negations. Shared by flags and near-duplicates."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

WORD = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|\w+")


def _set_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


ARTICLES = frozenset({"a", "an", "the"})
NEGATIONS = _set_of(
    """
    no not never none nobody nothing nowhere neither nor without cannot except hardly unless
    """
)
NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ]
    )
}
_NUMERALS = _set_of(
    """
    half twice double triple hundred thousand million billion first second third
    """
)
#: Words that name nothing: they may differ between two wordings, and need no support in a passage.
FUNCTION_WORDS = _set_of(
    """
    a an the and or but if of in on at to for from by with as into about over under than then so
    also it its is are was were be been being am do does did done has have had having can could may
    might must shall should will would who whom whose what which when where why how that this these
    those there here he she they them his her hers their theirs him we us our you your i me my tell
    know say please such any some all each every both
    """
)


@lru_cache(maxsize=20_000)
def words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, with numbers in one spelling and "n't" written out."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").replace("-", " ").replace("–", " ")
    spelled = re.sub(r"\b(ca|wo|sha)?n't\b|n't\b", " not", plain, flags=re.IGNORECASE)
    return tuple(_plain_number(word.casefold().removesuffix("'s")) for word in WORD.findall(spelled))


def _plain_number(word: str) -> str:
    return re.sub(r",(?=\d{3})", "", word) if word[0].isdigit() else word


def normal(text: str) -> tuple[str, ...]:
    """The words without articles: two texts of the same normal form say the same in the same words."""
    return tuple(word for word in words(text) if word not in ARTICLES)


def names_in(texts: Iterable[str]) -> frozenset[str]:
    """Words that occur with a capital letter inside a sentence: names, wherever they occur."""
    found: set[str] = set()
    for text in texts:
        for match in WORD.finditer(text):
            inside = match.start() > 1 and text[match.start() - 2] not in ".?!:"
            if inside and match[0][0].isupper():
                found.add(match[0].casefold().removesuffix("'s").removesuffix("’s"))
    return frozenset(found - FUNCTION_WORDS)


def is_number(word: str) -> bool:
    return word[0].isdigit() or word in NUMBER_WORDS or word in _NUMERALS


def essence(text: str, names: frozenset[str]) -> tuple[str, ...]:
    """The names, numbers and negations of a text in their order: where they differ, the meaning differs."""
    return tuple(word for word in words(text) if word in names or is_number(word) or word in NEGATIONS)


def acronyms(text: str) -> frozenset[str]:
    """Words all in capitals: "US" is not "us"."""
    return frozenset(word for word in WORD.findall(text) if len(word) > 1 and word.isupper())
