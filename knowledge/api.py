"""REST for corpora, documents, reflections and generation runs: validate, call one service, answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import django_filters
from django.contrib.auth import get_user_model
from django.db.models import Count, Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView, ListAPIView, ListCreateAPIView
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from knowledge import pair_search, services
from knowledge.ingest.types import DocumentRefused
from knowledge.models import (
    Chunk,
    Corpus,
    Document,
    Flag,
    GenerationRun,
    Reflection,
    ReflectionSource,
    ReviewStatus,
    Role,
    UnreadSentence,
)
from knowledge.pipeline.types import Kind
from memosite.errors import NotAllowed
from memosite.runs import Run

RUN_FIELDS = [
    "id",
    "corpus",
    "status",
    "phase",
    "done",
    "total",
    "percent",
    "seconds_left",
    "seconds",
    "error",
]
RUN_FIELDS += ["item_errors", "attempts", "created_at", "started_at", "finished_at"]


# --- Serializers -------------------------------------------------------------------------------------------
class CorpusSerializer(serializers.ModelSerializer[Corpus]):
    documents = serializers.IntegerField(source="document_count", read_only=True)
    pairs = serializers.IntegerField(source="pair_count", read_only=True)

    class Meta:
        model = Corpus
        fields: tuple[str, ...] = ("slug", "name", "description", "created_at", "documents", "pairs")


class DocumentSerializer(serializers.ModelSerializer[Document]):
    class Meta:
        model = Document
        fields: tuple[str, ...] = (
            "id",
            "name",
            "title",
            "date",
            "media_type",
            "checksum",
            "version",
            "is_current",
            "uploaded_at",
        )


class ChunkSerializer(serializers.ModelSerializer[Chunk]):
    class Meta:
        model = Chunk
        fields: tuple[str, ...] = ("id", "position", "start", "end", "text")


class DocumentDetailSerializer(DocumentSerializer):
    chunks = ChunkSerializer(many=True, read_only=True)

    class Meta(DocumentSerializer.Meta):
        fields: tuple[str, ...] = (*DocumentSerializer.Meta.fields, "text", "chunks")


class UploadSerializer(serializers.Serializer[Any]):
    """Either ``files`` (multipart, several at once) or ``title`` and ``text``."""

    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True), required=False)
    title = serializers.CharField(required=False, max_length=200)
    text = serializers.CharField(required=False, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("files")) == bool(attrs.get("title") and attrs.get("text")):
            raise serializers.ValidationError("Send either files, or a title and a text.")
        return attrs


class IngestedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    outcome = serializers.ChoiceField(["added", "new version", "unchanged", "refused"])
    message = serializers.CharField()
    document = serializers.IntegerField(source="document.pk", allow_null=True, default=None)


class ReflectionSerializer(serializers.ModelSerializer[Reflection]):
    class Meta:
        model = Reflection
        fields: tuple[str, ...] = (
            "id",
            "question",
            "answer",
            "kind",
            "fact",
            "entity",
            "status",
            "retired",
            "reviewed_at",
            "edit",
            "revises",
            "is_latest",
        )
        read_only_fields: tuple[str, ...] = (
            "kind",
            "fact",
            "entity",
            "retired",
            "reviewed_at",
            "edit",
            "revises",
            "is_latest",
        )


class EditSerializer(serializers.ModelSerializer[Reflection]):
    """What may be changed in a pair. ``edit`` is the pair's as you saw it: one changed since is refused."""

    edit = serializers.IntegerField(required=False, min_value=0, write_only=True)

    class Meta:
        model = Reflection
        fields: tuple[str, ...] = ("question", "answer", "status", "edit")


class SourceSerializer(serializers.ModelSerializer[ReflectionSource]):
    document = serializers.IntegerField(source="chunk.document_id")
    document_title = serializers.CharField(source="chunk.document.title")
    passage = serializers.CharField(source="chunk.text")

    class Meta:
        model = ReflectionSource
        fields: tuple[str, ...] = ("document", "document_title", "chunk", "passage", "start", "end")


PROVENANCE = ("step", "prompt_version", "model", "call")


class ReflectionDetailSerializer(ReflectionSerializer):
    reviewed_by = serializers.CharField(source="reviewed_by.username", default=None, read_only=True)
    sources = SourceSerializer(source="source_spans", many=True, read_only=True)
    edits = serializers.SerializerMethodField()

    class Meta(ReflectionSerializer.Meta):
        fields: tuple[str, ...] = (
            *ReflectionSerializer.Meta.fields,
            *PROVENANCE,
            "reviewed_by",
            "sources",
            "edits",
        )
        read_only_fields: tuple[str, ...] = (*ReflectionSerializer.Meta.read_only_fields, *PROVENANCE)

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_edits(self, reflection: Reflection) -> list[dict[str, Any]]:
        """Every state the pair has had, the newest first, with who made it."""
        past = Reflection.history.filter(id__in=reflection.lineage()).select_related("history_user")
        return [
            {
                "at": state.history_date,
                "by": state.history_user.username if state.history_user else None,
                "question": state.question,
                "answer": state.answer,
                "status": state.status,
            }
            for state in past
        ]


