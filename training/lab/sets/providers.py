"""What sets of questions take from the apps above training, which fill these tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from knowledge.models import Corpus, Reflection


@dataclass(frozen=True)
class PeoplesQuestion:
    """A question that people asked, with the approved pair that answers it. It names nobody."""

    text: str
    pair: Reflection
    kind: str


#: By the kind of question: those of a corpus, to be shown to its curators.
PEOPLES_QUESTIONS: dict[str, Callable[[Corpus], Iterable[PeoplesQuestion]]] = {}

#: Reads the bare values out of an answer that is a full sentence, given its question; none where it holds none.
ReadValues = Callable[[str, str], tuple[str, ...]]
READ_VALUES: dict[str, ReadValues] = {}


def values_of(question: str, answer: str) -> tuple[str, ...]:
    """The values by the first reader that finds any."""
    for read in READ_VALUES.values():
        if values := read(question, answer):
            return values
    return ()
