"""The accelerators of this machine and its memory, looked up without loading torch where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import psutil

DRIVERS = ("nvidia0", "kfd")  # what /dev holds where there is a GPU of NVIDIA or AMD
LOOK_SECONDS = 5


def accelerators(folder: Path = Path("/dev")) -> int:
    """How many accelerators torch may use here."""
    if not any((folder / name).exists() for name in DRIVERS):
        return 0
    import torch  # takes seconds, and is only needed where a device is

    return torch.cuda.device_count()


def free_gpu_memory() -> list[int]:
    """Bytes free on each GPU that torch may use here; empty where there is none, or none that tells."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=index,uuid,memory.free", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LOOK_SECONDS)  # noqa: S603
        rows = [[part.strip() for part in line.split(",")] for line in told.stdout.splitlines()]
        free = [(index, uuid, int(megabytes) * 2**20) for index, uuid, megabytes in rows]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [found for _, _, found in free]
    wanted = [name.strip() for name in visible.split(",") if name.strip()]
    return [
        found
        for name in wanted
        for index, uuid, found in free
        if name == index or (name.startswith("GPU-") and uuid.startswith(name))
    ]


def free_memory() -> int:
    """Bytes of this machine's memory that nobody uses."""
    return int(psutil.virtual_memory().available)
