"""REST for what supports the answers of a memory."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import provenance
from chat.api.asking import own_turn
from chat.evidence.grading import Grade

GRADES = [each.value for each in Grade]


class StretchSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    marked = serializers.BooleanField(help_text="This stretch of the passage is what supports the pair.")


class PassageSerializer(serializers.Serializer[Any]):
    document = serializers.CharField()
    version = serializers.IntegerField(help_text="Of the document.")
    url = serializers.CharField(help_text="The page of that version of the document.")
    stretches = StretchSerializer(many=True)
    since = serializers.CharField(help_text="That the document was replaced or taken out since; else empty.")


class SupportingPairSerializer(serializers.Serializer[Any]):
    question = serializers.CharField(help_text="As the version was trained on it.")
    answer = serializers.CharField()
    grade = serializers.ChoiceField(choices=GRADES)
    answers_otherwise = serializers.BooleanField(help_text="Another answer to the same question.")
    other_wordings = serializers.IntegerField(help_text="Trained pairs of the same answer besides this one.")
    since = serializers.ListField(child=serializers.CharField(), help_text="What became of the pair since.")
    passages = PassageSerializer(many=True)
    more_passages = serializers.IntegerField(help_text="Not listed here for their number.")
    hidden_passages = serializers.IntegerField(help_text="Of documents that you may not read.")


class SourcesSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="Of the sub-query.")
    question = serializers.CharField()
    answer = serializers.CharField()
    known = serializers.BooleanField()
    confidence = serializers.FloatField(allow_null=True)
    version = serializers.CharField(help_text="The version that answered, where it is open to you.")
    grade = serializers.ChoiceField(choices=GRADES, help_text="Of the best pair.")
    pairs = SupportingPairSerializer(many=True)
    hidden_pairs = serializers.IntegerField(help_text="Of corpora that you may not read.")
    why_none = serializers.CharField(help_text="Why there are no pairs; else empty.")
    note = serializers.CharField(help_text="What supporting pairs are, and what they are not.")


class TurnSources(APIView):
    """What supports the answers of a memory in one of your turns."""

    @extend_schema(
        parameters=[OpenApiParameter("index", int, description="Only of this sub-query.")],
        responses=SourcesSerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """The trained pairs nearest to each answer, with their passages. The weights were not read."""
        turn = own_turn(request, pk)
        index = request.query_params.get("index", "")
        if index and not (index.isascii() and index.isdigit()):
            raise serializers.ValidationError({"index": ["A whole number is expected."]})
        if index:
            found = [provenance.supporting(turn, int(index), request.user)]
        else:
            found = provenance.all_supporting(turn, request.user)
        return Response(SourcesSerializer(found, many=True).data)
