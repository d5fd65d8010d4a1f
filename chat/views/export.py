"""Taking one's own history away."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from chat.exporting import FORMATS, checked_format, history_of
from knowledge.downloads import file_of


@login_required
@require_safe
def export_history(request: HttpRequest) -> StreamingHttpResponse:
    """One's own conversations as a file."""
    return history_file(request, request.user, request.GET.get("as", ""))


def history_file(request: Any, person: Any, format: str) -> StreamingHttpResponse:
    """The person's history as a download, sent while it is written. Raises UnknownHistoryFormat."""
    chosen = FORMATS[checked_format(format)]
    name = f"chat-history-{timezone.now():%Y-%m-%d}{chosen.suffix}"
    return file_of(request, history_of(person, format), chosen.media_type, name)
