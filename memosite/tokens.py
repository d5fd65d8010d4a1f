"""API tokens: exchanged for a password, given back when done."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from knox.views import LoginView, LogoutView
from rest_framework import serializers
from rest_framework.authentication import BasicAuthentication


@extend_schema_view(
    post=extend_schema(
        request=None,
        responses=inline_serializer(
            "Token", {"token": serializers.CharField(), "expiry": serializers.DateTimeField()}
        ),
    )
)
class TokenView(LoginView):
    """Exchange a user name and password (HTTP Basic) for an API token, which is shown only here."""

    authentication_classes = (BasicAuthentication,)
    throttle_scope = "login"


@extend_schema_view(post=extend_schema(request=None, responses={204: None}))
class TokenEndView(LogoutView):
    """Give the token back: it is not valid any more."""
