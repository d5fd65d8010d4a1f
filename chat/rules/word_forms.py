"""Words and their base forms, as far as questions and answers are compared by them."""

from __future__ import annotations

import re
from functools import lru_cache

from knowledge.rules.english import parts_of_speech, singular
from knowledge.rules.lexicon import ARTICLES, BE_FORMS, DO_FORMS, HAVE_FORMS, PREPOSITIONS

WORD = re.compile(r"[\w€$£¥][\w'’.,:&/+%-]*\w%?|[\w%]")
QUESTIONWORDS = frozenset({"who", "whom", "whose", "what", "which", "when", "where", "how", "why", "that"})
_EMPTY = QUESTIONWORDS | ARTICLES | BE_FORMS | DO_FORMS | HAVE_FORMS | PREPOSITIONS | {"and", "or", "not"}


def words_of(text: str) -> list[str]:
    """The words of a text, without the "'s" of possessives."""
    return [re.sub(r"['’]s?$", "", word) for word in WORD.findall(text)]


def content_words(text: str) -> list[str]:
    """The words that carry meaning: no articles, prepositions, auxiliaries and question words."""
    return [word for word in words_of(text) if word.lower() not in _EMPTY]


@lru_cache(maxsize=50_000)
def forms(word: str) -> frozenset[str]:
    """All base forms a word may have, so that "leads" and "led" meet in "lead"."""
    lower = re.sub(r"['’]s?$", "", word).lower()
    lemmas = {lemma.lower() for lemmas in parts_of_speech(lower).values() for lemma in lemmas}
    return frozenset({lower, singular(lower), *lemmas})
