"""The websocket of a conversation: it forwards events and takes commands: ask, again, stop and follow."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import get_user_model

from chat import runner, services
from chat.answering import in_database
from chat.following import Told
from chat.models import Conversation, Turn, TurnEvent, TurnStatus
from knowledge.models import Role
from memosite.errors import MemoError

TOO_SLOW = 4008  # the websocket's close code for a client that does not read what it is sent
LET_GO = 4003  # and for one whose session has ended, or who may not read the conversation any more


class LoggedOut(MemoError):
    """The session has ended, or the account was closed, while the socket was open."""

    code = "logged_out"
    status = 401


class ConversationConsumer(AsyncJsonWebsocketConsumer):
    """Speaks JSON. In: ``{"action": "ask", "question"}``, ``{"action": "again", "turn"}`` (ask a turn's question
    again, with ``question``, ``executive`` or ``version`` where they are to differ), ``{"action": "stop"}`` and
    ``{"action": "follow", "turn", "after"}`` (replay the stored events of a turn after a seq).
    Out: ``{"turn", "seq", "type", "data"}``, and ``{"type": "turn", ...}`` when a question was accepted.
    """

    channel_layer_alias = "none"  # each process listens once, for all of its sockets: chat.following

    async def connect(self) -> None:
        conversation = await in_database(self._readable_conversation)
        if conversation is None:
            await self.close()  # before accept(): the handshake itself is refused with 403
            return
        self.conversation = conversation
        await self.accept()
        self.forwarding = asyncio.create_task(self._forward())
        await in_database(services.prepare_memory, conversation)

    async def disconnect(self, code: int) -> None:
        if forwarding := getattr(self, "forwarding", None):
            forwarding.cancel()

    async def _forward(self) -> None:
        """Pass on what happens in the conversation. A client that cannot keep up has to come back and ask."""
        with runner.follow(self.conversation.pk) as following:
            while following.goes_on:
                for told in await following.news():
                    await self.send(text_data=told.text)
        await self.close(code=LET_GO if following.is_closed else TOO_SLOW)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        action = content.get("action") if isinstance(content, dict) else None
        handlers = {"ask": self._ask, "again": self._again, "stop": self._stop, "follow": self._follow}
        handler = handlers.get(str(action))
        try:
            if handler is None:
                raise MemoError("Send an action: ask, again, stop or follow.")
            await handler(content)
        except MemoError as error:
            await self.send_json({"type": "refused", "data": {"message": str(error), "code": error.code}})
            if isinstance(error, LoggedOut):
                await self.close(code=LET_GO)

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        try:
            return await super().decode_json(text_data)
        except ValueError:
            return None

    async def _ask(self, content: dict[str, Any]) -> None:
        await runner.begin(await in_database(self._start_turn, str(content.get("question", ""))))

    async def _again(self, content: dict[str, Any]) -> None:
        await runner.begin(await in_database(self._start_again, content))

    async def _stop(self, content: dict[str, Any]) -> None:
        runner.stop_here(self.conversation.pk)
        await in_database(self._request_stop)

    async def _follow(self, content: dict[str, Any]) -> None:
        for told in await in_database(self._stored_events, content.get("turn"), content.get("after", 0)):
            await self.send(text_data=told.text)

    def _readable_conversation(self) -> Conversation | None:
        person = self.scope["user"]
        if not person.is_authenticated:
            return None
        return services.conversations_of(person).filter(pk=self.scope["url_route"]["kwargs"]["pk"]).first()

    def _start_turn(self, question: str) -> Turn:
        return services.start_turn(self._found(), question, self.scope["user"])

    def _start_again(self, content: dict[str, Any]) -> Turn:
        changes = services.Changes.from_wire(content)
        return services.ask_again(self._found(), content.get("turn"), changes, self.scope["user"])

    def _request_stop(self) -> None:
        for turn in self._fresh().turns.filter(status=TurnStatus.RUNNING):
            services.request_stop(turn)

    def _stored_events(self, turn: Any, after: Any) -> list[Told]:
        if not isinstance(turn, int) or not isinstance(after, int):
            raise MemoError("Follow needs a turn and the last seq that you saw, both whole numbers.")
        conversation = self._fresh()
        services.end_abandoned_turns(conversation)
        events = TurnEvent.objects.filter(turn=turn, turn__conversation=conversation, seq__gt=after)
        return [Told.stored(turn, event.as_dict()) for event in events]

    def _fresh(self) -> Conversation:
        """The conversation as it is now, if its person may still read its corpora. Raises NotAllowed."""
        found = self._found()
        for corpus in found.corpora:
            corpus.require(self.scope["user"], Role.READER)
        return found

    def _found(self) -> Conversation:
        """The conversation as it is now, for services that ask by themselves who may do what.

        Raises LoggedOut where the session or the account was closed since the socket was opened.
        """
        self.scope["user"] = self._person()
        rows = Conversation.objects.select_related("corpus").prefetch_related("others")
        found = rows.filter(pk=self.conversation.pk).first()
        if found is None:
            raise services.DeletedConversation("This conversation was deleted.")
        return found

    def _person(self) -> Any:
        """The person as the account is now."""
        session = self.scope["session"]
        people = get_user_model().objects.filter(pk=self.scope["user"].pk, is_active=True)
        person = people.prefetch_related("groups").first()
        if person is None or not session.exists(session.session_key):
            raise LoggedOut("You are logged out. Log in again to go on.")
        return person
