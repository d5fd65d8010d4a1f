"""Retrieval by words: BM25 over excerpts."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from chat.contestants.excerpts import Excerpt
from chat.contestants.ledger import Ledger
from chat.likeness.reading import terms


class KeywordIndex:
    """BM25 (bm25s, its usual k1 and b) over excerpts with their titles, on words without inflection.

    "The leader of" and "leads" count as one word, which makes it stronger than BM25 on bare words. Of excerpts
    with the same score the first comes first; those with no word in common are never found.
    """

    def __init__(self, excerpts: Sequence[Excerpt]) -> None:
        import bm25s  # a quarter of a second that the start of the site need not wait for

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it would tell of each step
        self._excerpts = tuple(excerpts)
        self._scores = bm25s.BM25()
        if self._excerpts:
            words = [terms(excerpt.shown) or ["·"] for excerpt in self._excerpts]
            self._scores.index(words, show_progress=False)

    async def find(self, query: str, top: int, ledger: Ledger) -> Sequence[Excerpt]:
        known = self._scores.vocab_dict if self._excerpts else {}
        wanted = [word for word in terms(query) if word in known]
        if not wanted:
            return ()
        scores = np.asarray(self._scores.get_scores(wanted))
        best = np.argsort(-scores, kind="stable")[:top]
        return [self._excerpts[place] for place in best if scores[place] > 0]
