"""REST for sets of questions, all of it for curators; what golden ones ask is for owners to change."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from knowledge.api import CorpusView, own_row
from knowledge.models import Corpus, Role
from training.evaluation.questions import BadQuestion, checked_question
from training.evaluation.readers import READERS
from training.evaluation.types import Question
from training.lab.sets import services
from training.lab.sets.drafting import MAKERS, USUAL_QUESTIONS, make_set
from training.lab.sets.passages import MOST_ON_A_PAGE, import_with_passages
from training.lab.sets.views import set_file
from training.models import EvaluationQuestion, EvaluationSet


class EvaluationSetSerializer(serializers.ModelSerializer[EvaluationSet]):
    corpus: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    name = serializers.CharField(
        max_length=services.LONGEST_NAME
    )  # its uniqueness is for the service to tell
    description = serializers.CharField(required=False, allow_blank=True, default="")
    questions = serializers.IntegerField(source="asked", read_only=True)

    class Meta:
        model = EvaluationSet
        fields = [
            "id",
            "corpus",
            "name",
            "description",
            "source",
            "is_golden",
            "questions",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["source"]


class EvaluationQuestionSerializer(serializers.ModelSerializer[EvaluationQuestion]):
    """A question; ``answers`` are aliases of which any one is right, or with ``is_set`` all that is asked for."""

    question = serializers.CharField(source="text")
    answers = serializers.ListField(child=serializers.CharField(), required=False)
    documents = serializers.ListField(child=serializers.CharField(), required=False)
    tags = serializers.DictField(child=serializers.CharField(), required=False)
    pair = serializers.IntegerField(source="reflection_id", read_only=True, allow_null=True)

    class Meta:
        model = EvaluationQuestion
        fields = ["id", "question", "answers", "is_set", "answerable", "documents", "tags", "pair"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the question as a whole: what is not said stays as it is, or is as usual."""
        values = {name: getattr(self.instance, name) for name in services.WRITTEN} if self.instance else {}
        values |= attrs
        try:
            return {"checked": checked_question(values.pop("text"), values.pop("answers", ()), **values)}
        except BadQuestion as error:
            raise serializers.ValidationError({"question": [str(error)]}) from error

    @property
    def checked(self) -> Question:
        found: Question = self.validated_data["checked"]
        return found


class EvaluationSetImportSerializer(serializers.Serializer[Any]):
    """A file of questions. ``as`` names its format; without it the file itself tells."""

    file = serializers.FileField(allow_empty_file=True)
    name = serializers.CharField(max_length=services.LONGEST_NAME)
    is_golden = serializers.BooleanField(default=False)
    with_passages = serializers.BooleanField(
        default=False,
        help_text="Each passage of the file becomes a document of the corpus, unless it is one.",
    )

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "as": serializers.ChoiceField(list(READERS), required=False)}


class EvaluationSetMakeSerializer(serializers.Serializer[Any]):
    """``source``: what people said, held-out wordings of approved pairs, or probes of passages."""

    source: Any = serializers.ChoiceField([(key, maker.label) for key, maker in MAKERS.items()])
    name = serializers.CharField(max_length=services.LONGEST_NAME)
    most = serializers.IntegerField(min_value=1, max_value=services.MOST_QUESTIONS, default=USUAL_QUESTIONS)


class EvaluationSetStoredSerializer(serializers.Serializer[Any]):
    """The set, and what became of the questions."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    added = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    left_out = serializers.CharField(
        allow_blank=True, help_text="What no question could be made of, and why."
    )
    documents_added = serializers.IntegerField(help_text="Passages that became documents.")


def counted(rows: QuerySet[EvaluationSet]) -> QuerySet[EvaluationSet]:
    return rows.select_related("corpus").annotate(asked=Count("questions"))


def set_of(request: Request, pk: int) -> EvaluationSet:
    row: EvaluationSet = own_row(request, counted(EvaluationSet.objects.all()), Role.CURATOR, pk=pk)
    return row


def _checked(shape: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    serializer = shape(data=data)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def _stored(row: EvaluationSet, stored: services.Stored, told: str = "", documents: int = 0) -> Response:
    values = {"id": row.pk, "name": row.name, **vars(stored), "left_out": told, "documents_added": documents}
    is_new = stored.added or stored.updated or documents
    code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return Response(EvaluationSetStoredSerializer(values).data, status=code)


class SetList(CorpusView):
    """The sets of questions of a corpus (curators)."""

    serializer_class = EvaluationSetSerializer

    @extend_schema(responses=EvaluationSetSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        page = self.paginate_queryset(counted(services.sets_of(self.corpus(Role.CURATOR))))
        return self.get_paginated_response(EvaluationSetSerializer(page, many=True).data)

    @extend_schema(request=EvaluationSetSerializer, responses={201: EvaluationSetSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Make an empty set; a golden one takes an owner."""
        corpus = self.corpus(Role.CURATOR)
        row = services.create_set(corpus, request.user, **_checked(EvaluationSetSerializer, request.data))
        return Response(EvaluationSetSerializer(set_of(request, row.pk)).data, status=status.HTTP_201_CREATED)


