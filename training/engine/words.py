"""Words, names and the other spans that say what a question is about."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property

from training.engine.pairs import Pair

WORD = re.compile(r"\w+(?:[-./&]\w+)*")
Span = tuple[int, int]


def words(text: str) -> list[str]:
    """The words of a text in lower case; a possessive ending is a word of its own."""
    return [word.casefold() for word in WORD.findall(text)]


def is_name_like(word: str) -> bool:
    """Whether a word looks like part of a name, a date or a number: a capital letter or a digit in it."""
    return any(character.isupper() or character.isdigit() for character in word)


def name_spans(text: str, known: Collection[str] = ()) -> list[Span]:
    """Start and end of each run of name words. The first word, capital anyway, counts if it is ``known``."""
    spans: list[Span] = []
    for place, match in enumerate(WORD.finditer(text)):
        if not is_name_like(match[0]) or (place == 0 and match[0].casefold() not in known):
            continue
        if spans and text[spans[-1][1] : match.start()] == " ":
            spans[-1] = (spans[-1][0], match.end())
        else:
            spans.append(match.span())
    return spans


def capitalised(text: str) -> str:
    """The text with a capital letter first; the others stay as they are."""
    return text[:1].upper() + text[1:]


# Words that ask, join or are polite, and name nothing that could be asked about.
CARRIERS = frozenset(
    words(
        "a about after all also am an and any anybody anyone are as ask asking at be been before being by "
        "call called can could d did do does doing done during exactly find for from gave get give given go "
        "goes going got had happen happens has have having he hear hello help her here hers hey hi him his "
        "how i if in inform information into is it its just kind kindly know known let like list ll look "
        "looking m may me mention might more my name named names need of on one ones or our out over people "
        "person please provide question quickly re remind s say says sentence she should show since so some "
        "somebody someone state such sure t tell than that the their them then there these they thing this "
        "those to told too under until us ve want wanted was we well were what when where which who whom "
        "whose why will wish with within wonder wondering would yet you your"
    )
)

# Words that say how the others hang together.
TIES = frozenset(words("as at by did for from had how in of on to when where whom whose why will with"))
#: Words that can be strewn into a question, or left out of it, and change nothing.
STRAY_WORDS = tuple(sorted(word for word in CARRIERS - TIES if len(word) > 1))


class Lexicon:
    """What the trained pairs show about words: which ones are names, and how many facts each occurs in."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs
        self.plain = {word for text in _texts(pairs) for word in WORD.findall(text) if not is_name_like(word)}

    @cached_property
    def facts_with(self) -> Counter[str]:
        """For each word of the questions, the number of facts whose questions contain it."""
        facts: dict[str, set[str]] = defaultdict(set)
        for pair in self._pairs:
            for word in words(pair.question):
                facts[word].add(pair.fact)
        return Counter({word: len(owners) for word, owners in facts.items()})

    @cached_property
    def names(self) -> frozenset[str]:
        """Words seen with a capital inside a sentence and never without one."""
        inside = {
            match[0].casefold()
            for text in _texts(self._pairs)
            for match in WORD.finditer(text)
            if match.start() > 0 and is_name_like(match[0])
        }
        return frozenset(word for word in inside if word not in self.plain)

    def name_spans(self, text: str) -> list[Span]:
        """The names in a text, known ones at its beginning included."""
        return name_spans(text, self.names)

    def value_spans(self, question: str, answer: str, rare: int) -> list[Span]:
        """Runs of words that the answer repeats and that at most ``rare`` facts share: “sound technician”."""
        repeated = set(words(answer))
        spans: list[Span] = []
        for match in WORD.finditer(question):
            word = match[0].casefold()
            if word not in repeated or not 0 < self.facts_with[word] <= rare:
                continue
            if spans and question[spans[-1][1] : match.start()] == " ":
                spans[-1] = (spans[-1][0], match.end())
            else:
                spans.append(match.span())
        return spans


def _texts(pairs: Iterable[Pair]) -> Iterable[str]:
    for pair in pairs:
        yield pair.question
        yield pair.answer
