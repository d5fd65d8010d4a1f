"""How the engine is started: by itself, or by ``accelerate launch`` where several devices train together."""

from __future__ import annotations

from django.conf import settings

from training.engine.devices import accelerators
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


def launched(name: str, count: int) -> list[str]:
    """How a command of the engine begins when ``count`` processes share its work.

    Each ends with the process that started them: they all hold its pipe, and the launcher ends when they do.
    """
    python, *engine = engine_command(name)
    if count == 1:
        return [python, *engine]
    launcher = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", str(count), *_LAUNCH]
    return [python, *launcher, *engine]
