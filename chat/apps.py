"""Django application of chat."""

from typing import Any

from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from memosite.endpoints import trials

        trials["executive"] = _try_as_executive


async def _try_as_executive(client: Any) -> Any:
    from chat.executives import try_as_executive

    return await try_as_executive(client)
