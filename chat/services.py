"""What people do in the chat; the websocket, REST and the command line all ask through ``run_turn``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from memosite.errors import Conflict, MemoError, NotAllowed
from training.memory import Memory
from training.models import LIVE, MemoryVersion
from training.routing import RoutedMemory
from training.services import live_version
from training.serving import load_in_advance, memory_for

MAX_QUESTION = 2000
TITLE_LENGTH = 80
CORPORA_AT_ONCE = 8


class BadQuestion(MemoError):
    """The question is empty or too long."""

    code = "bad_question"
    status = 422


class BadTitle(MemoError):
    """The title is empty or too long."""

    code = "bad_title"
    status = 422


class TooManyCorpora(MemoError):
    """More corpora than one question may be put to."""

    code = "too_many_corpora"
    status = 422


class ClosedMemory(NotAllowed):
    """The memory also learned from corpora that the person may not read."""

    code = "closed_memory"


@transaction.atomic
def start_conversation(corpus: Corpus, person: Any, others: Iterable[Corpus] = ()) -> Conversation:
    """Make a conversation with corpora that the person may read. Raises NotAllowed, TooManyCorpora."""
    beside = _beside(corpus, others)
    for each in (corpus, *beside):
        each.require(person, Role.READER)
    conversation = Conversation.objects.create(corpus=corpus, person=person)
    conversation.others.set(beside)
    return conversation


@transaction.atomic
def open_conversation(corpus: Corpus, person: Any, others: Iterable[Corpus] = ()) -> Conversation:
    """An empty conversation with the corpora: the one that the person has not used yet, or else a new one.

    People open one, look, and leave; without this each look would stay in their list. Raises NotAllowed,
    TooManyCorpora.
    """
    corpus.require(person, Role.READER)
    beside = _beside(corpus, others)
    get_user_model().objects.select_for_update().get(pk=person.pk)  # two clicks at once get the same one
    empty = Conversation.objects.filter(corpus=corpus, person=person, title="", turns=None)
    found = empty.prefetch_related("others")
    unused = next((row for row in found if set(row.others.all()) == set(beside)), None)
    if unused is None:
        return start_conversation(corpus, person, beside)
    unused.save(update_fields=["updated_at"])  # it comes to the top of the list as a new one would
    return unused


def conversations_of(person: Any) -> QuerySet[Conversation]:
    """A person's own conversations, as far as the person may still read all of their corpora."""
    readable = Corpus.objects.for_role(person, Role.READER)
    closed = Corpus.objects.exclude(pk__in=readable.values("pk"))
    return Conversation.objects.filter(person=person.pk, corpus__in=readable).exclude(others__in=closed)


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
    """Make the row of a new turn.

    Raises BadQuestion, NotAllowed, ClosedMemory, NoLiveVersion, or Conflict while one runs.
    """
    question = checked(question)
    versions = askable_versions(conversation.corpora, person)
    with transaction.atomic():
        Conversation.objects.select_for_update().get(pk=conversation.pk)
        end_abandoned_turns(conversation)
        if conversation.turns.filter(status=TurnStatus.RUNNING).exists():
            raise Conflict("The last question is still being answered. Wait for it, or stop it.")
        if not conversation.title:
            conversation.title = question[:TITLE_LENGTH]
        conversation.save()
        turn = Turn.objects.create(conversation=conversation, question=question, version=versions[0])
        turn.versions.set(versions)
        return turn


def askable_versions(corpora: Iterable[Corpus], person: Any) -> list[MemoryVersion]:
    """The live version of each corpus, for a person who may ask all of them; ``None`` is the site's operator.

    Raises NotAllowed, NoLiveVersion, and ClosedMemory where a version learned from more than the person may read.
    """
    versions = []
    for corpus in corpora:
        if person is not None:
            corpus.require(person, Role.READER)
        version = live_version(corpus)
        if person is not None and not version.allows(person):
            raise ClosedMemory(
                f"The live memory of “{corpus.name}” also learned from corpora that you may not read, so you may "
                "not ask it. An owner of those can give you access."
            )
        versions.append(version)
    return versions


def run_turn(turn: Turn) -> Iterator[Event]:
    """Interrogate the turn's MEMORY, storing each event before it is yielded."""
    for event in _interrogate(turn):
        _store(turn, event)
        yield event


def interrogate_once(
    corpus: Corpus, question: str, person: Any = None, others: Iterable[Corpus] = ()
) -> Iterator[Event]:
    """Ask the live MEMORY of a corpus, and of others beside it, without a conversation: nothing is stored.

    Without a person the site's operator asks. Raises what ``start_turn`` raises.
    """
    memory = memory_of(askable_versions((corpus, *_beside(corpus, others)), person))
    yield from interrogate(checked(question), make_executive("rules"), memory, budget=turn_budget())


def memory_of(versions: Iterable[MemoryVersion]) -> Memory:
    """What answers for the versions: the one, or of several the surest. Raises a MemoError as ``memory_for``."""
    memories = {str(version): memory_for(version) for version in versions}
    if len(memories) == 1:
        return next(iter(memories.values()))
    return RoutedMemory(memories)


def prepare_memory(conversation: Conversation) -> None:
    """Have the live MEMORY loaded by the time of the first question; without one there is nothing to do."""
    for corpus in conversation.corpora:
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
        memory = memory_of(_versions_of(turn))
    except MemoError as error:
        yield Event(seq=1, data=Failed(message=str(error), code=error.code))
        return
    rows = Turn.objects.filter(pk=turn.pk, stop_requested=True)
    yield from interrogate(
        turn.question, make_executive(turn.executive), memory, budget=turn_budget(), stop=rows.exists
    )


def _beside(corpus: Corpus, others: Iterable[Corpus]) -> list[Corpus]:
    """The other corpora, each once. Raises TooManyCorpora."""
    beside = [each for each in dict.fromkeys(others) if each != corpus]
    if len(beside) >= CORPORA_AT_ONCE:
        raise TooManyCorpora(f"Ask at most {CORPORA_AT_ONCE} corpora at once.")
    return beside


def _versions_of(turn: Turn) -> list[MemoryVersion]:
    """The versions that the turn began with, whatever is live by now."""
    return list(turn.versions.select_related("corpus")) or [v for v in (turn.version,) if v is not None]


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
            _store_answer(turn, said)
        case FinalAnswer(text=text, known=known):
            turn.answer, turn.known = text, known
    turn.heartbeat_at = timezone.now()
    if event.ends_turn:
        turn.status, turn.finished_at = _outcome(event), timezone.now()
    turn.save(update_fields=["answer", "known", "status", "heartbeat_at", "finished_at"])


def _store_answer(turn: Turn, said: MemoryAnswered) -> None:
    by_name = {str(version): version for version in turn.versions.select_related("corpus")}
    turn.sub_queries.filter(index=said.index).update(
        answer=said.answer,
        known=said.known,
        confidence=said.confidence,
        latency_ms=said.latency_ms,
        version=by_name.get(said.source) if said.source else turn.version,
    )


def _outcome(event: Event) -> str:
    if isinstance(event.data, Stopped):
        return TurnStatus.STOPPED
    return TurnStatus.FAILED if isinstance(event.data, Failed) else TurnStatus.ANSWERED
