"""The state of an unfinished training on disk. A half-written one is never read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import torch

from training.engine.errors import BadArtifact, OtherTraining


class Checkpoint:
    """One file in ``folder/checkpoint``, written under another name first and then moved over the old one.

    ``fingerprint`` says what is being trained (pairs, configuration, engine); a state that was saved under
    another one is refused.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder = folder / "checkpoint"
        self._file = self._folder / "state.pt"
        self._fingerprint = fingerprint

    def save(self, state: dict[str, Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._file.with_suffix(".tmp")
        with unfinished.open("wb") as file:
            torch.save({"fingerprint": self._fingerprint, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._file)

    def load(self) -> dict[str, Any] | None:
        """The saved state, or None if there is none. Raises OtherTraining, BadArtifact."""
        if not self._file.exists():
            return None
        try:
            state = torch.load(self._file, weights_only=True)
        except Exception as error:  # torch raises whatever its unpickler met
            raise BadArtifact(
                f"{self._file} cannot be read: {error}. Delete its folder and train anew."
            ) from error
        if state.pop("fingerprint", None) != self._fingerprint:
            raise OtherTraining(
                f"{self._folder.parent} holds an unfinished training on other pairs or with another "
                "configuration. Choose another output folder, or delete this one."
            )
        return state

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
