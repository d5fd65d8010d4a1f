"""What people do in the chat; the websocket, REST and the command line all ask through ``run_turn``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from chat.executives import make_executive
from chat.models import Conversation, SubQuery, Turn, TurnEvent, TurnStatus
from chat.protocol.events import Event, Failed, FinalAnswer, MemoryAnswered, Stopped, SubQueryAsked
from chat.protocol.session import interrogate
from chat.protocol.state import Budget
from knowledge.models import Corpus, Role
from memosite.errors import Conflict, MemoError
from training.models import LIVE
from training.services import live_version
from training.serving import load_in_advance, memory_for

MAX_QUESTION = 2000
TITLE_LENGTH = 80


class BadQuestion(MemoError):
    """The question is empty or too long."""

    code = "bad_question"
    status = 422


class BadTitle(MemoError):
    """The title is empty or too long."""

    code = "bad_title"
    status = 422


def start_conversation(corpus: Corpus, person: Any) -> Conversation:
    """Make a conversation with a corpus that the person may read. Raises NotAllowed."""
    corpus.require(person, Role.READER)
    return Conversation.objects.create(corpus=corpus, person=person)


@transaction.atomic
def open_conversation(corpus: Corpus, person: Any) -> Conversation:
    """An empty conversation with the corpus: the one that the person has not used yet, or else a new one.

    People open one, look, and leave; without this each look would stay in their list. Raises NotAllowed.
    """
    corpus.require(person, Role.READER)
    get_user_model().objects.select_for_update().get(pk=person.pk)  # two clicks at once get the same one
    unused = Conversation.objects.filter(corpus=corpus, person=person, title="", turns=None).first()
    if unused is None:
        return start_conversation(corpus, person)
    unused.save(update_fields=["updated_at"])  # it comes to the top of the list as a new one would
    return unused


def conversations_of(person: Any) -> QuerySet[Conversation]:
    """A person's own conversations, as far as the person may still read their corpora."""
    readable = Corpus.objects.for_role(person, Role.READER)
    return Conversation.objects.filter(person=person.pk, corpus__in=readable)


def askable_corpora(person: Any) -> QuerySet[Corpus]:
    """The corpora that the person may read and that have a live memory."""
    return Corpus.objects.for_role(person, Role.READER).filter(aliases__name=LIVE)


def rename_conversation(conversation: Conversation, title: str) -> None:
    """Give a conversation another title. Raises BadTitle."""
    title = " ".join(title.split())
    longest = Conversation._meta.get_field("title").max_length or 0
    if not 0 < len(title) <= longest:
        raise BadTitle(f"Give the conversation a title of at most {longest} characters.")
    Conversation.objects.filter(pk=conversation.pk).update(title=title)


def delete_conversation(conversation: Conversation) -> None:
    """Delete a conversation with its turns. Raises Conflict while a question is being answered."""
    end_abandoned_turns(conversation)
    if conversation.turns.filter(status=TurnStatus.RUNNING).exists():
        raise Conflict("A question is still being answered here. Stop it before you delete the conversation.")
    conversation.delete()


def start_turn(conversation: Conversation, question: str, person: Any) -> Turn:
    """Make the row of a new turn. Raises BadQuestion, NotAllowed, NoLiveVersion, or Conflict while one runs."""
    conversation.corpus.require(person, Role.READER)
    question = checked(question)
    version = live_version(conversation.corpus)
    with transaction.atomic():
        Conversation.objects.select_for_update().get(pk=conversation.pk)
        end_abandoned_turns(conversation)
        if conversation.turns.filter(status=TurnStatus.RUNNING).exists():
            raise Conflict("The last question is still being answered. Wait for it, or stop it.")
        if not conversation.title:
            conversation.title = question[:TITLE_LENGTH]
        conversation.save()
        return Turn.objects.create(conversation=conversation, question=question, version=version)


def run_turn(turn: Turn) -> Iterator[Event]:
    """Interrogate the turn's MEMORY, storing each event before it is yielded."""
    for event in _interrogate(turn):
        _store(turn, event)
        yield event


def interrogate_once(corpus: Corpus, question: str) -> Iterator[Event]:
    """Ask the live MEMORY of a corpus without a conversation: nothing is stored. The caller checks permission."""
    memory = memory_for(live_version(corpus))
    yield from interrogate(checked(question), make_executive("rules"), memory, budget=turn_budget())


def prepare_memory(corpus: Corpus) -> None:
    """Have the live MEMORY loaded by the time of the first question; without one there is nothing to do."""
    with suppress(MemoError):
        load_in_advance(live_version(corpus))


def checked(question: str) -> str:
    """The question with its blanks tidied. Raises BadQuestion."""
    question = " ".join(question.split())
    if not question:
        raise BadQuestion("Type a question first.")
    if len(question) > MAX_QUESTION:
        raise BadQuestion(
            f"The question is {len(question):,} characters long; {MAX_QUESTION:,} is the limit."
        )
    return question


def turn_budget() -> Budget:
    """The bounds of one turn, as the site is set."""
    return Budget(total=settings.SUB_QUERY_BUDGET, seconds=settings.TURN_SECONDS)


def request_stop(turn: Turn) -> None:
    """Ask the process that answers the turn to stop; it does so before its next sub-query."""
    Turn.objects.filter(pk=turn.pk, status=TurnStatus.RUNNING).update(stop_requested=True)


def end_abandoned_turns(conversation: Conversation) -> None:
    """Mark turns as failed whose process died in the middle, so that nothing waits for them for ever."""
    for turn in conversation.turns.abandoned():
        last = turn.events.order_by("-seq").values_list("seq", flat=True).first() or 0
        message = "The server stopped while it was answering. Ask again."
        _store(turn, Event(seq=last + 1, data=Failed(message=message, code="interrupted")))


def _interrogate(turn: Turn) -> Iterator[Event]:
    if turn.version is None:
        yield Event(seq=1, data=Failed(message="The memory version was deleted.", code="no_version"))
        return
    try:
        memory = memory_for(turn.version)
    except MemoError as error:
        yield Event(seq=1, data=Failed(message=str(error), code=error.code))
        return
    rows = Turn.objects.filter(pk=turn.pk, stop_requested=True)
    yield from interrogate(
        turn.question, make_executive(turn.executive), memory, budget=turn_budget(), stop=rows.exists
    )


@transaction.atomic
def _store(turn: Turn, event: Event) -> None:
    wire = event.as_dict()
    try:
        with transaction.atomic():
            TurnEvent.objects.create(turn=turn, seq=event.seq, type=event.type, data=wire["data"])
    except IntegrityError as error:
        raise Conflict("This turn is already being answered.") from error
    match event.data:
        case SubQueryAsked(index=index, stage=stage, question=question):
            SubQuery.objects.create(turn=turn, index=index, stage=stage, question=question)
        case MemoryAnswered() as said:
            turn.sub_queries.filter(index=said.index).update(
                answer=said.answer, known=said.known, confidence=said.confidence, latency_ms=said.latency_ms
            )
        case FinalAnswer(text=text, known=known):
            turn.answer, turn.known = text, known
    turn.heartbeat_at = timezone.now()
    if event.ends_turn:
        turn.status, turn.finished_at = _outcome(event), timezone.now()
    turn.save(update_fields=["answer", "known", "status", "heartbeat_at", "finished_at"])


def _outcome(event: Event) -> str:
    if isinstance(event.data, Stopped):
        return TurnStatus.STOPPED
    return TurnStatus.FAILED if isinstance(event.data, Failed) else TurnStatus.ANSWERED
