"""How the engine is started: by itself, or by ``accelerate launch`` where several devices train together."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from training.engine.capacity import memory_bytes
from training.engine.config import EngineConfig
from training.engine.devices import accelerators, free_gpu_memory
from training.engine_process import engine_command

#: Everything that accelerate would otherwise ask its configuration file, or warn about.
_LAUNCH = (
    "--num_machines",
    "1",
    "--mixed_precision",
    "no",
    "--dynamo_backend",
    "no",
    "--main_process_port",
    "0",
)
AUTO = "auto"


def processes() -> int:
    """How many processes train together here: one an accelerator, or as many as ``TRAINING_DEVICES`` says."""
    wanted: int | str = settings.TRAINING_DEVICES
    return max(1, accelerators() if wanted == AUTO else int(wanted))


def free_on_devices() -> list[int]:
    """Bytes free on each GPU that a training may use here."""
    free, wanted = free_gpu_memory(), settings.TRAINING_DEVICES
    return free if wanted == AUTO else free[: int(wanted)]


def can_be_spread(config: EngineConfig) -> bool:
    """Whether several devices can share the weights of such a training (FSDP): it keeps no average of them."""
    return config.method == "full" and not config.average


def must_be_spread(parameters: int, config: EngineConfig, free: Sequence[int]) -> bool:
    """Whether the devices, of which each has so many bytes ``free``, can only hold such a training together."""
    needed = memory_bytes(parameters, config, on_gpu=True)
    return len(free) > 1 and can_be_spread(config) and needed > min(free)


def launched(name: str, count: int, *, is_spread: bool = False) -> list[str]:
    """How a command of the engine begins when ``count`` processes share its work: by DDP, or by FSDP.

    Each ends with the process that started them: they all hold its pipe, and the launcher ends when they do.
    """
    python, *engine = engine_command(name)
    if count == 1:
        return [python, *engine]
    kind = "--use_fsdp" if is_spread else "--multi_gpu"
    launcher = ["-m", "accelerate.commands.launch", kind, "--num_processes", str(count), *_LAUNCH]
    return [python, *launcher, *engine]
