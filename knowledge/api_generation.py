"""REST for what a generation with a language model costs, and for pausing, resuming and retrying it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from knowledge import services
from knowledge.api import CorpusView, GenerationRunSerializer, own_row
from knowledge.forecast import foresee
from knowledge.generators import endpoint_named
from knowledge.models import GenerationRun, Role
from knowledge.synthesis import retry_failed


class ForecastSerializer(serializers.Serializer[Any]):
    """What a run over the whole corpus will take; all zero for the built-in rules."""

    generator = serializers.CharField()
    calls = serializers.IntegerField(default=0)
    prompt_tokens = serializers.IntegerField(default=0)
    completion_tokens = serializers.IntegerField(default=0)
    dollars = serializers.DecimalField(max_digits=12, decimal_places=4, default=Decimal(0))
    minutes = serializers.FloatField(default=0.0)
    is_measured = serializers.BooleanField(default=True)


class ResumeSerializer(serializers.Serializer[Any]):
    """The budget of a run, in US dollars, for all of it; without one it goes to its end."""

    budget = serializers.DecimalField(
        max_digits=10, decimal_places=2, min_value=Decimal("0.01"), required=False, allow_null=True
    )


class GenerationForecast(CorpusView):
    """What a generation will take."""

    serializer_class = ForecastSerializer

    @extend_schema(responses=ForecastSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Calls, tokens, dollars and minutes (curators); ``?generator=`` names another one than the corpus's."""
        corpus = self.corpus(Role.CURATOR)
        named = request.query_params.get("generator", "")
        endpoint = endpoint_named(named) if named else corpus.generator
        if endpoint is None:
            return Response(ForecastSerializer({"generator": "rules"}).data)
        return Response(
            ForecastSerializer({"generator": endpoint.name, **vars(foresee(corpus, endpoint))}).data
        )


class GenerationRunPause(APIView):
    """Stop a generation run for now."""

    @extend_schema(request=None, responses=GenerationRunSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Pause a run that waits or works (curators); what it has done is kept."""
        run = own_row(request, GenerationRun.objects, Role.CURATOR, pk=pk)
        run.request_pause()
        return Response(GenerationRunSerializer(run).data)


class GenerationRunResume(APIView):
    """Let a paused generation run go on."""

    @extend_schema(request=ResumeSerializer, responses=GenerationRunSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Resume a paused run with a budget for all of it (curators)."""
        run = own_row(request, GenerationRun.objects, Role.CURATOR, pk=pk)
        checked = ResumeSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        services.resume_generation(run, checked.validated_data.get("budget", run.budget))
        return Response(GenerationRunSerializer(run).data)


class GenerationRunRetry(APIView):
    """Try again what failed in a generation run."""

    @extend_schema(request=None, responses=GenerationRunSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Queue the failed units of an ended run (curators); calls that succeeded are not paid for again."""
        run = own_row(request, GenerationRun.objects, Role.CURATOR, pk=pk)
        retry_failed(run)
        return Response(GenerationRunSerializer(run).data)
