"""REST for training runs, memory versions and the alias that people's questions go to."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from knowledge.api import RUN_FIELDS, CorpusView, RunSerializer, own_row
from knowledge.models import Role
from training import services
from training.models import LIVE, Alias, AliasMove, MemoryVersion, TrainingRun


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


class VersionSerializer(serializers.ModelSerializer[MemoryVersion]):
    corpus: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    is_live = serializers.BooleanField(source="live_now", read_only=True)

    class Meta:
        model = MemoryVersion
        fields: tuple[str, ...] = (
            "id",
            "corpus",
            "number",
            "base",
            "method",
            "metrics",
            "sha256",
            "trained_at",
            "is_live",
        )


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300)


class AliasMoveSerializer(serializers.ModelSerializer[AliasMove]):
    alias = serializers.CharField(source="alias.name")
    from_version = serializers.IntegerField(source="from_version.number", default=None)
    to_version = serializers.IntegerField(source="to_version.number", default=None)
    moved_by = serializers.CharField(source="moved_by.username", default=None)

    class Meta:
        model = AliasMove
        fields: tuple[str, ...] = ("alias", "from_version", "to_version", "moved_by", "moved_at", "reason")


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


def with_live(versions: QuerySet[MemoryVersion]) -> QuerySet[MemoryVersion]:
    live = Alias.objects.filter(version=OuterRef("pk"), name=LIVE)
    return versions.select_related("corpus").annotate(live_now=Exists(live))


class VersionList(CorpusView):
    """The memory versions of a corpus, the newest first."""

    serializer_class = VersionSerializer

    @extend_schema(responses=VersionSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        page = self.paginate_queryset(with_live(self.corpus().versions.all()))
        return self.get_paginated_response(VersionSerializer(page, many=True).data)


class VersionDetail(APIView):
    """One memory version with its figures."""

    @extend_schema(responses=VersionSerializer)
    def get(self, request: Request, pk: int) -> Response:
        versions = with_live(MemoryVersion.objects.all())
        return Response(VersionSerializer(own_row(request, versions, Role.READER, pk=pk)).data)


class Promote(GenericAPIView[Any]):
    """Make a version live."""

    serializer_class = ReasonSerializer

    @extend_schema(request=ReasonSerializer, responses=AliasMoveSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Point ``live`` at this version (owners); the reason is recorded."""
        version = own_row(request, MemoryVersion.objects, Role.OWNER, pk=pk)
        checked = ReasonSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        move = services.promote(version, request.user, reason=checked.validated_data["reason"])
        return Response(AliasMoveSerializer(move).data)


class Rollback(CorpusView):
    """Go back to the version before."""

    serializer_class = AliasMoveSerializer

    @extend_schema(request=None, responses=AliasMoveSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Point ``live`` at the version before the present one; again, and it goes further back (owners)."""
        return Response(AliasMoveSerializer(services.rollback(self.corpus(Role.OWNER), request.user)).data)


class AliasMoveList(CorpusView):
    """Every move of the corpus's aliases, the newest first."""

    serializer_class = AliasMoveSerializer

    @extend_schema(responses=AliasMoveSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        moves = AliasMove.objects.filter(alias__corpus=self.corpus())
        related = moves.select_related("alias", "from_version", "to_version", "moved_by")
        page = self.paginate_queryset(related)
        return self.get_paginated_response(AliasMoveSerializer(page, many=True).data)
