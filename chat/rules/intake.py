"""From what a person typed to the plain questions in it."""

from __future__ import annotations

import re

from chat.rules.frames import parse_question
from knowledge.rules.english import capitalise, is_person_noun, is_plural, split_sentences

_GREETING = r"(?:hi|hello|hey|good (?:morning|afternoon|evening)|dear \w+|excuse me|thanks|thank you)"
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
    r"^(?:name|list|give|state|enumerate|identify|find|show)\s+(?:me\s+)?(?:all\s+(?:of\s+)?)?", re.IGNORECASE
)
_SEVERAL_WH = re.compile(
    r"^(?P<one>who|what|when|where|why|how)(?P<be> (?:is|are|was|were|did|does|do))?,? and "
    r"(?P<other>who|what|when|where|why|how)\b",
    re.IGNORECASE,
)


def questions_in(text: str) -> tuple[str, ...]:
    """The questions of a message, plainly put and without question marks.

    Polite openings go, commands become questions ("List the members of X"), "when and where" becomes two
    questions. Of several sentences the last question counts.
    """
    plain = _plain(_last_question(" ".join(text.split())))
    return tuple(_as_question(part) for part in _conjoined(plain))


def context_of(text: str) -> str:
    """What a message says before its question; empty for a single sentence."""
    text = " ".join(text.split())
    return text.removesuffix(_last_question(text)).strip()


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
    if not match:
        return [text]
    rest = f"{match['be'] or ''}{text[match.end() :]}"
    return [f"{match['one']}{rest}", f"{match['other']}{rest}"]


def _as_question(text: str) -> str:
    """A command or a bare phrase as a question: "List the members of X", "the manager of X"."""
    phrase = _LIST.sub("", text) if not _WH.match(text) else text
    question = parse_question(phrase)
    if _WH.search(phrase) and (question.wh or phrase == text):
        return capitalise(phrase)
    if _is_noun_phrase(phrase):
        return capitalise(
            f"{_who(phrase)} {'are' if is_plural(_head(phrase)) else 'is'} {_with_article(phrase)}"
        )
    return capitalise(text)


def _is_noun_phrase(text: str) -> bool:
    return parse_question(f"What is {text}").kind == "identity"


def _head(phrase: str) -> str:
    subject = parse_question(f"What is {phrase}").subject
    return subject.noun if subject else phrase


def _who(phrase: str) -> str:
    subject = parse_question(f"What is {phrase}").subject
    noun = subject.noun if subject else ""
    if noun in ("name", "names") and subject and subject.genitive:
        noun = subject.genitive.noun
    return "Who" if is_person_noun(noun) else "What"


def _with_article(phrase: str) -> str:
    starts_low = phrase[:1].islower() and not re.match(
        r"(?:the|a|an|all|any|his|her|its|their|our|my)\b", phrase
    )
    return f"the {phrase}" if starts_low else phrase
