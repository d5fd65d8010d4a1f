"""REST for training runs. Memory versions and their aliases are in ``training.api_registry``."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from knowledge.api import RUN_FIELDS, CorpusView, RunSerializer, own_row
from knowledge.models import Role
from training import services
from training.audience import open_trainings
from training.choices import wishes_from
from training.engine.config import EngineConfig, as_yaml
from training.models import TrainingRun
from training.plans import command_of, config_of, plan_training


class TrainingRunSerializer(RunSerializer):
    version = serializers.IntegerField(source="version.number", default=None, read_only=True)
    base = serializers.CharField(source="base_model.name", default=None, read_only=True)
    continues = serializers.IntegerField(source="continues.number", default=None, read_only=True)
    rebuilds = serializers.IntegerField(source="rebuilds.number", default=None, read_only=True)

    class Meta:
        model = TrainingRun
        fields = [*RUN_FIELDS, "base", "recipe", "config", "continues", "replay_share", "repeats", "rebuilds"]
        fields += ["go_live", "version", "curve", "result"]


class TrainingRunDetailSerializer(TrainingRunSerializer):
    """With the whole recipe. It tells folders of the server, so only curators get it; others get nothing there."""

    command = serializers.SerializerMethodField(help_text="The engine's command line that trains the same.")
    yaml = serializers.SerializerMethodField(help_text="Every number of the recipe; can be sent again.")

    class Meta(TrainingRunSerializer.Meta):
        fields = [*TrainingRunSerializer.Meta.fields, "command", "yaml"]

    def get_command(self, run: TrainingRun) -> str:
        config = self._config(run)
        return command_of(config.model_dump(mode="json"), run.recipe) if config else ""

    def get_yaml(self, run: TrainingRun) -> str:
        config = self._config(run)
        return as_yaml(config) if config else ""

    def _config(self, run: TrainingRun) -> EngineConfig | None:
        return config_of(run) if run.corpus.allows(self.context["person"], Role.CURATOR) else None


class PlanSerializer(serializers.Serializer[Any]):
    """What a training is to be."""

    base = serializers.CharField(
        default="", allow_blank=True, help_text="Name or location of an offered base; auto: from scratch."
    )
    recipe = serializers.CharField(
        default="", allow_blank=True, help_text="A preset; empty: that which suits the base."
    )
    config = serializers.DictField(default=dict, help_text="Numbers that differ from the preset.")
    yaml = serializers.CharField(
        default="", allow_blank=True, trim_whitespace=False, help_text="A recipe as YAML; config counts more."
    )
    continues = serializers.IntegerField(
        default=None, allow_null=True, min_value=1, help_text="Number of the version to go on from."
    )
    replay_share = serializers.FloatField(
        default=None, allow_null=True, help_text="Share of that version's pairs that is trained again."
    )


class TrainSerializer(PlanSerializer):
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
        asked = dict(checked.validated_data)
        if go_live := asked.pop("go_live"):
            corpus.require(request.user, Role.OWNER)
        wishes = wishes_from(corpus, request.user, **asked)
        run = services.start_training(corpus, request.user, wishes, go_live=go_live)
        return Response(TrainingRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class TrainCheck(CorpusView):
    """What a training would be, without starting it."""

    serializer_class = PlanSerializer

    @extend_schema(request=PlanSerializer, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: Request, slug: str) -> Response:
        """The plan: sizes, forecast, warnings, the whole configuration and the command (curators)."""
        corpus = self.corpus(Role.CURATOR)
        checked = PlanSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        wishes = wishes_from(corpus, request.user, **checked.validated_data)
        return Response(plan_training(corpus, request.user, wishes).as_dict())


class TrainingRunList(CorpusView):
    """The training runs of a corpus that you may see, the newest first."""

    serializer_class = TrainingRunSerializer

    @extend_schema(responses=TrainingRunSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        rows = open_trainings(self.corpus(), request.user)
        related = ("corpus", "version", "base_model", "continues", "rebuilds")
        page = self.paginate_queryset(rows.select_related(*related))
        return self.get_paginated_response(TrainingRunSerializer(page, many=True).data)


class TrainingRunDetail(APIView):
    """A training run: how far it is, its curve, and what went wrong."""

    @extend_schema(responses=TrainingRunDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        run = _run(request, Role.READER, pk)
        return Response(TrainingRunDetailSerializer(run, context={"person": request.user}).data)


class TrainingRunCancel(APIView):
    """Stop a training run."""

    @extend_schema(request=None, responses=TrainingRunSerializer)
    def post(self, request: Request, pk: int) -> Response:
        run = _run(request, Role.CURATOR, pk)
        run.request_cancel()
        return Response(TrainingRunSerializer(run).data)


class TrainingRunResume(APIView):
    """Let a failed training run go on."""

    @extend_schema(request=None, responses={202: TrainingRunSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """It goes on from its last checkpoint, on the pairs that it began with (curators)."""
        run = _run(request, Role.CURATOR, pk)
        services.resume_training(run, request.user)
        return Response(TrainingRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


def _run(request: Request, role: Role, pk: int) -> TrainingRun:
    found: TrainingRun = own_row(request, TrainingRun.objects.for_reader(request.user), role, pk=pk)
    return found
