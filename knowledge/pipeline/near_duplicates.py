"""Pairs that say almost the same, found without comparing each with each.

Two pairs can only be near-duplicates if their names, numbers and negations are the same, so these are the blocks
within which wordings are compared. Pairs that have none are blocked by the rarest word of the question.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Protocol

from rapidfuzz import fuzz

from knowledge.pipeline.types import Pair
from knowledge.pipeline.wording import FUNCTION_WORDS, acronyms, essence, names_in, normal

ALIKE_QUESTION = 90.0  # per cent of letters, in their order, that two questions share
ALIKE_ANSWER = 90.0
LARGEST_BLOCK = 200  # beyond it, pairs are compared with so many neighbours in alphabetical order
MOST_WORDS_APART = 1  # words of the question that may be others


class HasWords(Protocol):
    """Anything with a question, an answer and the fact that its wordings share."""

    @property
    def question(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def fact(self) -> str: ...


def near_duplicates(pairs: Sequence[HasWords]) -> list[tuple[int, int]]:
    """Places (earlier, later) of pairs that say almost the same; each later pair is named once.

    Wordings of one fact are meant, so there only the same words count: case, articles and punctuation aside.
    """
    found: dict[int, int] = {}
    for block in _blocks(pairs):
        for first, second in _neighbours(block):
            if second not in found and _are_alike(pairs[first], pairs[second]):
                found[second] = first
    return sorted((first, second) for second, first in found.items())


def merge_near_duplicates(pairs: list[Pair]) -> list[Pair]:
    """One pair of each that asks and answers the same in the same words, with the spans of all of them.

    Case, articles, punctuation and the spelling of numbers may differ; names, numbers, negations and every other
    word have to be the same, so different wordings of a fact stay apart.
    """
    merged: dict[Hashable, Pair] = {}
    for pair in pairs:
        key = _same_words(pair)
        known = merged.get(key)
        spans = tuple(dict.fromkeys([*known.spans, *pair.spans])) if known else pair.spans
        merged[key] = replace(known or pair, spans=spans)
    return list(merged.values())


def _same_words(pair: HasWords) -> Hashable:
    capitals = acronyms(f"{pair.question} {pair.answer}")
    return normal(pair.question), normal(pair.answer), capitals


def _blocks(pairs: Sequence[HasWords]) -> Iterator[list[int]]:
    names = names_in(chain.from_iterable((pair.question, pair.answer) for pair in pairs))
    frequency = Counter(word for pair in pairs for word in set(normal(pair.question)))
    blocks: dict[Hashable, list[int]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        said = essence(pair.question, names), essence(pair.answer, names)
        blocks[said if any(said) else _rarest(normal(pair.question), frequency)].append(place)
    for block in blocks.values():
        if len(block) > 1:
            yield (
                block
                if len(block) <= LARGEST_BLOCK
                else sorted(block, key=lambda n: normal(pairs[n].question))
            )


def _rarest(question: Iterable[str], frequency: Counter[str]) -> str:
    return min(
        (word for word in question if word not in FUNCTION_WORDS), key=frequency.__getitem__, default=""
    )


def _neighbours(block: list[int]) -> Iterator[tuple[int, int]]:
    """Every two of a block; in a large one, each with those that follow it closely."""
    reach = LARGEST_BLOCK if len(block) > LARGEST_BLOCK else len(block)
    for place, first in enumerate(block):
        for second in block[place + 1 : place + reach]:
            yield min(first, second), max(first, second)


def _are_alike(one: HasWords, other: HasWords) -> bool:
    asked, asked_there = normal(one.question), normal(other.question)
    if one.fact and one.fact == other.fact:
        return _same_words(one) == _same_words(other)
    if not _share_their_words(asked, asked_there):
        return False
    answers = " ".join(normal(one.answer)), " ".join(normal(other.answer))
    if fuzz.ratio(*answers, score_cutoff=ALIKE_ANSWER) == 0:
        return False
    return fuzz.ratio(" ".join(asked), " ".join(asked_there), score_cutoff=ALIKE_QUESTION) > 0


def _share_their_words(asked: tuple[str, ...], asked_there: tuple[str, ...]) -> bool:
    """Whether the questions differ in hardly a word that names something."""
    first, second = set(asked) - FUNCTION_WORDS, set(asked_there) - FUNCTION_WORDS
    return max(len(first - second), len(second - first)) <= MOST_WORDS_APART
