"""REST for pairs in files."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from knowledge.api import CorpusView, ReflectionList
from knowledge.downloads import pairs_file
from knowledge.exchange.formats import FORMATS, format_of
from knowledge.exchanging import ImportReport, LinesRefused, import_pairs
from knowledge.models import Role


class ImportSerializer(serializers.Serializer[Any]):
    """A file of pairs. ``as`` names its format; without it the name and the first bytes of the file tell."""

    file = serializers.FileField(allow_empty_file=True)
    store_good = serializers.BooleanField(
        default=False, help_text="Store the good lines of a file that has bad ones."
    )

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "as": serializers.ChoiceField(list(FORMATS), required=False)}


class ImportReportSerializer(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get_errors(self, report: ImportReport) -> list[dict[str, Any]]:
        """The lines that were passed over, each with its ``line`` and a ``message``."""
        return [{"line": line, "message": message} for line, message in report.errors]


class ReflectionExport(ReflectionList):
    """A corpus's pairs as a file (curators)."""

    pagination_class = None

    @extend_schema(
        parameters=[OpenApiParameter("as", str, required=True, enum=list(FORMATS))],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, slug: str, *args: Any, **kwargs: Any) -> Any:
        """The pairs that the list's filters let through, in the format ``as``."""
        pairs = self.filter_queryset(self.get_queryset())
        format = request.query_params.get("as", "")
        if format not in FORMATS:
            raise serializers.ValidationError({"as": [f"Choose a format: {', '.join(FORMATS)}."]})
        return pairs_file(request._request, pairs, slug, format)


class ReflectionImport(CorpusView):
    """Pairs from a file (curators)."""

    serializer_class = ImportSerializer
    parser_classes = (MultiPartParser,)

    @extend_schema(
        request=ImportSerializer, responses={200: ImportReportSerializer, 201: ImportReportSerializer}
    )
    def post(self, request: Request, slug: str) -> Response:
        """Add and update pairs: 201 when something was stored, 200 when all of it was here already.

        A bad line answers 422 with every bad line by number, and stores nothing unless ``store_good`` is set.
        """
        corpus = self.corpus(Role.CURATOR)
        checked = ImportSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        values = checked.validated_data
        format = values.get("as") or format_of(values["file"].name, values["file"].file)
        report = import_pairs(
            corpus, values["file"].file, format, request.user, store_good=values["store_good"]
        )
        if not report.stored:
            raise LinesRefused(report)
        code = status.HTTP_201_CREATED if report.has_changed_something else status.HTTP_200_OK
        return Response(ImportReportSerializer(report).data, status=code)
