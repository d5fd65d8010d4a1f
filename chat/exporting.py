"""A person's own history as a file, written while it is sent: one conversation is held at a time, and of its turns
a few.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from chat import services
from chat.models import Conversation, Turn
from memosite.errors import MemoError

AT_ONCE = 50


class UnknownHistoryFormat(MemoError):
    """The history is not written in that format."""

    code = "unknown_format"


@dataclass(frozen=True)
class HistoryFormat:
    """A format of the file: its media type, and the ending of the file's name."""

    media_type: str
    suffix: str


FORMATS = {
    "json": HistoryFormat("application/json", ".json"),
    "markdown": HistoryFormat("text/markdown; charset=utf-8", ".md"),
}


def checked_format(name: str) -> str:
    """The name of a format. Raises UnknownHistoryFormat."""
    if name not in FORMATS:
        raise UnknownHistoryFormat(f"Choose a format with ?as=: {' or '.join(FORMATS)}.")
    return name


def history_of(person: Any, format: str) -> Iterator[bytes]:
    """The person's conversations, the oldest first, as blocks of a file; those about corpora that the person may
    no longer read are left out, and counted.
    """
    write = _as_json if format == "json" else _as_markdown
    return (block.encode() for block in write(person))


def left_out_of(person: Any) -> int:
    """How many of the person's conversations are about corpora that the person may no longer read."""
    readable = services.conversations_of(person).values("pk")
    return Conversation.objects.filter(person=person.pk).exclude(pk__in=readable).count()


def _conversations(person: Any) -> Iterator[Conversation]:
    rows = services.conversations_of(person).order_by("pk").select_related("corpus")
    return rows.prefetch_related("others").iterator(chunk_size=AT_ONCE)


def _turns(conversation: Conversation) -> Iterator[Turn]:
    rows = conversation.turns.select_related("version__corpus").prefetch_related(
        "sub_queries__version__corpus"
    )
    return rows.iterator(chunk_size=AT_ONCE)


# --- JSON --------------------------------------------------------------------------------------------------
def _as_json(person: Any) -> Iterator[str]:
    head = {
        "person": person.get_username(),
        "exported_at": timezone.now().isoformat(timespec="seconds"),
        "left_out": left_out_of(person),
    }
    yield f'{_dumped(head)[:-1]}, "conversations": ['
    for number, conversation in enumerate(_conversations(person)):
        about = {
            "id": conversation.pk,
            "title": conversation.title,
            "corpora": [corpus.slug for corpus in conversation.corpora],
            "executive": conversation.executive,
            "created_at": conversation.created_at.isoformat(),
        }
        yield f'{"," if number else ""}\n{_dumped(about)[:-1]}, "turns": ['
        for index, turn in enumerate(_turns(conversation)):
            yield f"{',' if index else ''}\n  {_dumped(_turn(turn))}"
        yield "]}"
    yield "\n]}\n"


def _dumped(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "id": turn.pk,
        "asked_at": turn.created_at.isoformat(),
        "question": turn.question,
        "understood_as": turn.asked,
        "answer": turn.answer,
        "known": turn.known,
        "status": turn.status,
        "version": str(turn.version) if turn.version else None,
        "executive": turn.executive,
        "sub_queries": [
            {
                "index": one.index,
                "question": one.question,
                "answer": one.answer,
                "known": one.known,
                "confidence": one.confidence,
                "version": str(one.version) if one.version else None,
            }
            for one in turn.sub_queries.all()
        ],
    }


# --- Markdown ----------------------------------------------------------------------------------------------
def _as_markdown(person: Any) -> Iterator[str]:
    yield f"# Chat history of {_line(person.get_username())}\n\nExported {timezone.now():%Y-%m-%d %H:%M} UTC.\n"
    if left_out := left_out_of(person):
        which = "One conversation is" if left_out == 1 else f"{left_out} conversations are"
        yield f"\n{which} left out: about corpora that you may no longer read.\n"
    for conversation in _conversations(person):
        corpora = ", ".join(_line(corpus.name) for corpus in conversation.corpora)
        yield f"\n## {_line(str(conversation))}\n\n{corpora}, {conversation.created_at:%Y-%m-%d}\n"
        for turn in _turns(conversation):
            yield "".join(_told(turn))


def _told(turn: Turn) -> Iterator[str]:
    yield f"\n### {_line(turn.question)}\n\n"
    version = f", {_line(str(turn.version))}" if turn.version else ""
    yield f"{turn.created_at:%Y-%m-%d %H:%M} UTC{version}, EXECUTIVE {_line(turn.executive)}\n\n"
    yield f"{turn.answer or f'({turn.get_status_display()})'}\n"
    sub_queries = list(turn.sub_queries.all())
    yield "\n" if sub_queries else ""
    for one in sub_queries:
        said = _line(one.answer) if one.known else "does not know"
        yield f"- [{one.index}] {_line(one.question)} → {said}\n"


def _line(text: str) -> str:
    return " ".join(text.split())
