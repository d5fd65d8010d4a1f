"""What people do in the chat; the websocket, REST and the command line all ask through ``start_turn``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from chat import choosing
from chat.executives import executive_named
from chat.models import RULES, Conversation, Turn, TurnStatus
from chat.protocol.events import Event, Failed
from chat.protocol.state import Budget
from chat.protocol.stream import blocking, interrogate
from chat.storing import store
from knowledge.models import Corpus, Role
from memosite.errors import Conflict, MemoError, NotAllowed
from memosite.llm.text import printable
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


class DeletedConversation(MemoError):
    """The conversation was deleted, perhaps while the question came in."""

    code = "no_conversation"
    status = 404


class NoSuchVersion(MemoError):
    """The corpus has no version of that number for this person."""

    code = "no_such_version"
    status = 404


class ClosedMemory(NotAllowed):
    """The memory also learned from corpora that the person may not read."""

    code = "closed_memory"


@transaction.atomic
def start_conversation(
    corpus: Corpus, person: Any, others: Iterable[Corpus] = (), executive: str = ""
) -> Conversation:
    """Make a conversation with corpora that the person may read, led by the EXECUTIVE that is named, if any.

    Raises NotAllowed, TooManyCorpora, ExecutiveNotAllowed.
    """
    beside = _beside(corpus, others)
    for each in (corpus, *beside):
        each.require(person, Role.READER)
    conversation = Conversation.objects.create(corpus=corpus, person=person)
    conversation.others.set(beside)
    if executive:
        choosing.choose(conversation, executive, person)
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


def closed_conversations(conversations: Iterable[int]) -> list[int]:
    """Of the conversations, given by their keys, those that are gone or closed to their own person by now."""
    conversations = list(conversations)
    asked = Conversation.others.through._default_manager.filter(conversation=OuterRef("pk"))
    closed = asked.exclude(_person_reads("corpus", OuterRef("conversation__person")))
    may_read = Q(_person_reads("corpus", OuterRef("person")), ~Exists(closed)) | Q(person__is_superuser=True)
    rows = Conversation.objects.filter(may_read, pk__in=conversations, person__is_active=True)
    open_still = set(rows.values_list("pk", flat=True))
    return [pk for pk in conversations if pk not in open_still]


def _person_reads(corpus: str, person: Any) -> Exists:
    """Whether a row's corpus, given by the path to it, has the person in one of the groups that read it."""
    of_role = [Q(group=OuterRef(f"{corpus}__{role}_group")) for role in Role.values]
    memberships = get_user_model().groups.through._default_manager.filter(user=person)
    return Exists(memberships.filter(reduce(or_, of_role)))


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


@transaction.atomic
def change_conversation(
    conversation: Conversation, person: Any, *, title: str | None = None, executive: str | None = None
) -> None:
    """Change what is given, all of it or nothing. Raises BadTitle, NotAllowed, ExecutiveNotAllowed."""
    if title is not None:
        rename_conversation(conversation, title)
    if executive is not None:
        choosing.choose(conversation, executive, person)


@transaction.atomic
def delete_conversation(conversation: Conversation) -> None:
    """Delete a conversation with its turns. Raises Conflict while a question is being answered."""
    Conversation.objects.select_for_update().filter(
        pk=conversation.pk
    ).first()  # no question comes in meanwhile
    end_abandoned_turns(conversation)
    if conversation.turns.filter(status=TurnStatus.RUNNING).exists():
        raise Conflict("A question is still being answered here. Stop it before you delete the conversation.")
    conversation.delete()


@dataclass(frozen=True)
class Changes:
    """What is different when a question is asked again; empty fields stay as they were.

    ``executive`` is the name of one, ``version`` the number of a version of the conversation's own corpus.
    """

    question: str = ""
    executive: str = ""
    version: int | None = None

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Changes:
        """What a client sent. Raises BadQuestion where the version is no number."""
        version = wire.get("version") or None
        if version is not None and not str(version).isdecimal():
            raise BadQuestion("Give the number of a version.")
        return cls(
            str(wire.get("question") or ""),
            str(wire.get("executive") or ""),
            int(version) if version is not None else None,
        )


def start_turn(conversation: Conversation, question: str, person: Any) -> Turn:
    """Make the row of a new turn.

    Raises BadQuestion, NotAllowed, ClosedMemory, NoLiveVersion, or Conflict while one runs.
    """
    question = checked(question)
    versions = askable_versions(conversation.corpora, person)
    executive = choosing.executive_for(conversation, versions=versions)
    return _begin(conversation, versions, question=question, executive=executive)


def ask_again(conversation: Conversation, turn: Any, changes: Changes, person: Any) -> Turn:
    """Make the row of a turn that asks an earlier one's question again: as it was, edited, or of another
    EXECUTIVE or version.

    Raises what ``start_turn`` raises, Conflict where there is no such turn, and ExecutiveNotAllowed.
    """
    earlier = conversation.turns.filter(pk=turn).first() if isinstance(turn, int) else None
    if earlier is None:
        raise Conflict("There is no such question in this conversation. Reload the page.")
    question = checked(changes.question or earlier.question)
    versions = askable_versions(conversation.corpora, person)
    if changes.version is not None:
        versions[0] = _version_to_try(conversation.corpus, changes.version, person)
    executive = choosing.executive_for(conversation, changes.executive, versions)
    return _begin(conversation, versions, question=question, executive=executive, again_of=earlier)


