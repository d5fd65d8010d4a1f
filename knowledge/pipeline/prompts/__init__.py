"""The prompts of the steps, each in a file of its own beside this one."""

from __future__ import annotations

from pathlib import Path

from memosite.llm.prompts import Prompt, read_prompt

__all__ = ["FOLDER", "Prompt", "prompt"]
FOLDER = Path(__file__).parent


def prompt(name: str) -> Prompt:
    """The prompt in the file ``<name>.md``."""
    return read_prompt(FOLDER, name)
