"""REST for training runs. Memory versions and their aliases are in ``training.api_registry``."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from knowledge.api import RUN_FIELDS, CorpusView, RunSerializer, own_row
from knowledge.models import Role
from training import services
from training.models import TrainingRun


class TrainingRunSerializer(RunSerializer):
    version = serializers.IntegerField(source="version.number", default=None, read_only=True)

    class Meta:
        model = TrainingRun
        fields = [*RUN_FIELDS, "config", "go_live", "version", "curve"]


class TrainSerializer(serializers.Serializer[Any]):
    config = serializers.DictField(
        default=dict, help_text="Numbers of the recipe that differ from the default."
    )
    go_live = serializers.BooleanField(default=False, help_text="Promote the new version; owners only.")


class Train(CorpusView):
    """Start a training."""

    serializer_class = TrainSerializer

    @extend_schema(request=TrainSerializer, responses={202: TrainingRunSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Queue the training of a new version on the approved pairs (curators; ``go_live`` for owners)."""
        corpus = self.corpus(Role.CURATOR)
        checked = TrainSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        if checked.validated_data["go_live"]:
            corpus.require(request.user, Role.OWNER)
        run = services.start_training(corpus, request.user, **checked.validated_data)
        return Response(TrainingRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class TrainingRunList(CorpusView):
    """The training runs of a corpus, the newest first."""

    serializer_class = TrainingRunSerializer

    @extend_schema(responses=TrainingRunSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        page = self.paginate_queryset(self.corpus().training_runs.select_related("corpus", "version"))
        return self.get_paginated_response(TrainingRunSerializer(page, many=True).data)


class TrainingRunDetail(APIView):
    """A training run: how far it is, its curve, and what went wrong."""

    @extend_schema(responses=TrainingRunSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(TrainingRunSerializer(own_row(request, TrainingRun.objects, Role.READER, pk=pk)).data)


class TrainingRunCancel(APIView):
    """Stop a training run."""

    @extend_schema(request=None, responses=TrainingRunSerializer)
    def post(self, request: Request, pk: int) -> Response:
        run = own_row(request, TrainingRun.objects, Role.CURATOR, pk=pk)
        run.request_cancel()
        return Response(TrainingRunSerializer(run).data)
