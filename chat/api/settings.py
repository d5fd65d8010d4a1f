"""REST for the chat settings of a corpus."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chat.corpus_settings import decide, settings_of
from chat.models import ChatSettings
from knowledge.api import CorpusView
from knowledge.models import Role
from memosite.models import Endpoint, EndpointRole


class _Executive(serializers.SlugRelatedField):
    """An EXECUTIVE by its name."""

    def __init__(self, **kwargs: Any) -> None:
        offered = Endpoint.objects.filter(role=EndpointRole.EXECUTIVE)
        super().__init__(slug_field="name", queryset=offered, **kwargs)


class ChatSettingsSerializer(serializers.ModelSerializer[ChatSettings]):
    """Who leads the conversations about a corpus, and how long they are kept."""

    executive: Any = _Executive(
        required=False,
        allow_null=True,
        help_text="Leads where nobody chose another; null is the built-in one.",
    )
    choices: Any = serializers.ListField(
        child=_Executive(), required=False, help_text="People may choose these instead."
    )

    class Meta:
        model = ChatSettings
        fields: tuple[str, ...] = ("executive", "choices", "may_choose_rules", "retention_days")

    def to_representation(self, row: ChatSettings) -> dict[str, Any]:
        chosen = list(row.choices.values_list("name", flat=True)) if row.pk else []
        return {
            "executive": row.executive.name if row.executive else None,
            "choices": chosen,
            "may_choose_rules": row.may_choose_rules,
            "retention_days": row.retention_days,
        }


class CorpusChatSettings(CorpusView):
    """The chat settings of a corpus (owners)."""

    serializer_class = ChatSettingsSerializer

    def get(self, request: Request, slug: str) -> Response:
        """What the owners decided, or the defaults."""
        return Response(ChatSettingsSerializer(settings_of(self.corpus(Role.OWNER))).data)

    @extend_schema(request=ChatSettingsSerializer(partial=True), responses=ChatSettingsSerializer)
    def patch(self, request: Request, slug: str) -> Response:
        """Change what is given. A shorter retention deletes older conversations within the hour."""
        corpus = self.corpus(Role.OWNER)
        checked = ChatSettingsSerializer(settings_of(corpus), data=request.data, partial=True)
        checked.is_valid(raise_exception=True)
        row = decide(corpus, request.user, **checked.validated_data)
        return Response(ChatSettingsSerializer(row).data)
