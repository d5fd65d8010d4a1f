"""All pairs of one version, looked up by their words (BM25), the best of them graded."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from chat.evidence.grading import Claim, Grade, Graded
from chat.likeness.reading import Exchange, terms
from knowledge.pipeline.wording import normal

#: So many pairs with the most words in common are graded.
CANDIDATES = 64


@dataclass(frozen=True)
class Taught:
    """A pair that a version was trained on; ``key`` is the caller's."""

    key: int
    question: str
    answer: str


@dataclass(frozen=True)
class Support:
    """A pair near to what a memory said. ``wordings`` are the keys of all graded pairs of this answer, itself
    first: the same fact taught in other words.
    """

    pair: Taught
    graded: Graded
    wordings: tuple[int, ...]

    @property
    def grade(self) -> Grade:
        return self.graded.grade


class PairIndex:
    """The pairs of a version, ready to be looked up. It never changes, as its version does not."""

    def __init__(self, pairs: Sequence[Taught]) -> None:
        import bm25s  # a quarter of a second that the start of the site need not wait for

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it would tell of each step
        self._pairs = tuple(pairs)
        self._scores = bm25s.BM25()
        if self._pairs:
            self._scores.index(
                [terms(f"{pair.question} {pair.answer}") or ["·"] for pair in self._pairs],
                show_progress=False,
            )

    def __len__(self) -> int:
        return len(self._pairs)

    def nearest(self, wordings: Sequence[str], answer: str) -> list[Support]:
        """The pairs that support an answer to a question in these wordings, best first, one an answer.

        Pairs of no support are left out, so the list may be empty.
        """
        claim = Claim(wordings, answer)
        graded = [
            (claim.grade(Exchange(pair.question, pair.answer)), pair) for pair in self._candidates(claim)
        ]
        found = [each for each in graded if each[0].grade != Grade.NONE]
        found.sort(key=lambda each: (each[0].grade != Grade.EXACT, -each[0].likeness, each[1].key))
        return _by_answer(found)

    def _candidates(self, claim: Claim) -> list[Taught]:
        known = self._scores.vocab_dict if self._pairs else {}
        wanted = [word for one in claim.exchanges for word in terms(one.text) if word in known]
        if not wanted:
            return []
        count = min(CANDIDATES, len(self._pairs))
        found = self._scores.retrieve([wanted], k=count, show_progress=False)
        return [
            self._pairs[place] for place, score in zip(*(row[0] for row in found), strict=True) if score > 0
        ]


def _by_answer(found: Sequence[tuple[Graded, Taught]]) -> list[Support]:
    """The best pair of each grade and answer, with the keys of the others."""
    groups: dict[object, list[tuple[Graded, Taught]]] = {}
    for graded, pair in found:
        groups.setdefault((graded.grade, normal(pair.answer)), []).append((graded, pair))
    return [
        Support(group[0][1], group[0][0], tuple(pair.key for _, pair in group)) for group in groups.values()
    ]
