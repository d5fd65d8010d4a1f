"""Versions as downloads."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse

from knowledge.downloads import file_of
from training.exporting import export_name, export_zip
from training.models import MemoryVersion


def zip_response(request: Any, version: MemoryVersion, *, with_pairs: bool) -> StreamingHttpResponse:
    """The version's export as a zip file, sent while it is made. Raises ArtifactMissing."""
    blocks = export_zip(version, with_pairs=with_pairs)
    return file_of(request, blocks, "application/zip", f"{export_name(version)}.zip")
