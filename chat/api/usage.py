"""REST for what was asked."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat.usage_report import overseen_by, period_of, report_on
from chat.views.usage import chosen_corpora


class FiguresSerializer(serializers.Serializer[Any]):
    """Sums over turns; each counts under its conversation's own corpus and the day (UTC) on which it ended."""

    questions = serializers.IntegerField()
    answered = serializers.IntegerField(help_text="Greetings and the like included.")
    abstained = serializers.IntegerField(help_text="Memory did not know.")
    stopped = serializers.IntegerField()
    failed = serializers.IntegerField()
    mean_seconds = serializers.FloatField(allow_null=True)
    calls = serializers.IntegerField(help_text="Round trips to the EXECUTIVE.")
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    cost = serializers.DecimalField(max_digits=20, decimal_places=6, help_text="US dollars.")


class PartSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="A corpus's slug, an EXECUTIVE's name, or a day.")
    name = serializers.CharField()
    figures = FiguresSerializer()


class ReportSerializer(serializers.Serializer[Any]):
    first_day = serializers.DateField(source="period.first")
    last_day = serializers.DateField(source="period.last")
    total = FiguresSerializer()
    by_corpus = PartSerializer(many=True)
    by_executive = PartSerializer(many=True)
    by_day = PartSerializer(many=True)


class Usage(APIView):
    """What was asked of the corpora that you own; administrators see all."""

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "days", int, description="The last so many days, today included; 30 if left out."
            ),
            OpenApiParameter("from", str, description="First day, as 2026-05-31, instead of days."),
            OpenApiParameter("to", str, description="Last day, as 2026-05-31, instead of days."),
            OpenApiParameter("corpus", str, description="Only this corpus, by its slug."),
        ],
        responses=ReportSerializer,
    )
    def get(self, request: Request) -> Response:
        """Questions, outcomes, seconds, calls, tokens and money by corpus, EXECUTIVE and day."""
        corpora, _ = chosen_corpora(overseen_by(request.user), request.query_params.get("corpus", ""))
        report = report_on(corpora, period_of(request.query_params))
        return Response(ReportSerializer(report).data)
