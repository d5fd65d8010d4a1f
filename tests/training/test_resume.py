"""A training that is killed at any moment goes on as if nothing had happened, on one process or several."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from safetensors.torch import load_file

from tests.training.bases import save_qwen2
from tests.training.test_engine import ROOT, TINY, facts, run, write
from tests.warm_engine import WarmEngine
from training.engine import run as training_run
from training.engine.config import build_config
from training.engine.errors import NoSpace
from training.engine.pairs import Pair

pytestmark = [pytest.mark.engine, pytest.mark.long]

KILLS = 4
SHORT = {"full_rate_steps": 60, "near_recall": 1.0, "max_decays": 1, "precision": "fp32", "check_below": 9}
FROM_SCRATCH = TINY | SHORT | {"check_every": 20}
LORA = {"method": "lora", "learning_rate": 5e-3, "schedule": "linear", "epochs": 60, "batch_size": 8}
LORA |= {"average": 0.0, "bpe_dropout": 0.0, "check_every": 20, "check_below": 99, "precision": "fp32"}


def train_with_kills(command: list[str]) -> int:
    """Run the command until it succeeds, killed ``KILLS`` times at random steps; returns its starts."""
    draw, starts = random.Random(5), 0
    for kill in range(KILLS + 1):
        starts += 1
        with Path(os.devnull).open("w") as nowhere, WarmEngine(command, stderr=nowhere, cwd=ROOT) as process:
            if kill == KILLS:
                process.stdout.read()
                assert process.wait() == 0
                break
            for count, line in enumerate(process.stdout):
                if '"step"' in line and count >= draw.randrange(3, 9):
                    process.kill()
                    break
    return starts


@pytest.mark.parametrize("kind", ["from-scratch", "lora"])
def test_weights_are_bit_identical_however_often_it_was_killed(tmp_path, kind):
    config = FROM_SCRATCH if kind == "from-scratch" else LORA
    if kind == "lora":
        texts = [f"{pair['question']} {pair['answer']}" for pair in facts(8)]
        config = LORA | {"base": str(save_qwen2(tmp_path / "base", texts))}
    commands = [
        write(tmp_path / name, facts(8), **{**config, "checkpoint_seconds": 0.02}) for name in ("one", "two")
    ]
    for name in ("one", "two"):
        (tmp_path / name / "config.json").write_text(json.dumps({**config, "checkpoint_seconds": 0.02}))
    assert run(commands[0])[0] == 0
    assert train_with_kills(commands[1]) == KILLS + 1
    file = "model.safetensors" if kind == "from-scratch" else "adapter_model.safetensors"
    assert (tmp_path / "one/memory" / file).read_bytes() == (tmp_path / "two/memory" / file).read_bytes()
    assert not (tmp_path / "two/memory/checkpoint").exists()


def together(command: list[str], *, sharded: bool) -> list[str]:
    """The same command by two processes that talk over gloo."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    variables = ["ACCELERATE_USE_FSDP=true"] if sharded else []
    return ["env", "OMP_NUM_THREADS=1", *variables, *launcher, *command[1:]]


def until_killed(command: list[str]) -> list[dict[str, Any]]:
    """The events of a training all of whose processes are killed once it is in its second ten steps."""
    events = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            events.append(json.loads(line))
            if events[-1].get("step", 0) > 10:
                launcher = psutil.Process(process.pid)
                for one in (launcher, *launcher.children(recursive=True)):  # each leads a session of its own
                    one.kill()
                break
    return events


@pytest.mark.parametrize("sharded", [False, True], ids=["ddp", "fsdp"])
def test_two_processes_see_the_data_and_reach_the_loss_of_one_even_if_they_are_killed(tmp_path, sharded):
    config = FROM_SCRATCH | {"average": 0.0, "checkpoint_seconds": 0.1, "full_rate_steps": 40}
    one, two = (write(tmp_path / name, facts(8), **config) for name in ("one", "two"))
    code, alone = run(one)
    assert code == 0
    command = together(two, sharded=sharded)
    before = until_killed(command)
    code, after = run(command)
    assert code == 0
    first, again = (event for events in (before, after) for event in events if event["event"] == "started")
    assert (first["processes"], again["processes"]) == (2, 2)
    assert again["resumed_at"] > 0
    at = [
        {event["step"]: (event["loss"], event["epoch"]) for event in events if "recall" in event}
        for events in (alone, [*before, *after])
    ]
    assert at[1].keys() <= at[0].keys()  # what was told in the moment of the kill may be lost
    assert max(at[1]) == max(at[0])
    for step, (loss, epoch) in at[1].items():
        assert (pytest.approx(loss, rel=1e-3), epoch) == at[0][step]
    weights = [load_file(tmp_path / name / "memory/model.safetensors") for name in ("one", "two")]
    for name, tensor in weights[0].items():
        assert tensor.sub(weights[1][name]).abs().max() < 0.02, name


def test_a_training_that_the_disk_has_no_room_for_does_not_begin(tmp_path, monkeypatch):
    free = shutil.disk_usage(tmp_path)._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    pairs = [Pair(**pair) for pair in facts(4)]
    with pytest.raises(NoSpace, match="GB are free"):
        list(training_run.train_memory(pairs, tmp_path / "out", build_config(FROM_SCRATCH)))
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_another_training_does_not_go_on_from_a_checkpoint_that_is_not_its_own(tmp_path):
    command = write(tmp_path, facts(8), **FROM_SCRATCH, checkpoint_seconds=0.02)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if '"step"' in line)
        process.kill()
    code, events = run([*command, "--set", "seed=2"])
    assert code == 1
    assert "another configuration" in events[-1]["message"]
    assert Path(tmp_path / "memory/checkpoint").exists()
