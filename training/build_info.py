"""What a version is made of, as far as the machine can tell: the code that made it and the size on disk."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from django.conf import settings

from training.engine import ENGINE_VERSION


@cache
def code_version() -> str:
    """The engine's version and, in a checkout, the commit; a plus sign says that files differ from it."""
    git = [
        "git",
        "-C",
        str(settings.BASE_DIR),
        "describe",
        "--always",
        "--dirty=+",
        "--abbrev=12",
        "--exclude=*",
    ]
    try:
        described = subprocess.run(git, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return f"engine {ENGINE_VERSION}"
    return f"engine {ENGINE_VERSION}, {described.stdout.strip()}"


def size_of(folder: Path) -> int:
    """Bytes of a folder's files, those below it included."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
