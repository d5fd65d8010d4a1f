"""Who follows a conversation hears of it, whoever answers; events of many turns are stored together."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from chat import following as chat_following
from chat import runner
from chat.following import MOST_WAITING, Hub, Told
from chat.models import Turn, TurnEvent, TurnStatus
from chat.protocol.events import ClueFound, DecisionMade, Event, FinalAnswer, SubQueryAsked
from chat.services import closed_conversations
from chat.writing import Writer
from knowledge.models import Role
from memosite.errors import Conflict
from tests.factories import ConversationFactory, CorpusFactory, TurnFactory, UserFactory


def told(seq: int, turn: int = 1) -> Told:
    return Told.event(turn, Event(seq=seq, data=ClueFound(text=f"clue {seq}")))


# --- Following ---------------------------------------------------------------------------------------------
async def test_every_follower_of_a_conversation_hears_of_it_and_nobody_else_does():
    hub = Hub()
    with hub.follow(1) as one, hub.follow(1) as other, hub.follow(2) as foreign:
        hub.tell(1, [told(1), told(2)])
        assert await one.news() == await other.news() == [told(1), told(2)]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(foreign.news(), 0.01)


async def test_a_message_is_the_event_with_its_turn():
    assert json.loads(told(3, turn=7).text) == {
        "turn": 7,
        "seq": 3,
        "type": "clue",
        "data": {"text": "clue 3", "power": 0},
    }


async def test_a_follower_that_does_not_listen_is_behind_and_takes_no_more():
    hub = Hub()
    with hub.follow(1) as slow:
        hub.tell(1, [told(1)] * (MOST_WAITING + 1))
        hub.tell(1, [told(2)])
        assert slow.is_behind
        assert told(2) not in await slow.news()


class Line:
    """A channel layer between hubs. It is out of order for the first ``faults`` sendings."""

    def __init__(self, faults: int = 0) -> None:
        self.faults, self.queues, self.sent = faults, [], 0

    async def new_channel(self) -> asyncio.Queue[Any]:
        return asyncio.Queue()

    async def group_add(self, group: str, channel: asyncio.Queue[Any]) -> None:
        self.queues.append(channel)

    async def receive(self, channel: asyncio.Queue[Any]) -> Any:
        return await channel.get()

    async def group_send(self, group: str, message: Any) -> None:
        if self.faults:
            self.faults -= 1
            raise ConnectionError
        self.sent += 1
        for queue in self.queues:
            queue.put_nowait(message)


@pytest.fixture
def line(settings, monkeypatch) -> Line:
    settings.REDIS_URL = "redis://elsewhere"
    made = Line()
    monkeypatch.setattr(chat_following, "get_channel_layer", lambda: made)
    return made


async def test_other_processes_hear_in_one_message_what_gathered_and_each_hears_once(line):
    here, there = Hub(), Hub()
    with here.follow(1) as mine, there.follow(1) as theirs:
        while len(line.queues) < 2:
            await asyncio.sleep(0)
        for seq in (1, 2, 3):
            here.tell(1, [told(seq)])
        await here.flushed()
        assert await theirs.news() == await mine.news() == [told(1), told(2), told(3)]
        assert line.sent == 1


async def test_followers_of_the_same_process_hear_although_redis_is_down(line):
    line.faults = 1
    hub = Hub()
    with hub.follow(1) as mine:
        hub.tell(1, [told(1)])
        await hub.flushed()
        assert await mine.news() == [told(1)]


# --- Abandoned turns, and people who may not read any more -------------------------------------------------
def silent_turn() -> Turn:
    """A turn of somebody who may read its corpus, whose process has died."""
    corpus = CorpusFactory()
    conversation = ConversationFactory(corpus=corpus, person=UserFactory(reads=corpus))
    return TurnFactory(conversation=conversation, heartbeat_at=timezone.now() - timedelta(minutes=1))


@pytest.mark.django_db(transaction=True)
async def test_a_follower_is_told_that_a_process_died_without_asking(monkeypatch):
    monkeypatch.setattr(runner, "SIGN_SECONDS", 0.01)
    turn = await sync_to_async(silent_turn)()
    with runner.follow(turn.conversation_id) as following:
        (last,) = await asyncio.wait_for(following.news(), 10)
    assert (last.turn, last.seq, last.type) == (turn.pk, 1, "error")
    assert json.loads(last.text)["data"]["code"] == "interrupted"
    assert (await Turn.objects.aget()).status == TurnStatus.FAILED


@pytest.mark.django_db(transaction=True)
async def test_a_process_does_not_give_up_what_it_answers_itself(monkeypatch):
    turn = await sync_to_async(TurnFactory)(heartbeat_at=timezone.now() - timedelta(minutes=1))
    assert await sync_to_async(runner.services.end_all_abandoned)({turn.pk}) == []
    assert (await Turn.objects.aget()).status == TurnStatus.RUNNING


async def test_whoever_is_let_go_hears_nothing_more():
    hub = Hub()
    with hub.follow(1) as mine, hub.follow(2) as other:
        hub.tell(1, [told(1)])
        hub.close(1)
        hub.tell(1, [told(2)])
        hub.tell(2, [told(1)])
        assert (await mine.news(), mine.goes_on) == ([], False)
        assert (await other.news(), other.goes_on) == ([told(1)], True)


@pytest.mark.django_db
def test_a_conversation_is_closed_to_whoever_may_not_read_all_of_its_corpora_any_more():
    ships, people = CorpusFactory(), CorpusFactory()
    both, one = UserFactory(curates=ships, reads=people), UserFactory(reads=ships)
    gone = UserFactory(reads=ships, is_active=False)
    operator = UserFactory(is_superuser=True)
    opened = [ConversationFactory(corpus=ships, person=person) for person in (both, one, gone, operator)]
    opened[0].others.add(people)
    opened[3].others.add(people)
    keys = [conversation.pk for conversation in opened]
    assert closed_conversations([*keys, 10_000]) == [gone.conversations.get().pk, 10_000]
    both.groups.remove(people.group(Role.READER))
    one.groups.clear()
    assert closed_conversations(keys) == keys[:3]


# --- Storing together --------------------------------------------------------------------------------------
def asked(seq: int) -> list[Event]:
    return [
        Event(seq=seq, data=DecisionMade(action="ask", calls=1, prompt_tokens=10)),
        Event(seq=seq + 1, data=SubQueryAsked(index=1, stage="grounding", question="Who?")),
    ]


@pytest.fixture
def batches() -> list[list[Any]]:
    return []


@pytest.fixture
def writer(batches) -> Writer:
    async def database(function: Any, *arguments: Any) -> Any:
        batches.append(list(arguments))
        return await sync_to_async(function)(*arguments)

    return Writer(database)


@pytest.mark.django_db(transaction=True)
async def test_events_that_come_while_others_are_stored_are_stored_together(writer, batches):
    turns = [await sync_to_async(TurnFactory)() for _ in range(5)]
    await asyncio.gather(*(writer.store(turn, asked(1)) for turn in turns))
    assert len(batches) == 1
    assert await TurnEvent.objects.acount() == 10
    assert {turn.calls async for turn in Turn.objects.all()} == {1}


@pytest.mark.django_db(transaction=True)
async def test_a_turn_that_somebody_else_answers_spoils_nothing_for_the_others(writer):
    turns = [await sync_to_async(TurnFactory)() for _ in range(3)]
    await TurnEvent.objects.acreate(turn=turns[1], seq=1, type="clue", data={"text": "", "power": 0})
    results = await asyncio.gather(*(writer.store(turn, asked(1)) for turn in turns), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), Conflict, type(None)]
    assert [turn.calls async for turn in Turn.objects.order_by("pk")] == [1, 0, 1]


@pytest.mark.django_db(transaction=True)
async def test_what_failed_and_is_stored_again_is_counted_once(writer):
    turn = await sync_to_async(TurnFactory)()
    await TurnEvent.objects.acreate(turn=turn, seq=2, type="clue", data={"text": "", "power": 0})
    with pytest.raises(Conflict):
        await writer.store(turn, asked(1))
    await writer.store(turn, asked(3))
    final = FinalAnswer(text="Ada.", values=[], known=True, sub_queries=[1])
    await writer.store(turn, [Event(seq=5, data=final)])
    row = await Turn.objects.aget()
    assert (row.calls, row.prompt_tokens, row.answer, row.status) == (1, 10, "Ada.", TurnStatus.ANSWERED)
