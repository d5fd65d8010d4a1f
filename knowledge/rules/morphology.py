"""Inflection of verbs and nouns, through lemminflect and inflect."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import lemminflect
import typeguard

from knowledge.rules.lexicon import DEGREE_ADVERBS, PREPOSITIONS

if TYPE_CHECKING:
    import inflect


def _inflect_engine() -> inflect.engine:
    """Inflect without its checks of types at run time.

    Typeguard compiles inflect anew for them whenever it is imported: more than a second of every start of a
    process, and several times the time of each call.
    """
    checked, typeguard.typechecked = typeguard.typechecked, lambda function: function  # type: ignore
    try:
        import inflect
    finally:
        typeguard.typechecked = checked
    return inflect.engine()


_ENGINE = _inflect_engine()
_MODERN_FORMS = {
    ("be", "VBD"): ("was", "were"),
    ("lie", "VBN"): ("lain",),
    ("get", "VBN"): ("got", "gotten"),
    ("light", "VBN"): ("lit", "lighted"),
    ("quit", "VBN"): ("quit",),
    ("program", "VBD"): ("programmed",),
    ("program", "VBN"): ("programmed",),
    ("bear", "VBN"): ("born", "borne"),
}
Tag = str


@lru_cache(maxsize=50_000)
def parts_of_speech(word: str) -> dict[str, tuple[str, ...]]:
    """The parts of speech a word form can be, each with its lemmas: ``{"VERB": ("find", "found")}``.

    A hyphenated word that the dictionary does not know is looked up by its last part ("co-founded").
    """
    word = word.lower().replace("’", "'")
    known = lemminflect.getAllLemmas(word)
    prefix, hyphen, last = word.rpartition("-")
    if not known and hyphen and last:
        return {
            tag: tuple(f"{prefix}-{lemma}" for lemma in lemmas)
            for tag, lemmas in parts_of_speech(last).items()
        }
    return {tag: tuple(lemmas) for tag, lemmas in known.items()}


@lru_cache(maxsize=50_000)
def inflected(lemma: str, tag: Tag) -> tuple[str, ...]:
    """All forms of a lemma for a Penn tag (VBD, VBN, VBZ, VBG, VB, NNS), the regular one where unknown."""
    if (lemma, tag) in _MODERN_FORMS:
        return _MODERN_FORMS[lemma, tag]
    prefix, hyphen, last = lemma.rpartition("-")
    if hyphen and tag.startswith("V"):
        return tuple(f"{prefix}-{form}" for form in inflected(last, tag))
    return tuple(lemminflect.getInflection(lemma, tag)) or (lemma,)


@lru_cache(maxsize=50_000)
def verb_readings(word: str) -> tuple[tuple[str, Tag], ...]:
    """Every (lemma, Penn tag) a form can be as a verb: "found" is (find, VBD), (find, VBN), (found, VB)."""
    word = word.lower()
    readings = [
        (lemma, tag)
        for lemma in parts_of_speech(word).get("VERB", ())
        for tag in ("VBD", "VBN", "VBZ", "VBG", "VB")
        if word in inflected(lemma, tag)
    ]
    # The dictionary's first lemma of a past form is the irregular one ("saw" is "see" before "saw").
    return tuple(dict.fromkeys(readings))


def verb_lemma(word: str) -> str:
    """The base form of a verb in any form: "led" gives "lead". An unknown word comes back as it is."""
    readings = verb_readings(word)
    return readings[0][0] if readings else word.lower()


def lemma(word: str, part_of_speech: str = "VERB") -> str:
    """The base form of a word as VERB, NOUN, ADJ or ADV."""
    return (
        verb_lemma(word)
        if part_of_speech == "VERB"
        else parts_of_speech(word).get(part_of_speech, (word,))[0]
    )


def past(verb: str) -> str:
    """The simple past of a base form: "lead" gives "led"."""
    return inflected(verb, "VBD")[0]


def participle(verb: str) -> str:
    """The past participle of a base form: "write" gives "written"."""
    return inflected(verb, "VBN")[0]


def third_person(verb: str) -> str:
    """The third person singular of the present: "have" gives "has"."""
    return inflected(verb, "VBZ")[0]


def gerund(verb: str) -> str:
    """The -ing form of a base form: "lead" gives "leading"."""
    return inflected(verb, "VBG")[0]


def head_word(noun_phrase: str) -> str:
    """The word a noun phrase is built on: "head" of "the head of research", "budget" of "annual budget"."""
    words = noun_phrase.split()
    for position, word in enumerate(words):
        if position and word.lower() in PREPOSITIONS and words[position - 1].lower() not in DEGREE_ADVERBS:
            return words[position - 1]
    return words[-1] if words else ""


def _on_head(noun_phrase: str, change: dict[str, str]) -> str:
    head = head_word(noun_phrase)
    return " ".join(change.get(word, word) if word == head else word for word in noun_phrase.split())


@cache
def plural(noun_phrase: str) -> str:
    """The plural of a singular noun phrase, on its head: "head of research" gives "heads of research"."""
    head = head_word(noun_phrase)
    return _on_head(noun_phrase, {head: str(_ENGINE.plural_noun(head))}) if head else noun_phrase


@cache
def singular(noun_phrase: str) -> str:
    """The singular of a noun phrase, on its head; a singular comes back as it is: "people" gives "person"."""
    head = head_word(noun_phrase)
    return _on_head(noun_phrase, {head: _singular_word(head)}) if head else noun_phrase


def _singular_word(noun: str) -> str:
    if noun.lower() == "people":
        return "person"
    first, hyphen, rest = noun.partition("-")
    if hyphen and rest.split("-")[0] in PREPOSITIONS:  # fathers-in-law
        return f"{_singular_word(first)}-{rest}"
    lemmas = parts_of_speech(noun).get("NOUN", ())
    if noun.lower() in lemmas:
        return noun
    if lemmas:
        return lemmas[0] if noun.islower() else lemmas[0].capitalize()
    return str(_ENGINE.singular_noun(noun) or noun) if len(noun) > 3 and not noun.endswith("ss") else noun


@cache
def is_plural(noun_phrase: str) -> bool:
    """True if the head is a plural form: "sisters", "heads of research", "people"."""
    head = head_word(noun_phrase)
    return _singular_word(head).lower() != head.lower()


def with_indefinite_article(noun_phrase: str) -> str:
    """ "a" or "an" before a singular noun phrase, by sound: "an hour", "a unit"."""
    return str(_ENGINE.a(noun_phrase))


def ordinal(number: int) -> str:
    """ "1st", "2nd", "3rd"."""
    return str(_ENGINE.ordinal(number))  # type: ignore[arg-type]
