"""REST for evaluations: start, list, follow, read the answers, cancel, resume, export."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from knowledge.api import RUN_FIELDS, CorpusView, RunSerializer, own_row
from knowledge.downloads import file_of
from knowledge.models import Role
from training.lab.runs.files import ANSWER_FIELDS, FORMS, file_name, form_named
from training.lab.runs.wishes import Wishes, level_of, start
from training.models import EvaluationAnswer, EvaluationContestant, EvaluationRun


class ContestantSerializer(serializers.ModelSerializer[EvaluationContestant]):
    version = serializers.IntegerField(source="version.number", default=None, read_only=True)
    summary = serializers.JSONField(read_only=True, help_text="Its figures with their 95 % intervals.")

    class Meta:
        model = EvaluationContestant
        fields = ["position", "kind", "label", "version", "executive", "options", "noise", "summary"]


class EvaluationRunSerializer(RunSerializer):
    evaluation_set = serializers.CharField(source="evaluation_set.name", default=None, read_only=True)
    judge = serializers.CharField(source="judge.name", default=None, read_only=True)
    distractors = serializers.CharField(source="distractors.slug", default=None, read_only=True)

    class Meta:
        model = EvaluationRun
        fields = [*RUN_FIELDS, "title", "evaluation_set", "noise", "distractors", "judge", "is_fresh"]


class EvaluationDetailSerializer(EvaluationRunSerializer):
    contestants = serializers.SerializerMethodField()
    result = serializers.JSONField(
        read_only=True, help_text="Comparisons in pairs, by noise and by tag, and what judging took."
    )

    class Meta(EvaluationRunSerializer.Meta):
        fields = [*EvaluationRunSerializer.Meta.fields, "contestants", "result"]

    @extend_schema_field(ContestantSerializer(many=True))
    def get_contestants(self, run: EvaluationRun) -> Any:
        return ContestantSerializer(run.contestants.select_related("version"), many=True).data


class AnswerSerializer(serializers.ModelSerializer[EvaluationAnswer]):
    contestant = serializers.IntegerField(source="contestant.position")
    position = serializers.IntegerField(source="question.position", help_text="The question's.")
    question = serializers.CharField(source="question.text")
    answers = serializers.JSONField(source="question.answers", help_text="The accepted ones.")
    transcript = serializers.JSONField(help_text="The interrogation, as events of the protocol.")

    class Meta:
        model = EvaluationAnswer
        fields = ["contestant", "position", "question", "answers", *ANSWER_FIELDS, "transcript"]


class EvaluateSerializer(serializers.Serializer[Any]):
    """Which questions are put to whom."""

    evaluation_set = serializers.CharField(help_text="The set's name.")
    versions = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        default=None,
        allow_null=True,
        help_text="Numbers; the live or newest version without them; [] for none.",
    )
    executives = serializers.ListField(
        child=serializers.CharField(), default=list, help_text="Who lead; the chat's own without it."
    )
    against = serializers.ListField(
        child=serializers.CharField(), default=list, help_text="Baselines: bm25, or bm25:top=5,unit=sentence."
    )
    noise = serializers.ListField(
        child=serializers.FloatField(min_value=0),
        default=[0.0],
        help_text="Distractor documents for each document: 0 for none, 1, 3.",
    )
    distractors = serializers.SlugField(
        default="", allow_blank=True, help_text="The corpus that they come from."
    )
    noisy = serializers.DictField(
        child=serializers.IntegerField(min_value=1),
        default=dict,
        help_text="For each level the number of the version that learned the distractors, such as {“1”: 4}.",
    )
    judge = serializers.CharField(default="", allow_blank=True, help_text="An endpoint of the role judge.")
    is_fresh = serializers.BooleanField(default=False, help_text="Take nothing from earlier runs.")
    title = serializers.CharField(default="", allow_blank=True, max_length=120)


class EvaluationList(CorpusView):
    """The evaluations of a corpus that you may see, the newest first; and starting one."""

    serializer_class = EvaluationRunSerializer

    @extend_schema(responses=EvaluationRunSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """Of the curators' corpora only."""
        rows = EvaluationRun.objects.for_reader(request.user).filter(corpus=self.corpus(Role.CURATOR))
        page = self.paginate_queryset(
            rows.select_related("corpus", "evaluation_set", "judge", "distractors").defer("result", "log")
        )
        return self.get_paginated_response(EvaluationRunSerializer(page, many=True).data)

    @extend_schema(request=EvaluateSerializer, responses={202: EvaluationDetailSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Queue the questions of a set for contestants (curators)."""
        corpus = self.corpus(Role.CURATOR)
        checked = EvaluateSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        asked = dict(checked.validated_data)
        asked["noisy"] = {level_of(level): number for level, number in asked["noisy"].items()}
        run = start(corpus, request.user, Wishes(**asked))
        return Response(EvaluationDetailSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class EvaluationDetail(APIView):
    """An evaluation: how far it is, and what it found."""

    @extend_schema(responses=EvaluationDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(EvaluationDetailSerializer(_run(request, pk)).data)


class Answers(GenericAPIView[Any]):
    """The answers of an evaluation, question by question, each with its interrogation."""

    queryset = EvaluationAnswer.objects.none()  # for the schema
    serializer_class = AnswerSerializer

    @extend_schema(
        parameters=[
            OpenApiParameter("contestant", int, description="The position of one contestant."),
            OpenApiParameter("question", int, description="The position of one question."),
        ],
        responses=AnswerSerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        rows = EvaluationAnswer.objects.filter(contestant__run=_run(request, pk))
        for name in ("contestant", "question"):
            if (position := request.query_params.get(name, "")).isdecimal():
                rows = rows.filter(**{f"{name}__position": position})
        rows = rows.select_related("contestant", "question")
        page = self.paginate_queryset(rows.order_by("question__position", "contestant__position"))
        return self.get_paginated_response(AnswerSerializer(page, many=True).data)


class EvaluationCancel(APIView):
    """Stop an evaluation; what was answered stays."""

    @extend_schema(request=None, responses=EvaluationDetailSerializer)
    def post(self, request: Request, pk: int) -> Response:
        run = _run(request, pk)
        run.request_cancel()
        return Response(EvaluationDetailSerializer(run).data)


class EvaluationResume(APIView):
    """Let a failed evaluation go on behind its last answer."""

    @extend_schema(request=None, responses={202: EvaluationDetailSerializer})
    def post(self, request: Request, pk: int) -> Response:
        run = _run(request, pk)
        run.resume()
        return Response(EvaluationDetailSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class EvaluationExport(APIView):
    """An evaluation as a file."""

    @extend_schema(
        parameters=[OpenApiParameter("as", str, enum=list(FORMS), description="csv without it.")],
        responses={200: OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: int) -> Any:
        """CSV with a line an answer, JSON with the interrogations, or one HTML page that needs nothing else."""
        run, form = _run(request, pk), form_named(request.query_params.get("as", "csv"))
        return file_of(request._request, form.write(run), form.media_type, file_name(run, form))


def _run(request: Request, pk: int) -> EvaluationRun:
    rows = EvaluationRun.objects.for_reader(request.user).select_related(
        "corpus", "evaluation_set", "judge", "distractors"
    )
    found: EvaluationRun = own_row(request, rows, Role.CURATOR, pk=pk)
    return found
