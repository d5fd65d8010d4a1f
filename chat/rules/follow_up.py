"""Questions that lean on the conversation: made self-contained, or answered without MEMORY."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chat.protocol.executive import Synthesis
from chat.protocol.mentions import names_in
from chat.protocol.state import PastTurn
from chat.rules.intake import questions_in
from knowledge.rules.english import capitalise, looks_like_person_name, possessive

_PERSON, _PERSONS = re.compile(r"\b(?:he|she|him)\b", re.I), re.compile(r"\b(?:his|hers)\b", re.I)
_HER = re.compile(r"\bher\b(?=(?P<owned> [a-z])?)", re.I)
_IT, _ITS = re.compile(r"\bit\b", re.I), re.compile(r"\bits\b", re.I)
_THEY, _THEIR = re.compile(r"\b(?:they|them)\b", re.I), re.compile(r"\btheirs?\b", re.I)
_OTHER = re.compile(
    r"^(?i:and |but |so )?(?i:what|how) about (?P<name>.+?)[?.! ]*$|^(?i:and) (?P<also>[A-Z].*?)[?.! ]*$"
)
_LEADING = re.compile(r"^(?:and|but|so|then|also)[ ,]+", re.I)
_GREETING = re.compile(
    r"^(?:hi|hello|hey|good (?:morning|afternoon|evening)|thanks?(?: you)?(?: very much| a lot)?|ok(?:ay)?|great)"
    r"(?: there| all| everybody)?[ .!,]*$",
    re.I,
)
_THANKS = re.compile(r"^(?:thank|ok|great)", re.I)
_REPEAT = re.compile(
    r"^(?:please )?(?:(?:can|could|would) you )?(?:please )?(?:summari[sz]e|repeat|shorten|say again)\b"
    r".*\b(?:answers?|that|it|this|conversation|above|so far)\b[ .!?]*$"
    r"|^(?:what did you (?:just )?say|say (?:that|it) again)[ .!?]*$",
    re.I,
)
_WHOLE = re.compile(r"\b(?:answers|conversation|so far|everything)\b", re.I)
_FIRST_SENTENCE = re.compile(r"^.+?[.!?](?=\s|$)", re.S)


def reply_without_memory(text: str, history: Sequence[PastTurn]) -> Synthesis | None:
    """The reply to a greeting, or to "summarise your last answer"; None for what MEMORY has to be asked."""
    text = " ".join(text.split())
    if _GREETING.match(text):
        said = "You are welcome." if _THANKS.match(text) else "Hello."
        return Synthesis(f"{said} Ask me what the documents of this corpus tell.", from_memory=False)
    if not _REPEAT.match(text):
        return None
    if not history:
        return Synthesis(
            "There is no answer yet that could be summed up. Ask a question first.", from_memory=False
        )
    told = history if _WHOLE.search(text) else history[-1:]
    lines = [_in_short(turn) for turn in told]
    return Synthesis(
        lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines), from_memory=False
    )


def _in_short(turn: PastTurn) -> str:
    """The first sentence of an answer, without its references."""
    plain = re.sub(r" ?\[\d+\]", "", turn.answer).strip()
    first = _FIRST_SENTENCE.match(plain)
    return first[0] if first else plain


def self_contained(text: str, history: Sequence[PastTurn]) -> str:
    """The question with the names that its pronouns stand for, taken from the turns before; else as it is.

    "Where does she live?" after "Who leads Atlas?" asks where the person lives that the answer named; "What about
    Ola Berg?" asks the last question anew, of Ola Berg.
    """
    text = " ".join(text.split())
    last = history[-1] if history else None
    if last is None:
        return text
    if (other := _OTHER.match(text)) and (
        swapped := _asked_of(last.question, other["name"] or other["also"])
    ):
        return swapped
    if _names_somebody(text):
        return text
    referred = _referred_to(history)
    named = _with_person(text, referred.get("person"))
    named = _with_thing(named, referred.get("thing") or referred.get("person"))
    return capitalise(_LEADING.sub("", named)) if named != text else text


def _names_somebody(text: str) -> bool:
    """Whether the pronouns of the message can stand for what it names itself."""
    return any(names_in(question) for question in questions_in(text))


def _asked_of(question: str, name: str) -> str:
    """The question with its only name exchanged for another, bare one; empty where that cannot be."""
    named = names_in(question)
    fresh = names_in(f"It is {name}")
    if len(named) != 1 or len(fresh) != 1 or fresh[0] != re.sub(r"^the ", "", name, flags=re.I):
        return ""
    return question.replace(named[0], fresh[0])


def _referred_to(history: Sequence[PastTurn]) -> dict[str, str]:
    """The person and the thing that were spoken of last: among the answer's items, else the only person in the
    answer, else in the question.
    """
    found: dict[str, str] = {}
    for turn in reversed(history):
        values = [value for value in turn.values if names_in(f"It is {value}")]
        if len(values) == 1:
            found.setdefault(_kind(values[0]), values[0])
        people = (
            [name for name in names_in(turn.answer) if looks_like_person_name(name)] if turn.known else []
        )
        if len(people) == 1:
            found.setdefault("person", people[0])
        named = names_in(turn.question)
        if len(named) == 1:
            found.setdefault(_kind(named[0]), named[0])
    return found


def _kind(name: str) -> str:
    return "person" if looks_like_person_name(name) else "thing"


def _with_person(text: str, name: str | None) -> str:
    if not name:
        return text
    text = _PERSON.sub(lambda _: name, text)
    text = _PERSONS.sub(lambda _: possessive(name), text)
    return _HER.sub(lambda match: possessive(name) if match["owned"] else name, text)


def _with_thing(text: str, name: str | None) -> str:
    if not name:
        return text
    for pronoun, owner in ((_ITS, True), (_THEIR, True), (_IT, False), (_THEY, False)):
        text = pronoun.sub(lambda _, owner=owner: possessive(name) if owner else name, text, count=1)  # type: ignore[misc]
    return text
