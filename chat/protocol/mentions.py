"""The names and numbers of a sentence: an answer that does not repeat those asked about is not trusted.

A small MEMORY rarely fails by saying nothing; it fails by answering about somebody else. An answer in a full
sentence then names the wrong entity, which is the cheapest sign of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from knowledge.rules.english import name_spans
from knowledge.rules.lexicon import NON_PERSON_NAME_WORDS, TITLES

_WORD = re.compile(r"[^\W_]+(?:[.'’&/-][^\W_]+)*")


def names_in(sentence: str) -> tuple[str, ...]:
    """The capitalised names of a sentence, in order."""
    names = (sentence[start:end] for start, end in name_spans(sentence))
    return tuple(dict.fromkeys(re.sub(r"['’]s?$", "", name) for name in names))


def numbers_in(sentence: str) -> tuple[str, ...]:
    """The words of a sentence that contain a digit, in order."""
    return tuple(dict.fromkeys(word for word in _WORD.findall(sentence) if any(c.isdigit() for c in word)))


def missing_mentions(question: str, answer: str, mentions: Iterable[str] = ()) -> tuple[str, ...]:
    """What the answer should have repeated and did not.

    A name counts as repeated when its distinctive words are there: "Atlas" will do for "Project Atlas", but
    "Ryan Wang" will not do for "Aida Wang".
    """
    said = {_stem(word) for word in _WORD.findall(answer)}
    wanted = tuple(mentions) or (*names_in(question), *numbers_in(question))
    return tuple(item for item in wanted if not _distinctive(item) <= said)


def _distinctive(name: str) -> set[str]:
    words = {_stem(word) for word in _WORD.findall(name)}
    return (words - TITLES - NON_PERSON_NAME_WORDS) or words


def _stem(word: str) -> str:
    return re.sub(r"['’]s?$", "", word.casefold())