class SetImport(CorpusView):
    """Questions from a file (curators)."""

    serializer_class = EvaluationSetImportSerializer
    parser_classes = (MultiPartParser,)

    @extend_schema(
        request=EvaluationSetImportSerializer,
        responses={200: EvaluationSetStoredSerializer, 201: EvaluationSetStoredSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Put the questions of a file into the set of that name, new or not.

        A bad line answers 422 with every bad line by number, and stores nothing. ``with_passages`` adds what
        the file brings of documents.
        """
        corpus: Corpus = self.corpus(Role.CURATOR)
        wanted = _checked(EvaluationSetImportSerializer, request.data)
        loaded = services.read_upload(wanted["file"], wanted.get("as", ""))
        how = {"name": wanted["name"], "loaded": loaded, "is_golden": wanted["is_golden"]}
        if not wanted["with_passages"]:
            return _stored(*services.import_set(corpus, request.user, **how))
        row, stored, brought = import_with_passages(corpus, request.user, most=MOST_ON_A_PAGE, **how)
        return _stored(row, stored, documents=brought.added)


class SetMake(CorpusView):
    """Questions made from what a corpus holds (curators)."""

    serializer_class = EvaluationSetMakeSerializer

    @extend_schema(
        request=EvaluationSetMakeSerializer,
        responses={200: EvaluationSetStoredSerializer, 201: EvaluationSetStoredSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Make questions and put them into the set of that name; 409 where there is nothing to ask."""
        corpus = self.corpus(Role.CURATOR)
        return _stored(*make_set(corpus, request.user, **_checked(EvaluationSetMakeSerializer, request.data)))


class SetDetail(GenericAPIView[Any]):
    """One set (curators)."""

    serializer_class = EvaluationSetSerializer
    queryset = EvaluationSet.objects.none()  # for the schema: the rows are found by their corpus

    @extend_schema(responses=EvaluationSetSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(EvaluationSetSerializer(set_of(request, pk)).data)

    @extend_schema(request=EvaluationSetSerializer, responses=EvaluationSetSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Rename it, describe it, or make it golden or not (owners)."""
        row = set_of(request, pk)
        serializer = EvaluationSetSerializer(row, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        wanted = {name: getattr(row, name) for name in ("name", "description", "is_golden")}
        services.change_set(row, request.user, **{**wanted, **serializer.validated_data})
        return Response(EvaluationSetSerializer(row).data)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Delete it with its questions; what runs found with it stays."""
        services.delete_set(set_of(request, pk), request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SetExport(GenericAPIView[Any]):
    """The questions of a set as a file (curators)."""

    @extend_schema(
        parameters=[OpenApiParameter("as", str, enum=list(services.EXPORTS))],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        """In a format that can be brought in again."""
        return set_file(request._request, set_of(request, pk), request.query_params.get("as", "jsonl"))


class QuestionList(GenericAPIView[Any]):
    """The questions of a set (curators)."""

    serializer_class = EvaluationQuestionSerializer
    queryset = EvaluationQuestion.objects.none()  # for the schema: the rows are found by their set

    @extend_schema(
        parameters=[
            OpenApiParameter("search", str, description="Words that the question holds."),
            OpenApiParameter("kind", str, enum=["answerable", "unanswerable", "set"]),
        ],
        responses=EvaluationQuestionSerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        query = request.query_params
        rows = services.questions_matching(
            set_of(request, pk), query.get("search", ""), query.get("kind", "")
        )
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(EvaluationQuestionSerializer(page, many=True).data)

    @extend_schema(
        request=EvaluationQuestionSerializer(many=True),
        responses={201: EvaluationQuestionSerializer(many=True)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Add one question, or all of a list; where one is bad, none is stored."""
        row = set_of(request, pk)
        given = request.data if isinstance(request.data, list) else [request.data]
        checked = [EvaluationQuestionSerializer(data=one) for one in given]
        for serializer in checked:
            serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            added = [services.add_question(row, request.user, serializer.checked) for serializer in checked]
        return Response(EvaluationQuestionSerializer(added, many=True).data, status=status.HTTP_201_CREATED)


class QuestionDetail(GenericAPIView[Any]):
    """One question (curators)."""

    serializer_class = EvaluationQuestionSerializer
    queryset = EvaluationQuestion.objects.none()  # for the schema: the rows are found by their set

    @extend_schema(responses=EvaluationQuestionSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(EvaluationQuestionSerializer(_question_of(request, pk)).data)

    @extend_schema(request=EvaluationQuestionSerializer, responses=EvaluationQuestionSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is given; the rest stays."""
        row = _question_of(request, pk)
        serializer = EvaluationQuestionSerializer(row, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        return Response(
            EvaluationQuestionSerializer(services.change_question(row, request.user, serializer.checked)).data
        )

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        services.delete_question(_question_of(request, pk), request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _question_of(request: Request, pk: int) -> EvaluationQuestion:
    rows = EvaluationQuestion.objects.select_related("evaluation_set__corpus")
    readable = Corpus.objects.for_role(request.user, Role.READER)
    row = get_object_or_404(rows.filter(evaluation_set__corpus__in=readable), pk=pk)
    row.evaluation_set.corpus.require(request.user, Role.CURATOR)
    return row
