"""REST for asking a memory, and for one's own conversations."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import choosing, runner, services
from chat.models import Conversation, SubQuery, Turn, TurnEvent
from chat.protocol.events import Failed
from chat.streaming import EVENT_STREAM, EventStreamRenderer, event_stream
from knowledge.api import CorpusView
from knowledge.models import Corpus
from knowledge.views import corpus_or_404
from memosite.database import in_callers_thread
from training.microbatch import Busy


class SubQuerySerializer(serializers.ModelSerializer[SubQuery]):
    corpus = serializers.CharField(
        source="version.corpus.slug", default=None, read_only=True, help_text="Whose memory answered."
    )

    class Meta:
        model = SubQuery
        fields: tuple[str, ...] = (
            "index",
            "stage",
            "question",
            "answer",
            "known",
            "confidence",
            "latency_ms",
            "corpus",
        )


class TurnSerializer(serializers.ModelSerializer[Turn]):
    version = serializers.IntegerField(source="version.number", default=None, read_only=True)
    sub_queries = SubQuerySerializer(many=True, read_only=True)
    values = serializers.SerializerMethodField(help_text="The answer's items, for programs.")

    class Meta:
        model = Turn
        fields: tuple[str, ...] = (
            *(
                "id",
                "conversation",
                "question",
                "answer",
                "values",
                "known",
                "status",
                "version",
                "executive",
            ),
            *("created_at", "finished_at", "sub_queries"),
        )

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_values(self, turn: Turn) -> list[str]:
        final = next((event for event in turn.events.all() if event.type == "final"), None)
        return list(final.data["values"]) if final else []


class EventSerializer(serializers.ModelSerializer[TurnEvent]):
    class Meta:
        model = TurnEvent
        fields: tuple[str, ...] = ("seq", "type", "data")


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    corpus: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    others: Any = serializers.SlugRelatedField(
        slug_field="slug", read_only=True, many=True, help_text="Corpora that are asked as well."
    )

    class Meta:
        model = Conversation
        fields: tuple[str, ...] = ("id", "corpus", "others", "title", "executive", "created_at", "updated_at")


class ConversationChangesSerializer(serializers.Serializer[Any]):
    """What may change in a conversation."""

    title = serializers.CharField(required=False, max_length=120)
    executive = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=60,
        help_text="Leads from the next question on: one of the corpus's choices; empty for its default.",
    )


class ChoiceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label: Any = serializers.CharField()
    is_default = serializers.BooleanField()


class ConversationDetailSerializer(ConversationSerializer):
    turns = TurnSerializer(many=True, read_only=True)

    class Meta(ConversationSerializer.Meta):
        fields: tuple[str, ...] = (*ConversationSerializer.Meta.fields, "turns")


class AskSerializer(serializers.Serializer[Any]):
    question = serializers.CharField(max_length=services.MAX_QUESTION)
    conversation = serializers.IntegerField(
        required=False, help_text="Go on with this conversation of yours."
    )
    others = serializers.ListField(
        child=serializers.SlugField(),
        required=False,
        help_text="Corpora to ask as well, by slug; the surest memory answers. A conversation keeps its own.",
    )

    executive = serializers.CharField(
        required=False,
        max_length=60,
        help_text="Leads the new conversation: one of the corpus's choices. Without it the corpus's default does.",
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if "conversation" in values and "others" in values:
            raise serializers.ValidationError({"others": ["A conversation keeps the corpora it began with."]})
        if "conversation" in values and "executive" in values:
            raise serializers.ValidationError(
                {"executive": ["Change the EXECUTIVE of a conversation with PATCH of the conversation."]}
            )
        return values


class Ask(CorpusView):
    """Ask the live memory of a corpus."""

    serializer_class = AskSerializer
    renderer_classes = [JSONRenderer, EventStreamRenderer]

    @extend_schema(
        request=AskSerializer,
        responses={201: TurnSerializer, (200, EVENT_STREAM): OpenApiTypes.STR},
    )
    def post(self, request: Request, slug: str) -> HttpResponseBase:
        """Interrogate the memory and answer when it is done (readers). The turn is kept in your history.

        With ``Accept: text/event-stream`` the answer begins at once: a server-sent event ``turn`` with the turn's
        id, and then each event as it happens, until the last one. The turn goes on where you leave.

        503 with the code ``busy`` and ``Retry-After``: more sub-queries wait than the memory takes on.
        """
        corpus = self.corpus()
        checked = AskSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        conversation = self._conversation(corpus, checked.validated_data)
        turn = services.start_turn(conversation, checked.validated_data["question"], request.user)
        if request.accepted_renderer.media_type == EVENT_STREAM:
            return event_stream(turn, first=[async_to_sync(runner.begin)(turn)])
        if isinstance(request._request, ASGIRequest):
            last = async_to_sync(runner.run_apart)(
                turn
            )  # on the server's event loop, which outlives the request
        else:
            last = async_to_sync(runner.run)(turn, in_callers_thread)
        if last and isinstance(last.data, Failed) and last.data.code == Busy.code:
            raise Busy(last.data.message)
        return Response(TurnSerializer(turn).data, status=status.HTTP_201_CREATED)

    def _conversation(self, corpus: Corpus, asked: dict[str, Any]) -> Conversation:
        if "conversation" in asked:
            return get_object_or_404(own_conversations(self.request), pk=asked["conversation"], corpus=corpus)
        others = [corpus_or_404(self.request, slug) for slug in asked.get("others", ())]
        services.askable_versions((corpus, *others), self.request.user)
        return services.start_conversation(corpus, self.request.user, others, asked.get("executive", ""))


class Executives(CorpusView):
    """What may lead questions to a corpus."""

    serializer_class = ChoiceSerializer
    pagination_class = None

    @extend_schema(
        parameters=[OpenApiParameter("also", str, many=True, description="Corpora that are asked as well.")],
        responses=ChoiceSerializer(many=True),
    )
    def get(self, request: Request, slug: str) -> Response:
        """The EXECUTIVEs that readers may choose here, the default first."""
        others = [corpus_or_404(request, also) for also in request.query_params.getlist("also")]
        choices = choosing.choices_for([self.corpus(), *others])
        return Response(ChoiceSerializer(choices, many=True).data)


def own_conversations(request: Request) -> QuerySet[Conversation]:
    """One's own conversations, as far as one may still read their corpora."""
    return services.conversations_of(request.user).select_related("corpus").prefetch_related("others")


