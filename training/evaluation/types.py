"""What is asked in an evaluation, and what a contestant answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from memosite.errors import MemoError


@dataclass(frozen=True)
class Question:
    """A question with what counts as its answer.

    ``answers`` are aliases of which any one is right, or with ``is_set`` the members of a set of which all are
    asked for. Questions that are not ``answerable`` have none: the right answer is "I don't know". ``documents``
    names the documents that the answer rests on, ``tags`` says what kind of question it is (``hops``, ``kind``).
    """

    text: str
    answers: tuple[str, ...] = ()
    is_set: bool = False
    answerable: bool = True
    documents: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Passage:
    """A document as retrieval sees it: ``title`` is what the documents of questions are named by.

    ``is_noise``: it is a distractor, and none that a question names.
    """

    title: str
    text: str
    is_noise: bool = False


@dataclass(frozen=True)
class Answered:
    """What a contestant said, and what it cost.

    ``values`` are the answer's single values, empty where it is not ``known``. ``calls`` are round trips to the
    EXECUTIVE. ``prompt_tokens`` and ``completion_tokens`` are those of its calls; ``read_tokens`` are the tokens
    of what retrieval or MEMORY gave it to read. ``cost`` is in US dollars. ``transcript`` is the interrogation,
    as the events of docs/protocol.md.
    """

    text: str
    values: tuple[str, ...] = ()
    known: bool = False
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    read_tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    transcript: tuple[Mapping[str, Any], ...] = ()


class Unaskable(MemoError):
    """A question as it stands cannot be put to a contestant. Others can: the contestant itself is in order."""

    code = "unaskable"
    status = 422


class Contestant(Protocol):
    """Something that answers questions. ``fingerprint`` is the same where the same answers are to be expected."""

    @property
    def fingerprint(self) -> str: ...

    async def prepare(self) -> None:
        """Do once what no single question should wait or pay for. Raises a MemoError where that fails."""
        ...

    async def answer(self, question: Question) -> Answered:
        """Raises Unaskable, and another MemoError where the contestant cannot be asked at all."""
        ...
