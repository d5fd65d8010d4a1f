"""The names and numbers of a sentence: an answer that does not repeat those asked about is not trusted.

A small MEMORY rarely fails by saying nothing; it fails by answering about somebody else. An answer in a full
sentence then names the wrong entity, which is the cheapest sign of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from knowledge.rules.english import name_spans, singular
from knowledge.rules.lexicon import NON_PERSON_NAME_WORDS, TITLES

#: What two have of each other.
MUTUAL = frozenset(
    {"friend", "sibling", "spouse", "colleague", "neighbour", "partner", "cousin", "twin", "relative"}
)
_IS = "(?:is|are|was|were)"
#: How one is asked for what another does or is to somebody, and how that is said.
_WAYS = (
    (
        re.compile(rf"who {_IS} the (?P<deed>[\w -]+?) of (?P<whom>.+?)\?*$", re.I),
        re.compile(rf"the (?P<deed>[\w -]+?) of (?P<whom>.+?) {_IS} (?P<who>.+?)\.?$", re.I),
    ),
    (
        re.compile(rf"who {_IS} the (?P<deed>[\w -]+?) of (?P<whom>.+?)\?*$", re.I),
        re.compile(rf"(?P<who>.+?) {_IS} the (?P<deed>[\w -]+?) of (?P<whom>.+?)\.?$", re.I),
    ),
    (
        re.compile(r"who (?P<deed>(?!is |was |has |does )\w+s) (?P<whom>.+?)\?*$", re.I),
        re.compile(r"(?P<who>(?:[A-Z][\w'’-]+ ?)+) (?P<deed>[a-z]+s) (?P<whom>.+?)\.?$"),
    ),
)
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


def says_it_the_other_way_round(question: str, answer: str) -> bool:
    """Whether an answer has the one who was asked about do to somebody else what was asked.

    "The manager of Ola Berg is Ada Lund." says nothing of who manages Ada Lund.
    """
    for asks, says in _WAYS:
        asked, told = asks.match(question.strip()), says.match(answer.strip())
        if not asked or not told or _same(asked["deed"], told["deed"]) is False:
            continue
        whom = set(names_in(asked["whom"]))
        if whom and whom <= set(names_in(told["who"])) and not whom & set(names_in(f"of {told['whom']}")):
            return singular(asked["deed"].casefold().split()[-1]) not in MUTUAL
    return False


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _distinctive(name: str) -> set[str]:
    words = {_stem(word) for word in _WORD.findall(name)}
    return (words - TITLES - NON_PERSON_NAME_WORDS) or words


def _stem(word: str) -> str:
    return re.sub(r"['’]s?$", "", word.casefold())
