"""REST for feedback on one's own turns, and for the demand of a corpus."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import demand, feedback
from chat.api.asking import own_turn
from chat.models import Demand, Feedback, FeedbackReason, UnansweredQuestion
from chat.views.demand import demands_of
from knowledge.api import CorpusView
from knowledge.models import Role


class FeedbackSerializer(serializers.ModelSerializer[Feedback]):
    pair = serializers.IntegerField(
        source="reflection_id", read_only=True, help_text="The pair that your correction became."
    )
    pair_status = serializers.CharField(source="reflection.status", default=None, read_only=True)
    answered_by = serializers.IntegerField(
        source="answered_by.number",
        default=None,
        read_only=True,
        help_text="The live version that answers it.",
    )

    class Meta:
        model = Feedback
        fields: tuple[str, ...] = (
            *("is_good", "reason", "comment", "corrected", "pair", "pair_status"),
            *("answered_by", "answered_at", "created_at", "updated_at"),
        )


class GiveFeedbackSerializer(serializers.Serializer[Any]):
    is_good = serializers.BooleanField()
    reason = serializers.ChoiceField(FeedbackReason.choices, required=False, allow_blank=True)
    comment = serializers.CharField(required=False, allow_blank=True, max_length=feedback.MAX_COMMENT)
    corrected = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=feedback.MAX_CORRECTED,
        help_text="The answer as it should be. It becomes a pending pair for the corpus's curators.",
    )


class TurnFeedback(APIView):
    """What you say of the answer to one of your questions."""

    @extend_schema(responses=FeedbackSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Your feedback, and what became of your correction."""
        row = get_object_or_404(Feedback.objects.filter(turn=own_turn(request, pk)))
        return Response(FeedbackSerializer(row).data)

    @extend_schema(request=GiveFeedbackSerializer, responses={201: FeedbackSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Say whether the answer was good, in the place of what you said before."""
        turn = own_turn(request, pk)
        checked = GiveFeedbackSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        row = feedback.give(turn, request.user, **checked.validated_data)
        return Response(FeedbackSerializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Take it back, and your correction with it unless a curator has looked at that."""
        feedback.withdraw(own_turn(request, pk), request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class UnansweredQuestionSerializer(serializers.ModelSerializer[UnansweredQuestion]):
    class Meta:
        model = UnansweredQuestion
        fields: tuple[str, ...] = ("question", "missing", "asked_at")


class DemandSerializer(serializers.ModelSerializer[Demand]):
    questions = UnansweredQuestionSerializer(source="shown", many=True, read_only=True)
    answered_by = serializers.IntegerField(source="answered_by.number", default=None, read_only=True)
    pair = serializers.IntegerField(source="reflection_id", read_only=True)

    class Meta:
        model = Demand
        fields: tuple[str, ...] = (
            *("id", "question", "times", "status", "first_asked_at", "last_asked_at"),
            *("answered_by", "pair", "questions"),
        )


class DemandList(CorpusView, ListAPIView[Demand]):
    """Questions that memory could not answer, like ones together (curators)."""

    serializer_class = DemandSerializer
    queryset = Demand.objects.none()

    @extend_schema(
        parameters=[OpenApiParameter("status", enum=Demand.Status.values, description="Only these.")]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Those asked most often first, each with its latest questions."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Demand]:
        wanted = self.request.query_params.get("status", "")
        if wanted and wanted not in Demand.Status.values:
            choices = ", ".join(Demand.Status.values)
            raise serializers.ValidationError({"status": [f"Choose one of: {choices}."]})
        return demands_of(self.corpus(Role.CURATOR), wanted)


class DecideSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField([Demand.Status.OPEN, Demand.Status.DISMISSED])


class DemandDetail(CorpusView):
    """One group of questions that memory could not answer (curators)."""

    serializer_class = DemandSerializer

    @extend_schema(request=DecideSerializer, responses=DemandSerializer)
    def patch(self, request: Request, slug: str, pk: int) -> Response:
        """Dismiss it, or reopen it."""
        rows = demands_of(self.corpus(Role.CURATOR))
        checked = DecideSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        decide = demand.reopen if checked.validated_data["status"] == Demand.Status.OPEN else demand.dismiss
        decide(get_object_or_404(rows, pk=pk), request.user)
        return Response(DemandSerializer(rows.get(pk=pk)).data)