class ConversationList(ListAPIView[Conversation]):
    """Your conversations, the latest first."""

    serializer_class = ConversationSerializer
    queryset = Conversation.objects.none()

    def get_queryset(self) -> QuerySet[Conversation]:
        return own_conversations(self.request)


class ConversationDetail(APIView):
    """One of your conversations with its turns."""

    @extend_schema(responses=ConversationDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        rows = own_conversations(request).prefetch_related(
            "turns__sub_queries__version__corpus", "turns__events", "turns__version"
        )
        return Response(ConversationDetailSerializer(get_object_or_404(rows, pk=pk)).data)

    @extend_schema(request=ConversationChangesSerializer, responses=ConversationSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Give it another title, or let another EXECUTIVE lead from the next question on."""
        conversation = get_object_or_404(own_conversations(request), pk=pk)
        changes = ConversationChangesSerializer(data=request.data)
        changes.is_valid(raise_exception=True)
        services.change_conversation(conversation, request.user, **changes.validated_data)
        conversation.refresh_from_db()
        return Response(ConversationSerializer(conversation).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        services.delete_conversation(get_object_or_404(own_conversations(request), pk=pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


def own_turn(request: Request, pk: int) -> Turn:
    return get_object_or_404(Turn.objects.filter(conversation__in=own_conversations(request)), pk=pk)


class TurnDetail(APIView):
    """One of your turns."""

    @extend_schema(responses=TurnSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(TurnSerializer(own_turn(request, pk)).data)


AFTER = OpenApiParameter("after", int, description="Only events after this seq.")


def whole_number(text: str, name: str) -> int:
    """The number that a client sent under a name. Raises ValidationError."""
    if not text.isdecimal():
        raise serializers.ValidationError({name: ["A whole number is expected."]})
    return int(text)


class TurnEvents(APIView):
    """The stored events of one of your turns."""

    @extend_schema(parameters=[AFTER], responses=EventSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        after = whole_number(request.query_params.get("after", "0"), "after")
        rows = own_turn(request, pk).events.filter(seq__gt=after)
        return Response(EventSerializer(rows, many=True).data)


class TurnStream(APIView):
    """The events of one of your turns as server-sent events."""

    renderer_classes = [EventStreamRenderer, JSONRenderer]

    @extend_schema(
        parameters=[AFTER, OpenApiParameter("Last-Event-ID", int, OpenApiParameter.HEADER)],
        responses={(200, EVENT_STREAM): OpenApiTypes.STR, 204: None},
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Those that are stored, and then each as it happens, until the last one; 204 where none is left.

        ``Last-Event-ID``, or ``after``, is the last seq that you saw.
        """
        last = request.headers.get("Last-Event-ID") or request.query_params.get("after", "0")
        return event_stream(own_turn(request, pk), whole_number(last, "after"))


class TurnStop(APIView):
    """Stop the work on one of your turns."""

    @extend_schema(request=None, responses={202: None})
    def post(self, request: Request, pk: int) -> Response:
        services.request_stop(own_turn(request, pk))
        return Response(status=status.HTTP_202_ACCEPTED)
