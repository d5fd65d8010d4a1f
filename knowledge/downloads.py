"""Files that are made while they are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from knowledge.exchanging import export_pairs, format_named
from knowledge.models import Reflection


def pairs_file(request: Any, pairs: QuerySet[Reflection], name: str, format: str) -> StreamingHttpResponse:
    """The pairs as a download. Raises FileRefused where there is no such format."""
    chosen = format_named(format)
    file_name = f"{name}-pairs-{format}{chosen.suffix}"
    return file_of(request, export_pairs(pairs, format), chosen.media_type, file_name)


def file_of(request: Any, blocks: Iterator[bytes], media_type: str, name: str) -> StreamingHttpResponse:
    """Blocks of a file as a download of that name."""
    # Django reads a plain iterator to its end before it answers over ASGI, and an asynchronous one over WSGI.
    content = _one_by_one(blocks) if isinstance(request, ASGIRequest) else blocks
    response = StreamingHttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


async def _one_by_one(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (block := await sync_to_async(lambda: next(blocks, None))()) is not None:
        yield block
