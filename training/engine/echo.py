"""The echo check: an answer must repeat what the question is about, or MEMORY abstains.

A model that was never told about “Zorvan Quill” answers with the facts of somebody whose name is near. Trained
answers are full sentences that repeat the name or value asked about; one that does not is about something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.engine.pairs import Pair
from training.engine.words import CARRIERS, WORD, Lexicon, is_name_like, name_spans, words

HOLDS_FOR = 0.99  # a rule is used only where so many of the trained pairs keep it
RARE = (2, 3, 5, 8, 13, 21, 34)


@dataclass(frozen=True)
class EchoCheck:
    """``names``: every name of the question stands in the answer, whole. ``common``: words too common to ask about
    anything; a question without names must share another word with its answer. None switches a rule off."""

    names: bool = False
    common: frozenset[str] | None = None

    def accepts(self, question: str, answer: str) -> bool:
        asked = names_asked(question)
        if asked:
            said = _spaced(answer)
            return not self.names or all(_spaced(name) in said for name in asked)
        if self.common is None:
            return True
        telling = set(words(question)) - self.common - CARRIERS
        return not telling or not telling.isdisjoint(words(answer))

    def as_dict(self) -> dict[str, Any]:
        return {"names": self.names, "common": None if self.common is None else sorted(self.common)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> EchoCheck:
        common = values["common"]
        return cls(values["names"], None if common is None else frozenset(common))


def names_asked(question: str) -> list[str]:
    """The names of a question. A capital at its beginning counts where the next word has one, too."""
    first, *rest = [match[0] for match in WORD.finditer(question)][:2] or [""]
    opens = bool(rest) and is_name_like(rest[0]) and first.casefold() not in CARRIERS
    spans = name_spans(question, {first.casefold()} if opens else ())
    return list(filter(None, (_without_carriers(question[start:end]) for start, end in spans)))


def _without_carriers(name: str) -> str:
    """“Which Ada Moss” asks about Ada Moss."""
    parts = name.split(" ")
    while parts and parts[0].casefold() in CARRIERS:
        parts = parts[1:]
    while parts and parts[-1].casefold() in CARRIERS:
        parts = parts[:-1]
    return " ".join(parts)


def fit_echo(pairs: Sequence[Pair], lexicon: Lexicon) -> EchoCheck:
    """The strictest check that the trained pairs themselves pass."""
    named = [pair for pair in pairs if names_asked(pair.question)]
    others = [pair for pair in pairs if not names_asked(pair.question)]
    names = bool(named) and _passes(EchoCheck(names=True), named)
    for rare in RARE:
        check = EchoCheck(
            names, frozenset(word for word, facts in lexicon.facts_with.items() if facts > rare)
        )
        if others and _passes(check, others):
            return check
    return EchoCheck(names)


def _passes(check: EchoCheck, pairs: Sequence[Pair]) -> bool:
    return sum(check.accepts(pair.question, pair.answer) for pair in pairs) >= HOLDS_FOR * len(pairs)


def _spaced(text: str) -> str:
    """The words of a text between spaces, so that whole words can be looked for."""
    return f" {' '.join(words(text))} "
