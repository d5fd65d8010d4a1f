"""The fixed parts of prompts, each in a file of its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Prompt:
    """The fixed part of a step's prompt. ``version`` changes whenever a letter of it does."""

    text: str
    version: str


@cache
def read_prompt(folder: Path, name: str) -> Prompt:
    """The prompt in the file ``<name>.md`` of the folder."""
    text = (folder / f"{name}.md").read_text(encoding="utf-8").strip()
    return Prompt(text, f"{name[:11]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}")
