"""System checks that explain a wrong setting before anything starts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connection


@register(Tags.files)
def state_folder_is_writable(**_: Any) -> list[CheckMessage]:
    folder: Path = settings.STATE_DIR
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if existing.is_dir() and os.access(existing, os.W_OK):
        return []
    return [
        Error(
            f"The state folder {folder} cannot be written.",
            hint="Set MEMOSITE_STATE_DIR to a folder that this user may write.",
            id="memosite.E001",
        )
    ]


@register(Tags.security)
def secret_key_is_long(**_: Any) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= 32:
        return []
    return [
        Error(
            "SECRET_KEY is shorter than 32 characters.",
            hint="Leave SECRET_KEY unset to have one made, or set a long random one.",
            id="memosite.E002",
        )
    ]


@register(Tags.database)
def database_answers(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    if not databases:
        return []
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        return [
            Error(
                f"The database does not answer: {str(error).strip()}",
                hint="Check DATABASE_URL, and that the server runs and lets this user in.",
                id="memosite.E004",
            )
        ]
    return []


@register()
def variables_have_readable_values(**_: Any) -> list[CheckMessage]:
    return [
        Error(f"{variable} {problem}", hint="Correct it in the environment or in .env.", id="memosite.E003")
        for variable, problem in settings.SETTINGS_PROBLEMS.items()
    ]


@register(Tags.security, deploy=True)
def one_process_without_redis(**_: Any) -> list[CheckMessage]:
    if settings.REDIS_URL:
        return []
    return [
        Warning(
            "Without REDIS_URL only one web process sees a chat's live events.",
            hint="Set REDIS_URL before you start several web processes.",
            id="memosite.W001",
        )
    ]
