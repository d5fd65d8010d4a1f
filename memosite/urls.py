"""All addresses of the site."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from memosite.health import health
from memosite.tokens import TokenEndView, TokenView

api = [
    path("auth/login/", TokenView.as_view(), name="api-login"),
    path("auth/logout/", TokenEndView.as_view(), name="api-logout"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("", include("knowledge.api_urls")),
    path("", include("training.api_urls")),
    path("", include("chat.api.urls")),
]


def favicon(request: HttpRequest) -> HttpResponse:
    """Lead browsers that ask for an icon without having read a page to ours."""
    return redirect(static("icon.svg"))


urlpatterns = [
    path("favicon.ico", favicon, name="favicon"),
    path("health/", health, name="health"),
    path("admin/", admin.site.urls),
    path("api/", include(api)),
    path(
        "login/",
        LoginView.as_view(template_name="login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("", include("knowledge.urls")),
    path("", include("training.urls")),
    path("", include("chat.urls")),
]
