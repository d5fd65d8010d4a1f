"""From what a person typed to the plain questions in it."""

from __future__ import annotations

import re
from functools import lru_cache

from chat.protocol.mentions import names_in
from chat.rules.frames import parse_question
from chat.rules.phrases import NounPhrase
from chat.rules.wordings import NAMING_NOUNS
from knowledge.rules.english import (
    capitalise,
    is_person_noun,
    is_plural,
    looks_like_person_name,
    possessive,
    split_sentences,
)

_GREETING = (
    r"(?:(?:hi|hello|hey)(?: there| all)?|good (?:morning|afternoon|evening)|excuse me|thanks|thank you)"
)
_POLITE = re.compile(
    rf"^(?:{_GREETING}\b[ ,!.:-]*|please[ ,]+|ok(?:ay)?[ ,]+|so[ ,]+|"
    r"(?:and|but) (?=(?:who|what|which|when|where|how)\b)|"
    r"(?:can|could|would|will) (?:you|someone|anyone) (?:please )?(?:tell|show|give|remind|let) (?:me|us)"
    r"(?: know)?(?: about)?[ ,:]+|"
    r"(?:please )?(?:tell|show|give|remind|let) (?:me|us)(?: know)? ?[,:]?(?= )|"
    r"(?:do|does|did|would) (?:you|anyone|anybody) (?:happen to )?know[ ,:]+|"
    r"i(?: would|'d|’d)? (?:really )?(?:like|want|need|love|have) to know[ ,:]+|"
    r"i(?: am|'m|’m)? (?:was )?wonder(?:ing)?[ ,:]+|i don['’]t know[ ,:]+|say[ ,:]+)\s*",
    re.IGNORECASE,
)
_WH = re.compile(r"\b(?:who|whom|whose|what|which|when|where|why|how)\b", re.IGNORECASE)
_TRAILING = re.compile(r"[\s?!.,;:]*(?:\b(?:please|thanks|thank you)\b[\s?!.,;:]*)?$", re.IGNORECASE)
_CONTRACTED = re.compile(r"^((?:\w+ )?(?:who|what|where|when|how))['’]s\b", re.IGNORECASE)
_LIST = re.compile(
    r"^(?:(?:name|list|give|state|enumerate|identify|find|show)\s+)?(?:me\s+)?(?:all\s+(?:of\s+)?)?",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(?:he|she|it|they|him|them)\b", re.IGNORECASE)
_POSSESSIVE = re.compile(r"\b(?:his|her|its|their)\b", re.IGNORECASE)
_SEVERAL_WH = re.compile(
    r"^(?P<one>who|what|when|where|why|how)(?P<be> (?:is|are|was|were|did|does|do))?,? and "
    r"(?P<other>who|what|when|where|why|how)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=1024)
def questions_in(text: str) -> tuple[str, ...]:
    """The questions of a message, plainly put and without question marks.

    Polite openings go, commands become questions ("List the members of X"), "when and where" becomes two
    questions. Of several sentences the last question counts; what it calls "she" or "it" is the one name
    that the sentences before it mention.
    """
    text = " ".join(text.split())
    asked = _last_question(text)
    context = text.removesuffix(asked)
    return tuple(_with_name(_as_question(part), context) for part in _conjoined(_plain(asked)))


def _with_name(question: str, context: str) -> str:
    names = names_in(context)
    if len(names) != 1:
        return question
    named = _PRONOUN.sub(lambda match: names[0], question, count=1)
    return _POSSESSIVE.sub(lambda match: possessive(names[0]), named, count=1)


def _last_question(text: str) -> str:
    sentences = [text[start:end] for start, end in split_sentences(text)]
    asked = [sentence for sentence in sentences if sentence.endswith("?") or _WH.match(_plain(sentence))]
    return (asked or sentences or [text])[-1]


def _plain(text: str) -> str:
    text = _TRAILING.sub("", text).strip()
    while (shorter := _POLITE.sub("", text, count=1).strip()) != text and shorter:
        text = shorter
    return _CONTRACTED.sub(r"\1 is", text)


def _conjoined(text: str) -> list[str]:
    """ "When and where was X born" as two questions."""
    match = _SEVERAL_WH.match(text)
    if not match or "who" in (match["one"].lower(), match["other"].lower()):
        return [text]
    rest = f"{match['be'] or ''}{text[match.end() :]}"
    return [f"{match['one']}{rest}", f"{match['other']}{rest}"]


def _as_question(text: str) -> str:
    """A command or a bare phrase as a question: "List the members of X", "the manager of X"."""
    if _WH.match(text):
        return capitalise(text)
    phrase = _LIST.sub("", text)
    about = re.match(r"about (.+)$", phrase)
    if about:
        return f"{'Who' if looks_like_person_name(about[1]) else 'What'} is {about[1]}"
    subject = parse_question(f"What is {phrase}").subject
    if subject is None:
        return capitalise(text)
    be = "are" if is_plural(subject.noun) else "is"
    return f"{_who(subject)} {be} {_with_article(phrase, subject)}"


def _who(subject: NounPhrase) -> str:
    asked_for = subject.genitive if subject.noun in NAMING_NOUNS and subject.genitive else subject
    is_person = is_person_noun(asked_for.noun) or looks_like_person_name(asked_for.noun)
    return "Who" if is_person else "What"


def _with_article(phrase: str, subject: NounPhrase) -> str:
    needs_one = subject.is_description and not subject.determiner and phrase.startswith(subject.noun)
    return f"the {phrase}" if needs_one else phrase
