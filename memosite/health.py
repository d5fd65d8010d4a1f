"""Whether a web process can do its work, for whoever watches it or shares requests out."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from memosite.errors import Unavailable

logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 1


@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 where all that the process needs answers, else 503; why not stands in its log only."""
    needed = {"database": _ask_database} | ({"redis": _ask_redis} if settings.REDIS_URL else {})
    found = {name: _answers(ask) for name, ask in needed.items()}
    told = {name: "ok" if is_there else "does not answer" for name, is_there in found.items()}
    return JsonResponse(told, status=200 if all(found.values()) else 503)


def _answers(ask: Callable[[], None]) -> bool:
    try:
        ask()
    except (DatabaseError, Unavailable):
        logger.exception("What this process needs does not answer")
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_redis() -> None:
    import redis  # takes a web process that has none a fifth of a second to start

    patience = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **patience) as server:
            server.ping()
    except redis.RedisError as error:
        raise Unavailable(str(error)) from error
