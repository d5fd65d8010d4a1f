"""The websocket of a conversation: it forwards events and takes commands: ask, again, stop and follow."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from chat import runner, services
from chat.models import Conversation, Turn, TurnEvent, TurnStatus
from knowledge.models import Role
from memosite.errors import MemoError


class ConversationConsumer(AsyncJsonWebsocketConsumer):
    """Speaks JSON. In: ``{"action": "ask", "question"}``, ``{"action": "again", "turn"}`` (ask a turn's question
    again, with ``question``, ``executive`` or ``version`` where they are to differ), ``{"action": "stop"}`` and
    ``{"action": "follow", "turn", "after"}`` (replay the stored events of a turn after a seq).
    Out: ``{"turn", "seq", "type", "data"}``, and ``{"type": "turn", ...}`` when a question was accepted.
    """

    async def connect(self) -> None:
        conversation = await self._readable_conversation()
        if conversation is None:
            await self.close()  # before accept(): the handshake itself is refused with 403
            return
        self.conversation = conversation
        self.group = runner.group_of(conversation.pk)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self._prepare_memory()

    async def disconnect(self, code: int) -> None:
        if getattr(self, "group", None):
            await self.channel_layer.group_discard(self.group, self.channel_name)

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

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        try:
            return await super().decode_json(text_data)
        except ValueError:
            return None

    async def turn_events(self, message: dict[str, Any]) -> None:
        for event in message["events"]:
            await self.send_json(event)

    async def _ask(self, content: dict[str, Any]) -> None:
        await self._begin(await self._start_turn(str(content.get("question", ""))))

    async def _again(self, content: dict[str, Any]) -> None:
        await self._begin(await self._start_again(content))

    async def _begin(self, turn: Turn) -> None:
        await runner.tell(self.conversation.pk, [runner.announcement(turn)])
        runner.start(turn)

    async def _stop(self, content: dict[str, Any]) -> None:
        runner.stop_here(self.conversation.pk)
        await self._request_stop()

    async def _follow(self, content: dict[str, Any]) -> None:
        for event in await self._stored_events(content.get("turn"), content.get("after", 0)):
            await self.send_json(event)

    @database_sync_to_async
    def _readable_conversation(self) -> Conversation | None:
        person = self.scope["user"]
        if not person.is_authenticated:
            return None
        return services.conversations_of(person).filter(pk=self.scope["url_route"]["kwargs"]["pk"]).first()

    @database_sync_to_async
    def _prepare_memory(self) -> None:
        services.prepare_memory(self.conversation)

    @database_sync_to_async
    def _start_turn(self, question: str) -> Turn:
        return services.start_turn(self._fresh(), question, self.scope["user"])

    @database_sync_to_async
    def _start_again(self, content: dict[str, Any]) -> Turn:
        changes = services.Changes.from_wire(content)
        return services.ask_again(self._fresh(), content.get("turn"), changes, self.scope["user"])

    @database_sync_to_async
    def _request_stop(self) -> None:
        for turn in self._fresh().turns.filter(status=TurnStatus.RUNNING):
            services.request_stop(turn)

    @database_sync_to_async
    def _stored_events(self, turn: Any, after: Any) -> list[dict[str, Any]]:
        if not isinstance(turn, int) or not isinstance(after, int):
            raise MemoError("Follow needs a turn and the last seq that you saw, both whole numbers.")
        conversation = self._fresh()
        services.end_abandoned_turns(conversation)
        events = TurnEvent.objects.filter(turn=turn, turn__conversation=conversation, seq__gt=after)
        return [{"turn": turn, **event.as_dict()} for event in events]

    def _fresh(self) -> Conversation:
        """The conversation as it is now, if its person may still read its corpora. Raises NotAllowed."""
        found = Conversation.objects.filter(pk=self.conversation.pk).select_related("corpus").first()
        if found is None:
            raise MemoError("This conversation was deleted.")
        for corpus in found.corpora:
            corpus.require(self.scope["user"], Role.READER)
        return found
