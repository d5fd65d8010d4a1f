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
    """A piece of a document, with the title and the date of the document that it is from.

    ``section`` is the heading over a sentence that was cut out: "She lives in Bergen." says nothing without it.
    """

    title: str
    text: str
    date: date | None = None
    section: str = ""

    @property
    def shown(self) -> str:
        """As a reader gets it, and as it is found."""
        return "\n".join(filter(None, (self.title, self.body)))

    @property
    def body(self) -> str:
        """The text under its heading."""
        return f"## {self.section}\n{self.text}" if self.section else self.text

    @cached_property
    def tokens(self) -> int:
        return count_tokens(self.shown)


def cut(passages: Sequence[Passage], unit: str) -> tuple[Excerpt, ...]:
    """The documents in pieces of a unit (``UNITS``), in their order."""
    return tuple(
        Excerpt(passage.title, text, written, section if section != passage.title else "")
        for passage in passages
        for written in (stated_date(passage.text),)
        for section, text in UNITS[unit](passage.text)
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
        room = max(token_budget - (first.tokens - count_tokens(first.text)), 1)
        return (replace(first, text=cut_to(first.text, room)),)
    return tuple(taken)


#: The heading over a piece, where it does not hold it itself, and the piece.
Piece = tuple[str, str]


def _sentences(text: str) -> Iterator[Piece]:
    """Sentences of the prose, and the lines of lists and tables: each row under the heads of its columns."""
    heads = section = ""
    for block in blocks(text):
        if block.kind == BlockKind.HEADING:
            section = block.text
        elif block.kind == BlockKind.PROSE:
            for start, end in split_sentences(block.text):
                yield section, " ".join(block.text[start:end].split())
        elif block.kind == BlockKind.HEADER_ROW:
            heads = f"{block.text}\n{'|---' * len(block.cells)}|\n"
        elif block.kind == BlockKind.ROW:
            yield section, heads + block.text
        elif block.kind == BlockKind.KEY_VALUE:
            yield section, block.text


def _chunks(text: str) -> Iterator[Piece]:
    return (("", chunk.text) for chunk in split_into_chunks(text))


def _whole(text: str) -> Iterator[Piece]:
    yield "", text


UNITS: dict[str, Callable[[str], Iterator[Piece]]] = {
    "sentence": _sentences,
    "chunk": _chunks,
    "article": _whole,
}
