"""The ASGI application: HTTP by Django, websockets by Channels for people who are logged in."""

from __future__ import annotations

import os
import warnings

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

from memosite.interpreter import leave_what_stays_to_itself, let_threads_take_turns_quickly

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "memosite.settings")
# WhiteNoise reads its small files synchronously, which Django mentions once a file.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
django_application = get_asgi_application()

from chat.routing import websocket_urlpatterns  # noqa: E402 - needs the apps loaded

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)

let_threads_take_turns_quickly()
leave_what_stays_to_itself()
