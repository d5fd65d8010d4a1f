"""Turns that are shared by link with people who may read what was asked; that is checked at every view.

An answer also tells what was answered before it in its conversation. So whoever opens a link has to be in the
audience of every version that was asked up to there; where one of them was deleted, nobody can tell any more who
that is, and the link opens for the person who asked alone.
"""

from __future__ import annotations

from typing import Any

from chat.models import SharedTurn, SubQuery, Turn
from knowledge.models import Corpus, Role
from memosite.errors import Conflict
from training.models import MemoryVersion


def share(turn: Turn) -> SharedTurn:
    """The link to a turn that has ended, made where there is none. Raises Conflict while it is being answered."""
    if turn.is_running:
        raise Conflict("This question is still being answered. Share it when the answer is there.")
    return SharedTurn.objects.get_or_create(turn=turn)[0]


def stop_sharing(turn: Turn) -> None:
    """Take the link away: it opens nothing any more, and a later one is another."""
    SharedTurn.objects.filter(turn=turn).delete()


def shared_with(person: Any, token: str) -> SharedTurn | None:
    """What the link shows to this person; None where there is nothing that the person may see."""
    rows = SharedTurn.objects.select_related("turn__conversation__corpus", "turn__conversation__person")
    found = rows.select_related("turn__version__corpus").filter(token=token).first()
    if found is None or not _may_see(person, found.turn):
        return None
    return found


def _may_see(person: Any, turn: Turn) -> bool:
    conversation = turn.conversation
    asked = {corpus.pk for corpus in conversation.corpora}
    if Corpus.objects.for_role(person, Role.READER).filter(pk__in=asked).count() < len(asked):
        return False
    return conversation.person_id == person.pk or _is_in_audience(person, turn)


def _is_in_audience(person: Any, turn: Turn) -> bool:
    """Whether the person may ask every version that was asked in the conversation up to the turn."""
    turns = Turn.objects.filter(conversation=turn.conversation_id, pk__lte=turn.pk)
    answers = SubQuery.objects.filter(turn__in=turns).exclude(answer="")
    if turns.filter(version=None).exists() or answers.filter(version=None).exists():
        return False
    versions = {
        *turns.values_list("version", flat=True),
        *turns.filter(versions__isnull=False).values_list("versions", flat=True),
        *answers.values_list("version", flat=True),
    }
    return MemoryVersion.objects.for_reader(person).filter(pk__in=versions).distinct().count() == len(
        versions
    )
