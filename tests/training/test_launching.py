"""How the engine is started on one device and on several, and that nothing of it is left behind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from memosite.environment import Environment
from tests.training.test_engine import facts, write
from training import launching
from training.engine import devices
from training.engine_process import follow_engine
from training.launching import launched, processes

pytestmark = [pytest.mark.engine, pytest.mark.long]


def test_one_device_needs_no_launcher():
    assert launched("train", 1) == [sys.executable, "-m", "training.engine", "train", "--exit-with-parent"]


def test_several_devices_are_started_by_accelerate():
    command = launched("train", 4)
    assert command[:3] == [sys.executable, "-m", "accelerate.commands.launch"]
    assert command[command.index("--num_processes") + 1] == "4"
    assert command[-4:] == ["-m", "training.engine", "train", "--exit-with-parent"]


@pytest.mark.parametrize(("wanted", "there", "count"), [("auto", 0, 1), ("auto", 3, 3), (2, 0, 2), (1, 8, 1)])
def test_as_many_processes_as_devices_unless_the_setting_says_otherwise(
    settings, monkeypatch, wanted, there, count
):
    settings.TRAINING_DEVICES = wanted
    monkeypatch.setattr(launching, "accelerators", lambda: there)
    assert processes() == count


@pytest.mark.parametrize(("given", "value"), [("auto", "auto"), ("2", 2), ("0", "auto"), ("two", "auto")])
def test_a_number_of_devices_that_makes_no_sense_is_explained(monkeypatch, given, value):
    monkeypatch.setenv("TRAINING_DEVICES", given)
    environment = Environment()
    assert environment.number_or_auto("TRAINING_DEVICES", at_least=1) == value
    assert bool(environment.problems) is (str(value) != given)


def test_a_machine_without_a_device_is_told_without_loading_torch(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it would fail
    assert devices.accelerators(tmp_path) == 0


@pytest.mark.parametrize(
    ("visible", "free"),
    [(None, [1, 2, 3]), ("2,0", [3, 1]), ("GPU-bb", [2]), ("", []), ("7", [])],
)
def test_only_the_gpus_that_torch_may_use_are_counted(monkeypatch, tmp_path, visible, free):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '0, GPU-aa11, 1'\necho '1, GPU-bb22, 2'\necho '2, GPU-cc33, 3'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert devices.free_gpu_memory() == [megabytes * 2**20 for megabytes in free]


@pytest.mark.parametrize("is_spread", [False, True], ids=["ddp", "fsdp"])
def test_two_processes_train_together_and_end_with_the_run(tmp_path: Path, is_spread: bool):
    """The launcher, its processes and their children are gone once the run is cancelled."""

    class Cancelled(Exception):
        pass

    heard: list[dict[str, Any]] = []

    def record(event: dict[str, Any]) -> None:
        heard.append(event)
        if event.get("event") == "progress":
            seen.extend(set(psutil.Process().children(recursive=True)) - before)
            raise Cancelled

    seen: list[psutil.Process] = []
    before = set(psutil.Process().children(recursive=True))
    command = [*launched("train", 2, is_spread=is_spread), *write(tmp_path, facts(8), average=0.0)[4:]]
    with pytest.raises(Cancelled):
        follow_engine(command, tmp_path / "log", record)
    started = next(event for event in heard if event.get("event") == "started")
    assert started["processes"] == 2
    assert len(seen) >= 3
    _, alive = psutil.wait_procs(seen, timeout=20)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]
    saved = {path.name for path in (tmp_path / "memory/checkpoint").iterdir()}
    assert ("shards.pt" in saved) is is_spread