def _version_to_try(corpus: Corpus, number: int, person: Any) -> MemoryVersion:
    """A version, live or not, for those who decide what goes live. Raises NotAllowed, NoSuchVersion."""
    version = corpus.versions.filter(number=number).first()
    if version is not None and version.is_live and version.allows(person):
        return version
    corpus.require(person, Role.CURATOR)
    if version is None or not version.allows(person):
        raise NoSuchVersion(f"“{corpus.name}” has no version {number} that you may ask.")
    return version


def _begin(
    conversation: Conversation, versions: list[MemoryVersion], *, question: str, **fields: Any
) -> Turn:
    title = conversation.title = conversation.title or question[:TITLE_LENGTH]
    with transaction.atomic():
        row = Conversation.objects.filter(pk=conversation.pk)
        if not row.update(title=title, updated_at=timezone.now()):  # which also locks it
            raise DeletedConversation("This conversation was deleted.")
        running = conversation.turns.filter(status=TurnStatus.RUNNING)
        ended = [end_if_abandoned(turn) for turn in running]
        if ended and running.exists():
            raise Conflict("The last question is still being answered. Wait for it, or stop it.")
        turn = Turn.objects.create(
            conversation=conversation, question=question, version=versions[0], **fields
        )
        asked = Turn.versions.through
        asked._default_manager.bulk_create(asked(turn=turn, memoryversion=version) for version in versions)
        return turn


def askable_versions(corpora: Iterable[Corpus], person: Any) -> list[MemoryVersion]:
    """The live version of each corpus, for a person who may ask all of them; ``None`` is the site's operator.

    Raises NotAllowed, NoLiveVersion, and ClosedMemory where a version learned from more than the person may read.
    """
    versions = []
    for corpus in corpora:
        if person is not None:
            corpus.require(person, Role.READER)
        versions.append(live_version(corpus))
    prefetch_related_objects(versions, "corpora")
    for version in versions:
        if person is not None and not version.allows(person):
            raise ClosedMemory(
                f"The live memory of “{version.corpus.name}” also learned from corpora that you may not read, so "
                "you may not ask it. An owner of those can give you access."
            )
    return versions


def interrogate_once(
    corpus: Corpus,
    question: str,
    person: Any = None,
    others: Iterable[Corpus] = (),
    executive: str = "",
) -> Iterator[Event]:
    """Ask the live MEMORY of a corpus, and of others beside it, without a conversation: nothing is stored.

    Without a person the site's operator asks; without ``executive`` the corpora's own leads. Raises what
    ``start_turn`` raises, and ExecutiveNotAllowed.
    """
    corpora = (corpus, *_beside(corpus, others))
    memory = memory_of(askable_versions(corpora, person))
    name = choosing.checked_executive(corpora, executive)
    lead = executive_named(name)
    yield from blocking(interrogate(checked(question), lead, memory, budget=turn_budget(name)))


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
    question = " ".join(printable(question).split())
    if not question:
        raise BadQuestion("Type a question first.")
    if len(question) > MAX_QUESTION:
        raise BadQuestion(
            f"The question is {len(question):,} characters long; {MAX_QUESTION:,} is the limit."
        )
    return question


def turn_budget(executive: str) -> Budget:
    """What one question may cost, as the site is set. The built-in EXECUTIVE's decisions cost next to nothing."""
    bounds = Budget(total=settings.SUB_QUERY_BUDGET, seconds=settings.TURN_SECONDS)
    if executive == RULES:
        return bounds
    return replace(bounds, rounds=settings.TURN_ROUNDS, tokens=settings.TURN_TOKENS)


def request_stop(turn: Turn) -> None:
    """Ask the process that answers the turn to stop; it cancels its calls within half a second."""
    Turn.objects.filter(pk=turn.pk, status=TurnStatus.RUNNING).update(stop_requested=True)


def end_abandoned_turns(conversation: Conversation) -> None:
    """Mark turns as failed whose process died in the middle, so that nothing waits for them for ever."""
    for turn in conversation.turns.abandoned():
        with suppress(Conflict):  # another process was quicker
            end_if_abandoned(turn)


def end_all_abandoned(answered_here: Iterable[int] = ()) -> list[tuple[Turn, Event]]:
    """End every turn whose process died in the middle; those that this call has ended, with their last events.

    ``answered_here`` are turns that this very process answers: they live, however late their signs are.
    """
    ended = []
    for turn in Turn.objects.abandoned().exclude(pk__in=list(answered_here)):
        with suppress(Conflict):  # another process was quicker
            if event := end_if_abandoned(turn):
                ended.append((turn, event))
    return ended


def end_if_abandoned(turn: Turn) -> Event | None:
    """The event that ends the turn if its process died in the middle, stored; None where it lives.

    Raises Conflict where another process was quicker to end it.
    """
    with transaction.atomic():
        row = Turn.objects.abandoned().select_for_update().filter(pk=turn.pk).first()
        if row is None:
            return None  # it has given a sign since, or was ended
        last = row.events.order_by("-seq").values_list("seq", flat=True).first() or 0
        message = "The server stopped while it was answering. Ask again."
        event = Event(seq=last + 1, data=Failed(message=message, code="interrupted"))
        store(row, [event])
        return event


def _beside(corpus: Corpus, others: Iterable[Corpus]) -> list[Corpus]:
    """The other corpora, each once. Raises TooManyCorpora."""
    beside = [each for each in dict.fromkeys(others) if each != corpus]
    if len(beside) >= CORPORA_AT_ONCE:
        raise TooManyCorpora(f"Ask at most {CORPORA_AT_ONCE} corpora at once.")
    return beside
