"""What every REST endpoint shares: problem details (RFC 9457) and paging."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler

from memosite.errors import MemoError


class Pages(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 1000


def problem_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn any error that a client can act on into ``application/problem+json``; others become a plain 500."""
    if isinstance(error, MemoError):
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
        return _problem(error.status, error.code, str(error), headers, **error.members())
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    response = exception_handler(error, context)
    headers = dict(response.headers) if response else {}
    fields = error.detail if isinstance(error, exceptions.ValidationError) else None
    detail = "Some values are not valid." if fields is not None else str(error.detail)
    return _problem(error.status_code, str(error.default_code), detail, headers, errors=fields)


def problem_body(status: int, code: str, detail: str) -> dict[str, Any]:
    """What every problem tells (RFC 9457), with its ``code`` for programs."""
    return {
        "type": "about:blank",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": detail,
    }


def _problem(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None, **members: Any
) -> Response:
    body = problem_body(status, code, detail)
    body |= {name: value for name, value in members.items() if value is not None}
    kept = {
        name: value for name, value in (headers or {}).items() if name in ("WWW-Authenticate", "Retry-After")
    }
    return Response(body, status=status, headers=kept, content_type="application/problem+json")
