"""REST for one's own history as a file."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from chat.exporting import FORMATS
from chat.views.export import history_file


class HistoryExport(APIView):
    """Your conversations as a file."""

    @extend_schema(
        parameters=[OpenApiParameter("as", str, required=True, enum=list(FORMATS))],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> Any:
        """All your conversations, the oldest first. ``left_out`` counts those about corpora that you may no longer
        read.
        """
        return history_file(request._request, request.user, request.query_params.get("as", ""))