class ReviewSerializer(serializers.Serializer[Any]):
    """A review status for the pairs with these ids, or for all that the list's filters let through."""

    status = serializers.ChoiceField(ReviewStatus.choices)
    ids = serializers.ListField(child=serializers.IntegerField(), required=False)


class RunSerializer(serializers.ModelSerializer[Run]):
    corpus: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    percent = serializers.IntegerField(read_only=True)
    seconds = serializers.FloatField(read_only=True)


class GenerationRunSerializer(RunSerializer):
    spend = serializers.DictField(read_only=True, help_text="Calls, tokens and US dollars paid for.")

    class Meta:
        model = GenerationRun
        fields = [*RUN_FIELDS, "generator", "go_live", "pairs", "sentences", "discarded", "discarded_for"]
        fields += ["budget", "estimate", "spend"]


class UnreadSentenceSerializer(serializers.ModelSerializer[UnreadSentence]):
    document = serializers.IntegerField(source="chunk.document_id")

    class Meta:
        model = UnreadSentence
        fields: tuple[str, ...] = ("document", "chunk", "start", "end", "text", "reason")


class GenerateSerializer(serializers.Serializer[Any]):
    generator = serializers.CharField(
        default="", allow_blank=True, help_text="rules, or an endpoint's name; the corpus's own without it."
    )
    budget = serializers.DecimalField(
        max_digits=10, decimal_places=2, min_value=Decimal("0.01"), required=False, help_text="US dollars"
    )
    fresh = serializers.BooleanField(default=False, help_text="Ask again instead of using replies kept.")
    go_live = serializers.BooleanField(
        default=False, help_text="Approve unseen, train, promote; owners only."
    )


class MemberSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)


# --- What views share --------------------------------------------------------------------------------------
class CorpusView(GenericAPIView[Any]):
    """A view below one corpus: what a person may not read does not exist, what needs more is refused."""

    queryset: QuerySet[Any] = Corpus.objects.none()  # for the schema; every view asks self.corpus()

    def corpus(self, role: Role = Role.READER) -> Corpus:
        readable = Corpus.objects.for_role(self.request.user, Role.READER)
        found = get_object_or_404(readable, slug=self.kwargs["slug"])
        found.require(self.request.user, role)
        return found


def own_row(request: Request, rows: Any, role: Role, **lookup: Any) -> Any:
    """A row of a readable corpus, else 404; NotAllowed where the person lacks the role on that corpus."""
    row = get_object_or_404(
        rows.filter(corpus__in=Corpus.objects.for_role(request.user, Role.READER)), **lookup
    )
    row.corpus.require(request.user, role)
    return row


def with_counts(corpora: QuerySet[Corpus]) -> QuerySet[Corpus]:
    documents = Count("documents", filter=Q(documents__is_current=True), distinct=True)
    pairs = Count("reflections", filter=Q(reflections__is_latest=True), distinct=True)
    counted = corpora.annotate(document_count=documents, pair_count=pairs)
    return counted.order_by("name")


# --- Corpora -----------------------------------------------------------------------------------------------
class CorpusList(ListCreateAPIView[Corpus]):
    """The corpora that you may read. Administrators make new ones."""

    serializer_class = CorpusSerializer
    queryset = Corpus.objects.none()

    def get_queryset(self) -> QuerySet[Corpus]:
        return with_counts(Corpus.objects.for_role(self.request.user, Role.READER))

    def perform_create(self, serializer: Any) -> None:
        if not self.request.user.is_superuser:
            raise NotAllowed("Only an administrator makes a corpus.")
        serializer.save()


class CorpusDetail(CorpusView):
    """One corpus."""

    serializer_class = CorpusSerializer

    def get(self, request: Request, slug: str) -> Response:
        return Response(CorpusSerializer(with_counts(Corpus.objects.all()).get(pk=self.corpus().pk)).data)

    def patch(self, request: Request, slug: str) -> Response:
        """Change name or description (owners)."""
        checked = CorpusSerializer(self.corpus(Role.OWNER), data=request.data, partial=True)
        checked.is_valid(raise_exception=True)
        checked.validated_data.pop("slug", None)  # addresses and groups are named after it
        checked.save()
        return Response(checked.data)


