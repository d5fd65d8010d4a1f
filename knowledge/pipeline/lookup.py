"""Finding the passages of a corpus that tell of a name: an inverted index of words, and of shared names."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from knowledge.pipeline.candidates import Source

_WORD = re.compile(r"\w+")


class PassageIndex:
    """An inverted index over the words of all passages of a corpus."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = list(sources)
        self._passages: dict[str, list[int]] = defaultdict(list)
        for position, source in enumerate(self._sources):
            for word in set(words(f"{source.title} {source.passage.text}")):
                self._passages[word].append(position)

    def lookup(self, question: str, name: str, *, at_most: int = 3) -> Sequence[Source]:
        """The passages likeliest to answer a question about a name: rare words in common count most.

        Words of the name count double, so that passages about it come before those about like matters.
        """
        asked = Counter(set(words(question))) + Counter(set(words(name)))
        scores: Counter[int] = Counter()
        for word, weight in asked.items():
            holders = self._passages.get(word, [])
            rarity = math.log(1 + len(self._sources) / (1 + len(holders)))
            for position in holders:
                scores[position] += weight * rarity  # type: ignore[assignment]
        best = sorted(scores, key=lambda position: (-scores[position], position))[:at_most]
        return [self._sources[position] for position in best]


def words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return _WORD.findall(text.casefold())
