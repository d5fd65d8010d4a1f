"""REST for what versions learned, and what changed between them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from knowledge.api import RUN_FIELDS, CorpusView, GenerationRunSerializer, RunSerializer, own_row
from knowledge.models import Role
from training.api_registry import SIDES, sides_of, version_of
from training.evaluation.learned import WEAK_BELOW, Tally
from training.lab.probes.diff import TOLD, Difference, KnowledgeDiff
from training.lab.probes.learned import DocumentMap, PassageMap, make_more_pairs, map_of, totals_of
from training.lab.probes.probing import start_probes
from training.models import ProbeRun, Purpose


class ProbeRunSerializer(RunSerializer):
    version = serializers.IntegerField(source="version.number", read_only=True)
    other = serializers.IntegerField(source="other.number", default=None, read_only=True)
    forgotten = serializers.IntegerField(source="forgotten_id", read_only=True, allow_null=True)
    result = serializers.SerializerMethodField(help_text="What came of it.")

    class Meta:
        model = ProbeRun
        fields = [*RUN_FIELDS, "purpose", "version", "other", "forgotten", "result"]

    def get_result(self, run: ProbeRun) -> dict[str, Any]:
        return {key: value for key, value in run.result.items() if key != "never_seen"}


class BelowSerializer(serializers.Serializer[Any]):
    below = serializers.FloatField(
        default=WEAK_BELOW, min_value=0, max_value=1, help_text="Recall below which a passage is weak."
    )


class LearnedQuerySerializer(BelowSerializer):
    weak = serializers.BooleanField(default=False, help_text="Weak passages only.")


class MorePairsSerializer(BelowSerializer):
    passage = serializers.IntegerField(
        default=None,
        allow_null=True,
        min_value=1,
        help_text="One passage by its id, instead of the weak ones.",
    )


def _tally(tally: Tally) -> dict[str, Any]:
    return {"asked": tally.asked, "right": tally.right, "recall": tally.recall}


def _figures(row: DocumentMap | PassageMap) -> dict[str, Any]:
    return {name: _tally(getattr(row, name)) for name in ("trained", "held_out", "new")}


def _document(document: DocumentMap, below: float, only_weak: bool) -> dict[str, Any]:
    passages = document.weak(below) if only_weak else document.passages
    told = [
        {
            "passage": each.chunk,
            "position": each.position,
            "is_weak": each.is_weak(below),
            "unasked": each.unasked,
            **_figures(each),
        }
        for each in passages
    ]
    return {"document": document.pk, "title": document.title, **_figures(document), "passages": told}


class Learned(GenericAPIView[Any]):
    """What a version recalls of every passage."""

    serializer_class = ProbeRunSerializer

    @extend_schema(parameters=[LearnedQuerySerializer], responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, pk: int) -> Response:
        """Recall on trained and held-out wordings by document and passage, and in total (curators)."""
        version = version_of(request, pk, Role.CURATOR)
        asked = LearnedQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        below, only_weak = asked.validated_data["below"], asked.validated_data["weak"]
        documents = map_of(version)
        shown = [each for each in documents if not only_weak or each.weak(below)]
        return Response(
            {
                "totals": totals_of(documents, below),
                "documents": [_document(each, below, only_weak) for each in shown],
            }
        )

    @extend_schema(request=None, responses={202: ProbeRunSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Queue the questions that the version was not asked yet (curators)."""
        run = start_probes(version_of(request, pk, Role.CURATOR), request.user)
        return Response(ProbeRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class MorePairs(GenericAPIView[Any]):
    """More pairs for weak passages."""

    serializer_class = MorePairsSerializer

    @extend_schema(request=MorePairsSerializer, responses={202: GenerationRunSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Have the corpus's GENERATOR make more pairs for the weak passages, to be reviewed (curators)."""
        version = version_of(request, pk, Role.CURATOR)
        asked = MorePairsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        below, passage = asked.validated_data["below"], asked.validated_data["passage"]
        run = make_more_pairs(version, request.user, below=below, chunk=passage)
        return Response(GenerationRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class ProbeRunDetail(APIView):
    """A run that puts questions to memory."""

    @extend_schema(responses=ProbeRunSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(ProbeRunSerializer(_probe_run(request, pk)).data)


class ProbeRunCancel(APIView):
    """Stop asking."""

    @extend_schema(request=None, responses=ProbeRunSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """What was answered stays."""
        run = _probe_run(request, pk)
        run.request_cancel()
        return Response(ProbeRunSerializer(run).data)


class ProbeRunResume(APIView):
    """Ask what is left."""

    @extend_schema(request=None, responses={202: ProbeRunSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """A run that failed or was paused goes on where it stopped."""
        run = _probe_run(request, pk)
        run.resume()
        return Response(ProbeRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


def _probe_run(request: Request, pk: int) -> ProbeRun:
    rows = ProbeRun.objects.for_reader(request.user).select_related("corpus", "version", "other")
    found: ProbeRun = own_row(request, rows, Role.CURATOR, pk=pk)
    if found.purpose == Purpose.FORGETTING:
        found.corpus.require(request.user, Role.OWNER)
    return found


# --- Differences -------------------------------------------------------------------------------------------
class Diff(CorpusView):
    """What was learned, forgotten and changed from one version to another."""

    serializer_class = ProbeRunSerializer

    @extend_schema(parameters=SIDES, responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, slug: str) -> Response:
        """Counts in total and by document, and how many questions each version was not asked yet (curators)."""
        found = KnowledgeDiff(*sides_of(self.corpus(Role.CURATOR), request))
        documents = [
            {
                "document": row.pk or None,
                "title": row.title,
                **{change.value: count for change, count in row.counts.items()},
            }
            for row in found.by_document()
        ]
        told = {"questions": found.questions, "missing": found.missing, "counts": found.counts()}
        return Response({**told, "documents": documents})

    @extend_schema(parameters=SIDES, request=None, responses={202: ProbeRunSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Queue the questions that either version was not asked yet (curators)."""
        a, b = sides_of(self.corpus(Role.CURATOR), request)
        run = start_probes(a, request.user, purpose=Purpose.DIFF, other=b)
        return Response(ProbeRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class DifferenceSerializer(serializers.Serializer[Any]):
    question = serializers.CharField()
    a = serializers.CharField(allow_null=True, help_text="What a says; null where it does not know.")
    b = serializers.CharField(allow_null=True)
    documents = serializers.ListField(child=serializers.IntegerField())


class DiffQuestions(CorpusView):
    """The questions of one change."""

    serializer_class = DifferenceSerializer

    @extend_schema(
        parameters=[
            *SIDES,
            OpenApiParameter("change", enum=[each.value for each in TOLD], description="Which questions."),
            OpenApiParameter("document", int, description="Of this document only."),
        ],
        responses=DifferenceSerializer(many=True),
    )
    def get(self, request: Request, slug: str) -> Response:
        """Questions that were learned, forgotten or changed, with what both versions say (curators)."""
        found = KnowledgeDiff(*sides_of(self.corpus(Role.CURATOR), request))
        change = request.query_params.get("change", TOLD[0])
        if change not in TOLD:
            raise serializers.ValidationError({"change": f"One of {', '.join(TOLD)} is expected."})
        named = request.query_params.get("document", "")
        rows = found.of(change, int(named) if named.isdecimal() else None)
        page = self.paginate_queryset(rows)
        assert page is not None  # noqa: S101 - every list is paged
        shown = [_difference(each) for each in page]
        return self.get_paginated_response(DifferenceSerializer(shown, many=True).data)


def _difference(each: Difference) -> dict[str, Any]:
    said = {"a": each.before, "b": each.after}
    return {
        "question": each.question,
        **{side: one.text if one.known else None for side, one in said.items()},
        "documents": [document for document in each.documents if document],
    }
