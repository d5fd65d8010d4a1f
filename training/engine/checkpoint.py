"""The state of an unfinished training on disk. A half-written one is never read."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from training.engine.capacity import disk_bytes
from training.engine.crew import Crew
from training.engine.errors import BadArtifact, NoSpace, OtherTraining
from training.engine.schedule import State
from training.engine.train import Trainer, random_state


class Checkpoint:
    """``folder/checkpoint``: the state to go on from, and the best weights that a check has seen.

    Each is written under another name first and then moved over the old one. ``fingerprint`` says what is being
    trained (pairs, configuration, engine); a state that was saved under another one is refused. Where the model is
    spread over processes (FSDP) each writes its own part; else the main process writes one file.
    """

    def __init__(self, folder: Path, fingerprint: str, crew: Crew) -> None:
        self._folder = folder / "checkpoint"
        self._file, self._best = self._folder / "state.pt", self._folder / "best.safetensors"
        self._index = self._folder / "shards.pt"
        self._fingerprint, self._crew = fingerprint, crew

    def save(self, trainer: Trainer) -> None:
        """Save the state. Every process must call it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._crew.is_sharded:
            self._save_shards(trainer)
            return
        state = {"fingerprint": self._fingerprint, **trainer.state_dict()}
        if self._crew.is_main:
            write_whole(self._file, state)

    def load_into(self, trainer: Trainer) -> bool:
        """Put the saved state into the trainer; false if there is none. Raises OtherTraining, BadArtifact."""
        if self._crew.is_sharded:
            return self._load_shards(trainer)
        if not self._file.exists():
            return False
        try:
            state = torch.load(self._file, weights_only=True, map_location="cpu")
        except Exception as error:  # torch raises whatever its unpickler met
            raise BadArtifact(
                f"{self._file} cannot be read: {error}. Delete its folder and train anew."
            ) from error
        self._refuse_another(state.pop("fingerprint", None))
        trainer.load_state_dict(state)
        return True

    def save_best(self, trainer: Trainer) -> None:
        """Keep the weights of the best check so far. Every process must call it."""
        sharded = self._crew.is_sharded
        weights = self._crew.weights(trainer.model) if sharded else trainer.best_weights()
        if self._crew.is_main:
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished = self._best.with_suffix(".tmp")
            save_file(weights, unfinished)
            unfinished.replace(self._best)

    def best_of(self, trainer: Trainer) -> dict[str, Tensor] | None:
        """The weights of the best check, if they are not those that the trainer ended with."""
        if not self._best.exists() or trainer.state.best_step == trainer.state.step:
            return None
        return load_file(self._best)

    def settle_on_best(self, trainer: Trainer) -> None:
        """Leave in the model what the training is to result in: its best weights, or else its last ones."""
        trainer.average.settle()
        if best := self.best_of(trainer):
            trainer.put_weights(best)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def require_space(self, all_weights: int, trained_weights: int) -> None:
        """Make sure that the disk has room for the checkpoints and the result. Raises NoSpace.

        A checkpoint that is there already takes no more room when it is replaced.
        """
        if self._folder.exists():
            return
        needed = disk_bytes(all_weights, trained_weights)
        place = next(parent for parent in self._folder.parents if parent.exists())
        free = shutil.disk_usage(place).free
        if needed > free:
            raise NoSpace(
                f"The training needs {needed / 1e9:.1f} GB in {place}, and {free / 1e9:.1f} GB are free. Delete "
                "old versions, or choose a smaller base."
            )

    # -- spread over processes ----------------------------------------------------------------------------
    def _save_shards(self, trainer: Trainer) -> None:
        shards = self._folder / f"shards-{trainer.state.step}"
        self._crew.save_shards(shards, trainer.model, trainer.optimiser)
        random = self._crew.gathered(random_state())
        self._crew.wait()
        if self._crew.is_main:
            index = {"fingerprint": self._fingerprint, "shards": shards.name, "state": asdict(trainer.state)}
            write_whole(self._index, index | {"random": random})
            for old in self._folder.glob("shards-*"):
                if old != shards:
                    shutil.rmtree(old, ignore_errors=True)

    def _load_shards(self, trainer: Trainer) -> bool:
        if not self._index.exists():
            return False
        index = torch.load(self._index, weights_only=True)
        self._refuse_another(index["fingerprint"])
        self._crew.load_shards(self._folder / index["shards"], trainer.model, trainer.optimiser)
        trainer.go_on_at(State(**index["state"]), index["random"])
        return True

    def _refuse_another(self, fingerprint: Any) -> None:
        if fingerprint != self._fingerprint:
            raise OtherTraining(
                f"{self._folder.parent} holds an unfinished training on other pairs or with another "
                "configuration. Choose another output folder, or delete this one."
            )


def write_whole(file: Path, state: dict[str, Any]) -> None:
    """Write a file of tensors and values such that it is there whole or not at all."""
    unfinished = file.with_suffix(".tmp")
    with unfinished.open("wb") as stream:
        torch.save(state, stream)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(file)
