"""What retrieval finds: documents cut into sentences, chunks, or left whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from chat.contestants.tokens import count_tokens, cut_to
from knowledge.ingest.chunk import split_into_chunks
from knowledge.ingest.read import stated_date
from knowledge.rules.blocks import BlockKind, blocks
from knowledge.rules.english import split_sentences
from training.evaluation.types import Passage


@dataclass(frozen=True)
class Excerpt:
    """A piece of a document, with the title and the date of the document that it is from."""

    title: str
    text: str
    date: date | None = None

    @property
    def shown(self) -> str:
        """As a reader gets it: without its title, "She lives in Bergen." would say nothing."""
        return f"{self.title}\n{self.text}"

    @cached_property
    def tokens(self) -> int:
        return count_tokens(self.shown)


def cut(passages: Sequence[Passage], unit: str) -> tuple[Excerpt, ...]:
    """The documents in pieces of a unit (``UNITS``), in their order."""
    return tuple(
        Excerpt(passage.title, text, written)
        for passage in passages
        for written in (stated_date(passage.text),)
        for text in UNITS[unit](passage.text)
    )


def fitting(excerpts: Sequence[Excerpt], token_budget: int) -> tuple[Excerpt, ...]:
    """The first excerpts, as many as have at most so many tokens together. One that is longer alone is cut."""
    taken: list[Excerpt] = []
    left = token_budget
    for excerpt in excerpts:
        if excerpt.tokens > left:
            break
        taken.append(excerpt)
        left -= excerpt.tokens
    if excerpts and not taken:
        first = excerpts[0]
        room = max(token_budget - count_tokens(first.title), 1)
        return (replace(first, text=cut_to(first.text, room)),)
    return tuple(taken)


def _sentences(text: str) -> Iterator[str]:
    """Sentences of the prose, and the lines of lists and tables: each row under the heads of its columns."""
    heads = ""
    for block in blocks(text):
        if block.kind == BlockKind.PROSE:
            yield from (" ".join(block.text[start:end].split()) for start, end in split_sentences(block.text))
        elif block.kind == BlockKind.HEADER_ROW:
            heads = f"{block.text}\n{'|---' * len(block.cells)}|\n"
        elif block.kind == BlockKind.ROW:
            yield heads + block.text
        elif block.kind == BlockKind.KEY_VALUE:
            yield block.text


def _chunks(text: str) -> Iterator[str]:
    return (chunk.text for chunk in split_into_chunks(text))


def _whole(text: str) -> Iterator[str]:
    yield text


UNITS: dict[str, Callable[[str], Iterator[str]]] = {
    "sentence": _sentences,
    "chunk": _chunks,
    "article": _whole,
}
