"""REST for the gate: its rules, how a version stands before them, approvals, and the attempts so far."""

from __future__ import annotations

import math
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from knowledge.api import CorpusView
from knowledge.models import Role
from training.api_registry import version_of
from training.lab.gate import services
from training.models import GateCheck, GateRules


class Share(serializers.FloatField):
    """A number from 0 to 1, or null."""

    def __init__(self, **how: Any) -> None:
        super().__init__(min_value=0.0, max_value=1.0, allow_null=True, default=None, **how)

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class GateRulesSerializer(serializers.ModelSerializer[GateRules]):
    """The rules; what is null is not asked for. What a PUT leaves out is not asked for either."""

    is_set = serializers.SerializerMethodField(help_text="Whether the corpus has a gate at all.")
    golden_must_pass = serializers.BooleanField(default=False)
    least_recall = Share(help_text="Of recall on held-out wordings.")
    most_false_answers = Share(help_text="Share of what it cannot know that it answers all the same.")
    most_drop = Share(help_text="Loss against the live version, of recall and of exact match.")
    needs_second_approver = serializers.BooleanField(default=False)

    class Meta:
        model = GateRules
        fields = (
            "is_set",
            "golden_must_pass",
            "least_recall",
            "most_false_answers",
            "most_drop",
            "needs_second_approver",
        )

    def get_is_set(self, rules: GateRules) -> bool:
        return rules.pk is not None


class FindingSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    passed = serializers.BooleanField()
    words = serializers.CharField()
    evaluation_set = serializers.CharField(
        default="", help_text="The set on which the version has to be evaluated first; empty for none."
    )


class ApprovalSerializer(serializers.Serializer[Any]):
    person = serializers.CharField(source="person.username", read_only=True)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    given_at = serializers.DateTimeField(read_only=True)


class StateSerializer(serializers.Serializer[Any]):
    passes = serializers.BooleanField()
    findings = FindingSerializer(many=True, help_text="Empty where the corpus has no gate.")
    approvals = ApprovalSerializer(many=True)


class GateCheckSerializer(serializers.ModelSerializer[GateCheck]):
    version = serializers.IntegerField(source="version.number", default=None, read_only=True)
    outcome = serializers.ChoiceField(["passed", "overridden", "refused", "rolled back"], read_only=True)
    checked_by = serializers.CharField(source="checked_by.username", default=None, read_only=True)
    findings = FindingSerializer(many=True, read_only=True)

    class Meta:
        model = GateCheck
        fields = (
            "id",
            "version",
            "outcome",
            "passed",
            "findings",
            "override_reason",
            "checked_by",
            "checked_at",
        )


class Gate(CorpusView):
    """The rules of a corpus's gate."""

    serializer_class = GateRulesSerializer

    @extend_schema(responses=GateRulesSerializer)
    def get(self, request: Request, slug: str) -> Response:
        return Response(GateRulesSerializer(services.rules_of(self.corpus())).data)

    @extend_schema(request=GateRulesSerializer, responses=GateRulesSerializer)
    def put(self, request: Request, slug: str) -> Response:
        """Put a gate before ``live``, or replace its rules (owners)."""
        corpus = self.corpus(Role.OWNER)
        wanted = GateRulesSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        rules = services.set_rules(corpus, request.user, wanted.validated_data)
        return Response(GateRulesSerializer(rules).data)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Take the gate away (owners)."""
        services.remove_rules(self.corpus(Role.OWNER), request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class GateCheckList(CorpusView):
    """Every attempt to take a version live, the newest first."""

    serializer_class = GateCheckSerializer

    @extend_schema(responses=GateCheckSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """What the gate found each time, refusals and overrides with their reasons among them."""
        page = self.paginate_queryset(services.checks_for(self.corpus(), request.user))
        return self.get_paginated_response(GateCheckSerializer(page, many=True).data)


class VersionGate(GenericAPIView[Any]):
    """How a version stands before the gate."""

    serializer_class = StateSerializer

    @extend_schema(responses=StateSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """What the gate would find now if you promoted the version; nothing is moved or recorded."""
        return Response(StateSerializer(services.state_of(version_of(request, pk), request.user)).data)


class Approve(GenericAPIView[Any]):
    """An owner's word that a version may go live."""

    serializer_class = ApprovalSerializer

    @extend_schema(request=ApprovalSerializer, responses={201: ApprovalSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Approve the version (owners). Where the rules ask for it, another owner promotes it."""
        version = version_of(request, pk, Role.OWNER)
        checked = ApprovalSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        approval = services.approve(version, request.user, checked.validated_data["note"])
        return Response(ApprovalSerializer(approval).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Withdraw one's approval."""
        services.withdraw(version_of(request, pk, Role.OWNER), request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