class Members(CorpusView):
    """Who reads, curates and owns the corpus (owners)."""

    serializer_class = MemberSerializer

    @extend_schema(responses=MemberSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        corpus = self.corpus(Role.OWNER)
        people = [
            {"username": person.username, "role": role}
            for role in Role.values
            for person in corpus.group(Role(role)).user_set.order_by("username")
        ]
        return Response(people)

    @extend_schema(responses=MemberSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Give a person a role in place of the one held before."""
        checked = MemberSerializer(data=request.data)
        corpus = self.corpus(Role.OWNER)
        checked.is_valid(raise_exception=True)
        services.give_role(corpus, checked.validated_data["username"], Role(checked.validated_data["role"]))
        return Response(checked.data, status=status.HTTP_201_CREATED)


class Member(CorpusView):
    """One person's place in the corpus."""

    serializer_class = MemberSerializer

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, username: str) -> Response:
        """Take every role on the corpus from a person (owners)."""
        corpus = self.corpus(Role.OWNER)
        groups = [corpus.group(Role(role)) for role in Role.values]
        members = get_user_model().objects.filter(groups__in=groups).distinct()
        services.remove_person(corpus, get_object_or_404(members, username=username))
        return Response(status=status.HTTP_204_NO_CONTENT)


# --- Documents ---------------------------------------------------------------------------------------------
class DocumentList(CorpusView):
    """The current documents of a corpus."""

    serializer_class = DocumentSerializer
    parser_classes = (MultiPartParser, FormParser, JSONParser)

    @extend_schema(responses=DocumentSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        page = self.paginate_queryset(self.corpus().documents.current().defer("text"))
        return self.get_paginated_response(DocumentSerializer(page, many=True).data)

    @extend_schema(
        request=UploadSerializer, responses={200: IngestedSerializer(many=True), 201: IngestedSerializer}
    )
    def post(self, request: Request, slug: str) -> Response:
        """Upload several files, or one pasted text (curators); the answer tells what became of each.

        201 when something was stored, 200 when all of it was here already, 422 when every file was refused.
        """
        corpus = self.corpus(Role.CURATOR)
        checked = UploadSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        results = ingest(corpus, checked.validated_data, request.user)
        if all(result.is_refused for result in results):
            raise DocumentRefused(" ".join(result.message for result in results))
        stored = any(result.outcome in ("added", "new version") for result in results)
        return Response(
            IngestedSerializer(results, many=True).data,
            status=status.HTTP_201_CREATED if stored else status.HTTP_200_OK,
        )


def ingest(corpus: Corpus, upload: dict[str, Any], person: Any) -> list[services.Ingested]:
    """What became of each file of an upload, or of the pasted text."""
    if "files" not in upload:
        return [services.ingest_text(corpus, upload["title"], upload["text"], person)]
    return [services.ingest_file(corpus, file.name, file.read(), person) for file in upload["files"]]


class DocumentDetail(APIView):
    """One version of a document."""

    @extend_schema(responses=DocumentDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        row = own_row(request, Document.objects.prefetch_related("chunks"), Role.READER, pk=pk)
        return Response(DocumentDetailSerializer(row).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Take the document out of the corpus (curators); its rows stay for the lineage of versions."""
        services.remove_document(own_row(request, Document.objects, Role.CURATOR, pk=pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


# --- Reflections -------------------------------------------------------------------------------------------
class ReflectionFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=[(kind.value, kind.value) for kind in Kind])
    status = django_filters.ChoiceFilter(choices=ReviewStatus.choices)
    document = django_filters.NumberFilter(field_name="sources__document", distinct=True)
    retired = django_filters.BooleanFilter()
    stale = django_filters.BooleanFilter(method="resting_on_changed", label="Its document changed")
    flag = django_filters.ChoiceFilter(choices=Flag.choices, method="flagged")
    reviewer = django_filters.CharFilter(field_name="reviewed_by__username", label="User name")
    step = django_filters.CharFilter()
    model = django_filters.CharFilter()
    min_length = django_filters.NumberFilter(method="at_least", label="Letters of question and answer")
    max_length = django_filters.NumberFilter(method="at_most", label="Letters of question and answer")
    search = django_filters.CharFilter(method="containing", label="Words in question, answer or entity")

    class Meta:
        model = Reflection
        fields: tuple[str, ...] = ("kind", "status", "document", "retired", "step", "model")

    def containing(self, rows: QuerySet[Reflection], name: str, value: str) -> QuerySet[Reflection]:
        return pair_search.containing(rows, value)

    def flagged(self, rows: Any, name: str, value: str) -> QuerySet[Reflection]:
        return rows.flagged(value)

    def resting_on_changed(self, rows: QuerySet[Reflection], name: str, value: bool) -> QuerySet[Reflection]:
        return pair_search.stale(rows, is_stale=value)

    def at_least(self, rows: QuerySet[Reflection], name: str, value: int) -> QuerySet[Reflection]:
        return pair_search.of_length(rows, least=int(value))

    def at_most(self, rows: QuerySet[Reflection], name: str, value: int) -> QuerySet[Reflection]:
        return pair_search.of_length(rows, most=int(value))


class ReflectionList(CorpusView, ListAPIView[Reflection]):
    """The reflections of a corpus as they stand now (curators); those that were revised are left out."""

    serializer_class: Any = ReflectionSerializer
    filterset_class = ReflectionFilter
    queryset = Reflection.objects.none()

    def get_queryset(self) -> QuerySet[Reflection]:
        if getattr(self, "swagger_fake_view", False):
            return Reflection.objects.none()
        return self.corpus(Role.CURATOR).reflections.present().order_by("pk")


class ReflectionReview(ReflectionList):
    """Review in bulk (curators)."""

    http_method_names = ("post", "options")
    serializer_class: Any = ReviewSerializer

    @extend_schema(
        request=ReviewSerializer,
        responses=inline_serializer("Reviewed", {"changed": serializers.IntegerField()}),
    )
    def post(self, request: Request, slug: str) -> Response:
        """Set the status of the pairs in ``ids``, or without it of all that the query's filters let through."""
        checked = ReviewSerializer(data=request.data)
        rows = self.filter_queryset(self.get_queryset())
        checked.is_valid(raise_exception=True)
        if "ids" in checked.validated_data:
            rows = rows.filter(pk__in=checked.validated_data["ids"])
        return Response({"changed": services.review(rows, checked.validated_data["status"], request.user)})


class ReflectionDetail(APIView):
    """One pair with its sources and its edits (curators)."""

    @extend_schema(responses=ReflectionDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        row = own_row(request, Reflection.objects, Role.CURATOR, pk=pk)
        return Response(ReflectionDetailSerializer(row).data)

    @extend_schema(request=EditSerializer, responses=ReflectionDetailSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Edit question, answer or status; what was before is kept.

        With ``edit`` a pair that somebody changed since is refused, with both texts (409, ``stale_edit``). New
        words for a pair that a version was trained on make a new pair: the answer has its ``id``.
        """
        row = own_row(request, Reflection.objects, Role.CURATOR, pk=pk)
        checked = EditSerializer(row, data=request.data, partial=True)
        checked.is_valid(raise_exception=True)
        seen = checked.validated_data.pop("edit", None)
        changed = services.revise(row, checked.validated_data, request.user, seen_edit=seen)
        return Response(ReflectionDetailSerializer(changed).data)


# --- Generation --------------------------------------------------------------------------------------------
class Generate(CorpusView):
    """Start the GENERATOR."""

    serializer_class = GenerateSerializer

    @extend_schema(request=GenerateSerializer, responses={202: GenerationRunSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Queue a generation over the current documents (curators; ``go_live`` for owners)."""
        corpus = self.corpus(Role.CURATOR)
        checked = GenerateSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        if checked.validated_data["go_live"]:
            corpus.require(request.user, Role.OWNER)
        run = services.start_generation(corpus, request.user, **checked.validated_data)
        return Response(GenerationRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class GenerationRunDetail(APIView):
    """A generation run: how far it is and what went wrong."""

    @extend_schema(responses=GenerationRunSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(
            GenerationRunSerializer(own_row(request, GenerationRun.objects, Role.READER, pk=pk)).data
        )


class GenerationRunCancel(APIView):
    """Stop a generation run."""

    @extend_schema(request=None, responses=GenerationRunSerializer)
    def post(self, request: Request, pk: int) -> Response:
        run = own_row(request, GenerationRun.objects, Role.CURATOR, pk=pk)
        run.request_cancel()
        return Response(GenerationRunSerializer(run).data)


class UnreadSentenceList(ListAPIView[UnreadSentence]):
    """The sentences that a generation run could not read, with the reason."""

    serializer_class = UnreadSentenceSerializer
    queryset = UnreadSentence.objects.none()

    def get_queryset(self) -> QuerySet[UnreadSentence]:
        if getattr(self, "swagger_fake_view", False):
            return UnreadSentence.objects.none()
        run = own_row(self.request, GenerationRun.objects, Role.READER, pk=self.kwargs["pk"])
        return run.unread.select_related("chunk")


class GenerationRunList(CorpusView):
    """The generation runs of a corpus, the newest first."""

    serializer_class = GenerationRunSerializer

    @extend_schema(responses=GenerationRunSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        page = self.paginate_queryset(self.corpus().generation_runs.select_related("corpus"))
        return self.get_paginated_response(GenerationRunSerializer(page, many=True).data)
