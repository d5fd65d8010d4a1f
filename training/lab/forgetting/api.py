"""REST for documents that are to be forgotten, all of it for owners."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from knowledge.api import CorpusView, own_row
from knowledge.models import Role
from training.audience import open_versions
from training.lab.forgetting import services
from training.lab.probes.api import ProbeRunSerializer
from training.models import ForgottenDocument
from training.reasons import MOST_LETTERS


class ForgottenSerializer(serializers.ModelSerializer[ForgottenDocument]):
    corpus: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    pairs_withdrawn = serializers.SerializerMethodField()
    probes = serializers.SerializerMethodField(help_text="How many questions it alone answers.")
    versions = serializers.SerializerMethodField(help_text="Versions that learned it, with their state.")
    retrained_as = serializers.IntegerField(source="retrained_as.number", default=None, read_only=True)
    objections = serializers.SerializerMethodField(help_text="What stands against a certificate.")
    not_retrained = serializers.SerializerMethodField(
        help_text="Why the training that was asked for with it could not begin."
    )

    class Meta:
        model = ForgottenDocument
        fields: tuple[str, ...] = (
            "id",
            "corpus",
            "document",
            "name",
            "title",
            "sha256",
            "reason",
            "asked_at",
            "pairs_withdrawn",
            "probes",
            "versions",
            "retraining",
            "not_retrained",
            "retrained_as",
            "residue",
            "residue_bound",
            "objections",
            "certified_at",
            "taken_back_at",
        )

    def get_not_retrained(self, row: ForgottenDocument) -> str:
        return self.context.get("not_retrained", "")

    def get_pairs_withdrawn(self, row: ForgottenDocument) -> int:
        return len(row.pair_digests)

    def get_probes(self, row: ForgottenDocument) -> int:
        return len(row.probes)

    def get_versions(self, row: ForgottenDocument) -> list[dict[str, Any]]:
        return services.states_of(row)

    def get_objections(self, row: ForgottenDocument) -> list[str]:
        return [] if row.certified_at else services.objections(row)


class ForgetSerializer(serializers.Serializer[Any]):
    document = serializers.IntegerField(min_value=1, help_text="The document, by its id.")
    reason = serializers.CharField(max_length=MOST_LETTERS)
    retrain = serializers.BooleanField(default=False, help_text="Train a version without it at once.")


class ProbeVersionSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=1, help_text="The number of the version to probe.")


class ForgottenList(CorpusView):
    """The documents of a corpus that are to be forgotten."""

    serializer_class = ForgottenSerializer

    @extend_schema(responses=ForgottenSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        page = self.paginate_queryset(self.corpus(Role.OWNER).forgotten_documents.select_related("corpus"))
        return self.get_paginated_response(ForgottenSerializer(page, many=True).data)

    @extend_schema(request=ForgetSerializer, responses={201: ForgottenSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Take a document out of the corpus and of every later training (owners)."""
        corpus = self.corpus(Role.OWNER)
        asked = ForgetSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        document = get_object_or_404(corpus.documents, pk=asked.validated_data["document"])
        row = services.forget(document, request.user, reason=asked.validated_data["reason"])
        context = {}
        if asked.validated_data["retrain"]:
            context["not_retrained"] = services.retrain_if_possible(row, request.user)
        return Response(ForgottenSerializer(row, context=context).data, status=status.HTTP_201_CREATED)


class ForgottenView(GenericAPIView[Any]):
    """A view of one document that is to be forgotten."""

    serializer_class = ForgottenSerializer

    def row(self) -> ForgottenDocument:
        rows = ForgottenDocument.objects.select_related("corpus", "retrained_as")
        found: ForgottenDocument = own_row(self.request, rows, Role.OWNER, pk=self.kwargs["pk"])
        return found


class ForgottenDetail(ForgottenView):
    """One document that is to be forgotten."""

    @extend_schema(responses=ForgottenSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(ForgottenSerializer(self.row()).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Give up forgetting it; it stays out of the corpus, and a certificate as it was issued (owners)."""
        services.take_back(self.row())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ForgottenRetrain(ForgottenView):
    """A version without the document."""

    @extend_schema(request=None, responses={202: ForgottenSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Queue a training on the pairs that are left; its version is probed once it is there (owners)."""
        row = self.row()
        services.retrain(row, request.user)
        return Response(ForgottenSerializer(row).data, status=status.HTTP_202_ACCEPTED)


class ForgottenProbe(ForgottenView):
    """Look for residue."""

    @extend_schema(request=ProbeVersionSerializer, responses={202: ProbeRunSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Queue the probes of a version, and never-seen questions beside them (owners)."""
        row = self.row()
        asked = ProbeVersionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        versions = open_versions(row.corpus, request.user)
        version = get_object_or_404(versions, number=asked.validated_data["version"])
        run = services.start_residue_probes(row, version, request.user)
        return Response(ProbeRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class Certificate(ForgottenView):
    """The certificate that a document is forgotten."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, pk: int) -> Response:
        """The certificate as it was issued (owners); 404 where none was."""
        row = self.row()
        if not row.certified_at:
            raise NotFound("No certificate was issued yet.")
        return Response(row.certificate)

    @extend_schema(request=None, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: Request, pk: int) -> Response:
        """Issue it (owners); 409, code ``not_certifiable``, with what stands against it."""
        return Response(services.certify(self.row(), request.user))
