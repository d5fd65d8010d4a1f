"""Weights read and written a tensor at a time: what is merged never has to fit into memory as a whole."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from safetensors import safe_open

from memosite.errors import Conflict
from training.engine.errors import BadArtifact, NoSpace
from training.engine.intake import ADAPTER_WEIGHTS, INDEX, WEIGHTS

if TYPE_CHECKING:
    from torch import Tensor

SHARD_BYTES = 1 << 30
STATE = "merge-state.json"
#: How safetensors names the types of numbers, and how many bytes each takes.
BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


class OtherMerge(Conflict):
    """The output folder holds a merge of other parents or with other numbers."""

    code = "other_merge"


@dataclass(frozen=True)
class TensorInfo:
    """What a file says about a tensor before it is read. ``dtype`` is named as safetensors names it."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.size * BYTES[self.dtype]


class TensorFiles:
    """The weights in a folder: one safetensors file, or the shards that an index names."""

    def __init__(self, folder: Path, *, is_adapter: bool = False) -> None:
        self.folder = folder
        self._whole = ADAPTER_WEIGHTS if is_adapter else WEIGHTS

    @cached_property
    def _places(self) -> dict[str, Path]:
        """The file of each tensor, in the files' order."""
        if self._whole == WEIGHTS and (self.folder / INDEX).exists():
            named = json.loads((self.folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
            return {name: self.folder / file for name, file in named.items()}
        path = self.folder / self._whole
        if not path.exists():
            raise BadArtifact(
                f"{self.folder} has no weights as safetensors. Save the model with safetensors."
            )
        with safe_open(path, framework="np") as file:
            return dict.fromkeys(file.keys(), path)

    @cached_property
    def infos(self) -> dict[str, TensorInfo]:
        """What there is, by name, without reading any of it."""
        found: dict[str, TensorInfo] = {}
        for path in dict.fromkeys(self._places.values()):
            with safe_open(path, framework="np") as file:
                for name in file.keys():  # noqa: SIM118 - no mapping
                    part = file.get_slice(name)
                    found[name] = TensorInfo(name, tuple(part.get_shape()), part.get_dtype())
        return found

    def read(self, name: str) -> Tensor:
        """One tensor in fp32. The file is closed again: pages of an open one would stay in memory."""
        import torch

        with safe_open(self._places[name], framework="pt") as file:
            tensor: Tensor = file.get_tensor(name)
            return tensor.to(torch.float32, copy=True)


def shards(infos: Sequence[TensorInfo], most_bytes: int = SHARD_BYTES) -> list[list[TensorInfo]]:
    """The tensors in the files that they are written to, each of at most so many bytes, or of one tensor."""
    found: list[list[TensorInfo]] = []
    room = 0
    for info in infos:
        if not found or info.bytes > room:
            found.append([])
            room = most_bytes
        found[-1].append(info)
        room -= info.bytes
    return found


def write_shard(path: Path, infos: Sequence[TensorInfo], tensor_of: Callable[[str], Tensor]) -> Iterator[str]:
    """Write a safetensors file as its tensors come; yields the name of each that is written.

    The format: eight bytes with the length of a JSON header that tells type, shape and place of each tensor, the
    header, the tensors. All of that is known before the first one is made. The file appears once it is whole.
    """
    ordered = sorted(
        infos, key=lambda info: (-BYTES[info.dtype], info.name)
    )  # each starts at its own alignment
    unfinished = path.with_name(f"{path.name}.tmp")
    with unfinished.open("wb") as file:
        file.write(_header(ordered))
        for info in ordered:
            _write_tensor(file, tensor_of(info.name), info)
            yield info.name
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _header(infos: Sequence[TensorInfo]) -> bytes:
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    start = 0
    for info in infos:
        end = start + info.bytes
        entries[info.name] = {"dtype": info.dtype, "shape": list(info.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _write_tensor(file: BinaryIO, tensor: Tensor, info: TensorInfo) -> None:
    import torch

    if tuple(tensor.shape) != info.shape:
        raise BadArtifact(f"{info.name} came out with the shape {tuple(tensor.shape)}, not {info.shape}.")
    stored = tensor.to(getattr(torch, DTYPES[info.dtype])).contiguous()
    file.write(stored.reshape(-1).view(torch.uint8).numpy().data)


class StreamedWeights:
    """The weights of a merge while they are written: whole files are kept, so a killed merge goes on behind them.

    ``plan`` says what is being merged; a folder that holds another plan's files is refused with OtherMerge.
    """

    def __init__(
        self,
        folder: Path,
        infos: Sequence[TensorInfo],
        plan: Mapping[str, Any],
        *,
        is_adapter: bool = False,
        shard_bytes: int = SHARD_BYTES,
    ) -> None:
        self._folder, self._parts = folder, shards(infos, shard_bytes if not is_adapter else 1 << 62)
        self._whole = ADAPTER_WEIGHTS if is_adapter else WEIGHTS
        self._fingerprint = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()
        self.total = len(infos)

    def write(self, tensor_of: Callable[[str], Tensor]) -> Iterator[int]:
        """Write what is not there yet; yields how many tensors are, one after the other. Raises NoSpace."""
        state = self._begin()
        done = 0
        for part, name in zip(self._parts, self._names(), strict=True):
            if (self._folder / name).exists():
                done += len(part)
                yield done
                continue
            began = time.monotonic()
            for _ in write_shard(self._folder / name, part, tensor_of):
                done += 1
                yield done
            state["seconds"] += time.monotonic() - began
            self._store(state)
        if len(self._parts) > 1:
            self._write_index()

    @property
    def seconds(self) -> float:
        """What the writing took, over all starts."""
        return float(self._stored()["seconds"])

    def forget(self) -> None:
        """Remove the state: the artifact is complete."""
        (self._folder / STATE).unlink(missing_ok=True)

    def _begin(self) -> dict[str, Any]:
        if (self._folder / STATE).exists():
            state = self._stored()
            if state.get("fingerprint") != self._fingerprint:
                raise OtherMerge(
                    f"{self._folder} holds an unfinished merge of other parents or with other numbers. Choose "
                    "another output folder, or delete this one."
                )
            return state
        if self._folder.is_dir() and any(self._folder.iterdir()):
            raise OtherMerge(f"{self._folder} is not empty. Choose another output folder.")
        self._folder.mkdir(parents=True, exist_ok=True)
        require_space(self._folder, sum(info.bytes for part in self._parts for info in part))
        state = {"fingerprint": self._fingerprint, "seconds": 0.0}
        self._store(state)
        return state

    def _names(self) -> list[str]:
        count = len(self._parts)
        if count == 1:
            return [self._whole]
        return [f"model-{number:05}-of-{count:05}.safetensors" for number in range(1, count + 1)]

    def _write_index(self) -> None:
        files = zip(self._parts, self._names(), strict=True)
        index = {
            "metadata": {"total_size": sum(info.bytes for part in self._parts for info in part)},
            "weight_map": {info.name: name for part, name in files for info in part},
        }
        write_json(self._folder / INDEX, index)

    def _stored(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self._folder / STATE).read_text(encoding="utf-8"))
        return found

    def _store(self, state: Mapping[str, Any]) -> None:
        write_json(self._folder / STATE, state)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON file such that it is there whole or not at all."""
    unfinished = path.with_name(f"{path.name}.tmp")
    unfinished.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(path)


def require_space(folder: Path, needed: int) -> None:
    """Make sure that the disk has room for so many bytes. Raises NoSpace."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    if needed * 1.05 > free:
        raise NoSpace(
            f"The merged weights take {needed / 1e9:.1f} GB in {place}, and {free / 1e9:.1f} GB are free. Delete "
            "old versions first."
        )
