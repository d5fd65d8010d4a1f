"""REST for merges of memory versions."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from knowledge.api import RUN_FIELDS, CorpusView, RunSerializer, own_row
from knowledge.models import Role
from training.engine.merge_methods import METHODS, MergeOptions
from training.merging import start_merge
from training.models import MemoryVersion, MergeRun

MEANING = {name: field.description or "" for name, field in MergeOptions.model_fields.items()}


class MergeRunSerializer(RunSerializer):
    parents = serializers.SerializerMethodField(help_text="Ids of the versions that are merged, in order.")
    version = serializers.IntegerField(source="version.number", default=None, read_only=True)
    result = serializers.JSONField(
        read_only=True, help_text="Seconds, and by parent (exams) its own figures and the merged version's."
    )

    class Meta:
        model = MergeRun
        fields = [*RUN_FIELDS, "method", "options", "parents", "version", "result"]

    @extend_schema_field({"type": "array", "items": {"type": "integer"}})
    def get_parents(self, run: MergeRun) -> list[int]:
        return [parent.pk for parent in run.parents_in_order]


class MergeSerializer(serializers.Serializer[Any]):
    """Versions by their ids, how to merge them, and the numbers that the method takes."""

    parents = serializers.ListField(
        child=serializers.IntegerField(min_value=1), min_length=2, help_text="Ids of versions."
    )
    method = serializers.ChoiceField(list(METHODS))
    weights = serializers.ListField(
        child=serializers.FloatField(min_value=0), required=False, help_text=MEANING["weights"]
    )
    density = serializers.FloatField(required=False, help_text=MEANING["density"])
    scale = serializers.FloatField(required=False, help_text=MEANING["scale"])
    seed = serializers.IntegerField(required=False, min_value=0, help_text=MEANING["seed"])

    def validate_parents(self, keys: list[int]) -> list[MemoryVersion]:
        person = self.context["request"].user
        found = MemoryVersion.objects.for_reader(person).select_related("corpus").in_bulk(keys)
        if missing := [str(key) for key in keys if key not in found]:
            raise serializers.ValidationError(f"You may ask no version with the id {missing[0]}.")
        return [found[key] for key in keys]


class MergeList(CorpusView):
    """The merges into a corpus that you may see, the newest first; and starting one."""

    serializer_class = MergeRunSerializer

    @extend_schema(responses=MergeRunSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        rows = MergeRun.objects.for_reader(request.user).filter(corpus=self.corpus())
        page = self.paginate_queryset(rows.select_related("corpus", "version"))
        return self.get_paginated_response(MergeRunSerializer(page, many=True).data)

    @extend_schema(request=MergeSerializer, responses={202: MergeRunSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Queue the merging of versions that you may ask into a new version of this corpus (curators).

        Refused with ``incompatible_parents`` where they cannot be merged, with the reason and what to do.
        """
        corpus = self.corpus(Role.CURATOR)
        checked = MergeSerializer(data=request.data, context={"request": request})
        checked.is_valid(raise_exception=True)
        options = dict(checked.validated_data)
        run = start_merge(corpus, options.pop("parents"), options.pop("method"), options, request.user)
        return Response(MergeRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class MergeDetail(APIView):
    """A merge: how far it is, and what is left of what each parent knew."""

    @extend_schema(responses=MergeRunSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(MergeRunSerializer(_run(request, Role.READER, pk)).data)


class MergeCancel(APIView):
    """Stop a merge."""

    @extend_schema(request=None, responses=MergeRunSerializer)
    def post(self, request: Request, pk: int) -> Response:
        run = _run(request, Role.CURATOR, pk)
        run.request_cancel()
        return Response(MergeRunSerializer(run).data)


def _run(request: Request, role: Role, pk: int) -> MergeRun:
    found: MergeRun = own_row(request, MergeRun.objects.for_reader(request.user), role, pk=pk)
    return found
