"""REST for the registry: aliases, comparing two versions, deleting one, the model card, export and rebuilding."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from knowledge.api import RUN_FIELDS, CorpusView, RunSerializer
from knowledge.models import Corpus, Role
from training import services
from training.audience import as_seen_by, moves_of, open_versions
from training.compare import CHANGES, PairChanges, config_lines, lineage_lines, metric_lines
from training.downloads import zip_response
from training.exporting import card_of
from training.models import CANDIDATE, LIVE, Alias, MemoryVersion, TrainingRun
from training.reasons import MOST_LETTERS
from training.rebuilding import start_rebuild
from training.registry import delete_version


class VersionSerializer(serializers.ModelSerializer[MemoryVersion]):
    corpus: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    corpora: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True, many=True)
    is_live = serializers.BooleanField(source="live_now", read_only=True)
    is_candidate = serializers.BooleanField(source="candidate_now", read_only=True)

    class Meta:
        model = MemoryVersion
        fields: tuple[str, ...] = (
            "id",
            "corpus",
            "number",
            "kind",
            "corpora",
            "base",
            "licence",
            "method",
            "metrics",
            "is_measured_here",
            "sha256",
            "data_sha256",
            "code_version",
            "parameters",
            "size_bytes",
            "notes",
            "trained_at",
            "is_live",
            "is_candidate",
        )


class VersionDetailSerializer(VersionSerializer):
    """A version with its configuration and its parents, as far as one may see them."""

    parents = serializers.SerializerMethodField()

    class Meta(VersionSerializer.Meta):
        fields: tuple[str, ...] = (*VersionSerializer.Meta.fields, "config", "parents")

    def get_parents(self, version: MemoryVersion) -> list[int]:
        seen = MemoryVersion.objects.for_reader(self.context["request"].user).filter(children=version)
        return list(seen.values_list("pk", flat=True))


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=MOST_LETTERS)


class PromoteSerializer(ReasonSerializer):
    narrow = serializers.BooleanField(
        default=False, help_text="Go live although readers of the corpus could not ask it any more."
    )
    override = serializers.CharField(
        max_length=300,
        default="",
        allow_blank=True,
        help_text="Why it goes live although the gate refuses it; recorded.",
    )


class AliasMoveToSerializer(PromoteSerializer):
    version = serializers.IntegerField(min_value=1, help_text="The number of the version to point at.")


class AliasSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    version = serializers.IntegerField(allow_null=True, help_text="Null where you may not see the version.")


class AliasMoveSerializer(serializers.Serializer[Any]):
    """A move; what concerns a version that you may not see is null, and ``is_closed`` says so."""

    alias = serializers.CharField()
    from_version = serializers.IntegerField(source="from_number", allow_null=True)
    to_version = serializers.IntegerField(source="to_number", allow_null=True)
    moved_by = serializers.CharField(allow_null=True)
    moved_at = serializers.DateTimeField()
    reason = serializers.CharField()
    is_closed = serializers.BooleanField()


class LineSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # it shadows what a field of a form is called
    a = serializers.CharField()
    b = serializers.CharField()
    difference = serializers.CharField()
    better = serializers.CharField(help_text="“a”, “b” or empty.")


class ComparisonSerializer(serializers.Serializer[Any]):
    metrics = LineSerializer(many=True)
    lineage = LineSerializer(many=True)
    config = LineSerializer(many=True)
    pairs = serializers.DictField(child=serializers.IntegerField())


class ChangedPairSerializer(serializers.Serializer[Any]):
    question = serializers.CharField()
    answer = serializers.CharField()
    earlier = serializers.CharField(
        help_text="What a answers to the same question; empty if it is not asked."
    )


class CardSerializer(serializers.Serializer[Any]):
    card = serializers.CharField(help_text="Markdown with YAML front matter.")


class RebuildSerializer(RunSerializer):
    rebuilds = serializers.IntegerField(source="rebuilds.number", default=None, read_only=True)
    log = serializers.SerializerMethodField(help_text="Which files differ and why; empty but for curators.")

    class Meta:
        model = TrainingRun
        fields = [*RUN_FIELDS, "rebuilds", "rebuilt_same", "log"]

    def get_log(self, run: TrainingRun) -> str:
        return run.log if self.context["may_curate"] else ""


def with_aliases(versions: QuerySet[MemoryVersion]) -> QuerySet[MemoryVersion]:
    """Versions that know whether they are live or the candidate."""
    live, candidate = (Alias.objects.filter(version=OuterRef("pk"), name=name) for name in (LIVE, CANDIDATE))
    related = versions.select_related("corpus").prefetch_related("corpora")
    return related.annotate(live_now=Exists(live), candidate_now=Exists(candidate))


def version_of(request: Request, pk: int, role: Role = Role.READER) -> MemoryVersion:
    """A version that the person may ask, else 404; NotAllowed where the person lacks the role on its corpus."""
    version: MemoryVersion = get_object_or_404(
        with_aliases(MemoryVersion.objects.for_reader(request.user)), pk=pk
    )
    version.corpus.require(request.user, role)
    return version


class VersionList(CorpusView):
    """The memory versions of a corpus that you may ask, the newest first."""

    serializer_class = VersionSerializer

    @extend_schema(responses=VersionSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        page = self.paginate_queryset(with_aliases(open_versions(self.corpus(), request.user)))
        return self.get_paginated_response(VersionSerializer(page, many=True).data)


class VersionDetail(GenericAPIView[Any]):
    """One memory version with its figures."""

    serializer_class = VersionDetailSerializer

    @extend_schema(responses=VersionDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(VersionDetailSerializer(version_of(request, pk), context={"request": request}).data)

    @extend_schema(request=ReasonSerializer, responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Delete the version for good (owners); refused while an alias points at it or a run needs it."""
        version = version_of(request, pk, Role.OWNER)
        delete_version(version, request.user, reason=_checked(ReasonSerializer, request)["reason"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class ModelCard(GenericAPIView[Any]):
    """The model card of a version."""

    serializer_class = CardSerializer

    @extend_schema(responses=CardSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """What the version is, learned, reached and does not know, as the README of its export."""
        return Response({"card": card_of(version_of(request, pk))})


class Export(GenericAPIView[Any]):
    """A version as a folder that transformers and vLLM load, zipped."""

    @extend_schema(
        parameters=[OpenApiParameter("pairs", bool, description="Include the pairs in clear words.")],
        responses={(200, "application/zip"): bytes},
    )
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        """The weights carry the knowledge: for owners who read every corpus that the version learned from."""
        version = version_of(request, pk, Role.OWNER)
        with_pairs = request.query_params.get("pairs", "").lower() in ("1", "true", "yes", "on")
        return zip_response(request._request, version, with_pairs=with_pairs)


class Rebuild(GenericAPIView[Any]):
    """Train a version once more and compare the hashes."""

    serializer_class = RebuildSerializer
    queryset = TrainingRun.objects.none()  # for the schema: the rows are found by their version

    @extend_schema(request=None, responses={202: RebuildSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Queue a training from the version's own pairs and settings, which makes no version (curators)."""
        run = start_rebuild(version_of(request, pk, Role.CURATOR), request.user)
        told = RebuildSerializer(run, context={"may_curate": True})
        return Response(told.data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses=RebuildSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """The rebuilds of the version, the newest first."""
        version = version_of(request, pk)
        page = self.paginate_queryset(version.rebuilt_by.select_related("corpus"))
        may_curate = version.corpus.allows(request.user, Role.CURATOR)
        told = RebuildSerializer(page, many=True, context={"may_curate": may_curate})
        return self.get_paginated_response(told.data)


class Promote(GenericAPIView[Any]):
    """Make a version live."""

    serializer_class = PromoteSerializer

    @extend_schema(request=PromoteSerializer, responses=AliasMoveSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Point ``live`` at this version (owners); the reason is recorded.

        Refused with ``gate_refused`` and ``findings`` where the gate of the corpus does not let it through, unless
        ``override`` says why it is to go live regardless; and with ``audience_narrowed`` where readers of the
        corpus could not ask it, unless ``narrow`` is true.
        """
        version = version_of(request, pk, Role.OWNER)
        move = services.promote(version, request.user, **_checked(PromoteSerializer, request))
        return _moved(request, version.corpus, move)


class Rollback(CorpusView):
    """Go back to the version before."""

    serializer_class = AliasMoveSerializer

    @extend_schema(request=None, responses=AliasMoveSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Point ``live`` at the version before the present one; again, and it goes further back (owners)."""
        corpus = self.corpus(Role.OWNER)
        return _moved(request, corpus, services.rollback(corpus, request.user))


class AliasList(CorpusView):
    """Where the aliases of a corpus point."""

    serializer_class = AliasSerializer

    @extend_schema(responses=AliasSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        corpus = self.corpus()
        seen = dict(open_versions(corpus, request.user).values_list("pk", "number"))
        rows = corpus.aliases.order_by("name")
        page = self.paginate_queryset(rows)
        assert page is not None  # noqa: S101 - every list is paged
        shown = [{"name": alias.name, "version": seen.get(alias.version_id)} for alias in page]
        return self.get_paginated_response(AliasSerializer(shown, many=True).data)


class AliasDetail(CorpusView):
    """One alias of a corpus."""

    serializer_class = AliasMoveToSerializer

    @extend_schema(request=AliasMoveToSerializer, responses=AliasMoveSerializer)
    def put(self, request: Request, slug: str, name: str) -> Response:
        """Point ``live`` or ``candidate`` at a version by its number (owners); the reason is recorded."""
        corpus = self.corpus(Role.OWNER)
        wanted = _checked(AliasMoveToSerializer, request)
        version = get_object_or_404(open_versions(corpus, request.user), number=wanted.pop("version"))
        return _moved(request, corpus, services.promote(version, request.user, alias=name, **wanted))


class AliasMoveList(CorpusView):
    """Every move of the corpus's aliases, the newest first."""

    serializer_class = AliasMoveSerializer

    @extend_schema(responses=AliasMoveSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        corpus = self.corpus()
        page = self.paginate_queryset(moves_of(corpus))
        assert page is not None  # noqa: S101 - every list is paged
        seen = as_seen_by(request.user, corpus, page)
        return self.get_paginated_response(AliasMoveSerializer(seen, many=True).data)


SIDES = [
    OpenApiParameter("a", int, required=True, description="The number of one version."),
    OpenApiParameter("b", int, required=True, description="The number of the other."),
]


class Compare(CorpusView):
    """Two versions side by side."""

    serializer_class = ComparisonSerializer

    @extend_schema(
        parameters=[*SIDES, OpenApiParameter("all", bool, description="Settings that do not differ, too.")],
        responses=ComparisonSerializer,
    )
    def get(self, request: Request, slug: str) -> Response:
        """Figures with the better one named, lineage, settings that differ, and how many pairs do."""
        a, b = sides_of(self.corpus(), request)
        lines = config_lines(a, b)
        found = {
            "metrics": [asdict(line) for line in metric_lines(a, b)],
            "lineage": [asdict(line) for line in lineage_lines(a, b, request.user)],
            "config": [asdict(line) for line in lines if line.differs or request.query_params.get("all")],
            "pairs": PairChanges(a, b).counts(),
        }
        return Response(ComparisonSerializer(found).data)


class ComparePairs(CorpusView):
    """The pairs in which two versions differ."""

    serializer_class = ChangedPairSerializer

    @extend_schema(
        parameters=[*SIDES, OpenApiParameter("change", enum=CHANGES, description="Which pairs.")],
        responses=ChangedPairSerializer(many=True),
    )
    def get(self, request: Request, slug: str) -> Response:
        """Pairs that b was given and a was not, the other way round, or whose answer differs."""
        changes = PairChanges(*sides_of(self.corpus(), request))
        change = request.query_params.get("change", CHANGES[0])
        if change not in CHANGES:
            raise serializers.ValidationError({"change": f"One of {', '.join(CHANGES)} is expected."})
        page = self.paginate_queryset(changes.keys[change])
        assert page is not None  # noqa: S101 - every list is paged
        shown = [pair.as_dict() for pair in changes.pairs(page)]
        return self.get_paginated_response(ChangedPairSerializer(shown, many=True).data)


def sides_of(corpus: Corpus, request: Request) -> list[MemoryVersion]:
    versions = open_versions(corpus, request.user)
    found = []
    for side in ("a", "b"):
        number = request.query_params.get(side, "")
        if not number.isdecimal():
            raise serializers.ValidationError({side: "The number of a version of this corpus is expected."})
        version = versions.filter(number=number).first()
        if version is None:
            raise NotFound
        found.append(version)
    return found


def _moved(request: Request, corpus: Corpus, move: Any) -> Response:
    (seen,) = as_seen_by(request.user, corpus, [move])
    return Response(AliasMoveSerializer(seen).data)


def _checked(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    checked = serializer(data=request.data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)
