"""Middleware of the site."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from memosite.api import problem_body
from memosite.errors import MemoError


class NulCharacter(MemoError):
    """A text that no database should be asked about."""

    code = "nul_character"


GetResponse = Callable[[HttpRequest], HttpResponse]


def admin_content_security_policy(get_response: GetResponse) -> GetResponse:
    """Loosen the Content-Security-Policy for the admin's theme only; every other page keeps the strict one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path.startswith("/admin/"):
            response._csp_replace = settings.ADMIN_CONTENT_SECURITY_POLICY  # type: ignore[attr-defined]
        return response

    return middleware


def login_fills_the_page(get_response: GetResponse) -> GetResponse:
    """Send the whole page to the login when a part of it asks again after the session has ended.

    A redirect would be followed out of sight, and the login form put where the progress of a run belongs. After
    the login the person is back on the page, not on the part.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        asker = request.htmx  # type: ignore[attr-defined]
        login = urlsplit(response.get("Location", "")).path
        if not asker or login not in (reverse("login"), reverse("admin:login")):
            return response
        back = asker.current_url_abs_path or request.get_full_path()
        return HttpResponseClientRedirect(f"{login}?{urlencode({'next': back})}")

    return middleware


def no_nul_characters(get_response: GetResponse) -> GetResponse:
    """Refuse addresses and forms with the character NUL: PostgreSQL neither stores nor compares it.

    What comes as JSON is checked by the fields of the REST endpoint.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        is_rest = request.path.startswith("/api/")
        if "%00" in request.META.get("QUERY_STRING", "") or (not is_rest and _is_nul_posted(request)):
            error = NulCharacter("A text holds the character NUL, which cannot be stored. Take it out.")
            if is_rest:
                body = problem_body(error.status, error.code, str(error))
                return JsonResponse(body, status=error.status, content_type="application/problem+json")
            return render(request, "error.html", {"error": error}, status=error.status)
        return get_response(request)

    return middleware


def _is_nul_posted(request: HttpRequest) -> bool:
    return request.method == "POST" and any(
        "\0" in value for _, values in request.POST.lists() for value in values
    )


class people_read_errors:  # noqa: N801 - used like the function middleware beside it
    """Turn a MemoError that leaves a page's view into something a person reads.

    A form post goes back to where it came from with the message on top; a page that cannot be shown says why.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, MemoError):
            return None
        back = request.headers.get("Referer")
        if request.method == "POST" and back and error.status != 403:
            messages.error(request, str(error))
            return redirect(_path_of(back))
        return render(request, "error.html", {"error": error}, status=error.status)


def _path_of(url: str) -> str:
    """The path and query of a Referer, so that a redirect never leaves the site."""
    parts = urlsplit(url)
    return f"/{parts.path.lstrip('/')}" + (f"?{parts.query}" if parts.query else "")
