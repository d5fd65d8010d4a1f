"""English for rules: sentences, lists, names, dates and inflection in one place.

The rule-based GENERATOR writes with these functions and the rule-based EXECUTIVE reads with them, so both
speak of the same thing in the same words.
"""

from __future__ import annotations

import re

from knowledge.rules.dates import DateExpression, find_dates, is_date, parse_date, years_between
from knowledge.rules.lexicon import ABBREVIATIONS, ARTICLES, DETERMINERS, PRONOUNS
from knowledge.rules.morphology import (
    gerund,
    head_word,
    inflected,
    is_plural,
    lemma,
    ordinal,
    participle,
    parts_of_speech,
    past,
    plural,
    singular,
    third_person,
    verb_lemma,
    verb_readings,
    with_indefinite_article,
)
from knowledge.rules.names import (
    is_person_noun,
    is_place_noun,
    looks_like_organisation,
    looks_like_person_name,
    looks_like_place,
    name_spans,
)

__all__ = [
    "ARTICLES",
    "DETERMINERS",
    "PRONOUNS",
    "DateExpression",
    "capitalise",
    "find_dates",
    "gerund",
    "head_word",
    "inflected",
    "is_date",
    "is_person_noun",
    "is_place_noun",
    "is_plural",
    "join_list",
    "lemma",
    "looks_like_organisation",
    "looks_like_person_name",
    "looks_like_place",
    "name_spans",
    "ordinal",
    "parse_date",
    "participle",
    "parts_of_speech",
    "past",
    "plural",
    "possessive",
    "singular",
    "split_list",
    "split_sentences",
    "strip_article",
    "third_person",
    "verb_lemma",
    "verb_readings",
    "with_indefinite_article",
    "years_between",
]

_BREAK = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s+|$)|\n\s*\n""")
_LAST_WORD = re.compile(r"([\w.’'-]+)\.$")
_NEXT = re.compile(r"""\s*["'“‘(\[*_-]*([A-ZÀ-ÖØ-Þ0-9•]|$)""")
_COMMA = re.compile(r",\s+(?!(?:Jr|Sr|Inc|Ltd|LLC|D\.C|I{2,3}|IV)\b)")
_DATE_COMMA = re.compile(r"(\b(?:[A-Z][a-z]+\.?\s+\d{1,2}|\d{1,2}\s+[A-Z][a-z]+|[A-Z][a-z]+)),(?=\s+\d{4}\b)")
_AND = re.compile(r"\s+(?:and|&)\s+")
_LEADING_AND = re.compile(r"^(?:and|&|as well as)\s+")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Offsets [start, end) of the sentences of a text, without the white space around them.

    Full stops of abbreviations ("Dr."), initials ("J. R. R."), decimals and ordinals do not end a sentence;
    an empty line does.
    """
    spans = []
    start = 0
    for match in _BREAK.finditer(text):
        if match.group().strip() and not _ends_sentence(text, start, match):
            continue
        spans.append((start, match.end()))
        start = match.end()
    spans.append((start, len(text)))
    return [stripped for span in spans if (stripped := _strip(text, *span))]


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    follows = _NEXT.match(text, match.end())
    if not follows:
        return False
    if match.group() != "." or not follows.group(1):
        return True
    last = _LAST_WORD.search(text[start : match.end()])
    word = last.group(1) if last else ""
    is_initial = len(word) == 1 and word.isupper() and word != "I"
    return not is_initial and word.lower() not in ABBREVIATIONS and not re.fullmatch(r"(?:\w\.)+\w", word)


def _strip(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return None
    offset = start + piece.index(stripped)
    return offset, offset + len(stripped)


def join_list(items: list[str] | tuple[str, ...]) -> str:
    """ "A", "A and B", "A, B and C"; items that hold a comma themselves are set off by semicolons."""
    items = list(items)
    if len(items) < 2:
        return "".join(items)
    if any(", " in _DATE_COMMA.sub(r"\1", item) for item in items):
        return "; ".join(items[:-1]) + "; and " + items[-1]
    comma = "," if len(items) > 2 and any(_AND.search(item) for item in items) else ""
    return f"{', '.join(items[:-1])}{comma} and {items[-1]}"


def split_list(text: str, *, plural: bool = True) -> list[str]:
    """The items of an enumeration: "A, B and C", "A, B, and C", "A, B", "A and B", "A; B; and C".

    ``plural`` says whether the sentence speaks of several things ("The owners are ..."). After a singular
    ("The owner is Research and Development") nothing is split: the words are one name.
    """
    text = text.strip().rstrip(".").strip()
    if not plural or not text:
        return [text] if text else []
    text = re.sub(r"^both\s+", "", text)
    if ";" in text:
        parts = re.split(r";\s*", text)
    else:
        parts = [part.replace("\x00", ",") for part in _COMMA.split(_DATE_COMMA.sub("\\1\x00", text))]
    if len(parts) == 1:
        return [
            item.strip() for item in _AND.split(re.sub(r"\s+as well as\s+", " and ", text)) if item.strip()
        ]
    last = parts.pop().strip()
    if _LEADING_AND.match(last):
        parts.append(_LEADING_AND.sub("", last))
    else:
        parts.extend(_split_at_last_and(last))
    return [part.strip() for part in parts if part.strip()]


def _split_at_last_and(text: str) -> list[str]:
    joints = list(_AND.finditer(text))
    return [text[: joints[-1].start()], text[joints[-1].end() :]] if joints else [text]


def strip_article(noun_phrase: str) -> str:
    """The noun phrase without a leading "a", "an" or "the"."""
    first, _, rest = noun_phrase.strip().partition(" ")
    return rest.strip() if rest and first.lower() in ARTICLES else noun_phrase.strip()


def possessive(name: str) -> str:
    """ "Mara Lind's", "the employees'"; a singular name in -s takes "'s" ("Jonas's")."""
    last = name.split()[-1] if name else ""
    common = last.islower() or last in (
        "Workers",
        "Years",
        "Women",
        "Children",
        "Farmers",
        "Teachers",
        "Players",
    )
    is_plural_noun = common and is_plural(name) and name.endswith("s")
    return f"{name}'" if is_plural_noun else f"{name}'s"


def capitalise(sentence: str) -> str:
    """The text with its first letter in upper case and the rest as it is."""
    return sentence[:1].upper() + sentence[1:]
