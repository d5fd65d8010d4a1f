"""The engine in its process: signs of life, silence, and one writer a folder."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from training import engine_process
from training.engine import __main__ as command_line
from training.engine.__main__ import Output, alone_in
from training.engine.errors import Busy, Unwritable
from training.engine.events import Event
from training.engine_process import EngineFailed, follow_engine

pytestmark = pytest.mark.engine

SLOW_STEP = """
import time
for _ in range(12):
    print('{"event": "alive"}', flush=True)
    time.sleep(0.2)
print('{"event": "progress", "step": 1}', flush=True)
"""


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_process, "SILENCE_SECONDS", 0)  # looked at once a second


def test_a_step_of_minutes_does_not_end_an_engine_that_gives_signs_of_life(impatient, tmp_path):
    heard: list[dict[str, Any]] = []
    follow_engine(program(SLOW_STEP), tmp_path / "log", heard.append)
    assert heard[-1] == {"event": "progress", "step": 1}


def test_an_engine_that_gives_no_sign_of_life_is_ended(impatient, tmp_path):
    with pytest.raises(EngineFailed, match="no sign of life"):
        follow_engine(program("import time; time.sleep(60)"), tmp_path / "log", lambda _: None)


def test_the_engine_gives_signs_of_life_while_it_has_nothing_else_to_say(monkeypatch):
    class Listening(Output):
        heard = threading.Event()

        def emit(self, event: Event) -> None:
            assert json.dumps(event.as_dict()) == '{"event": "alive"}'
            self.heard.set()

    output = Listening()
    with output.signs_of_life(seconds=0.01):
        assert output.heard.wait(10)


def test_an_engine_that_has_had_nothing_else_to_say_for_an_hour_counts_as_stuck(monkeypatch, capsys):
    monkeypatch.setattr(command_line, "STUCK_SECONDS", 0)
    output = Output()
    with output.signs_of_life(seconds=0.001):
        threading.Event().wait(0.05)
    assert capsys.readouterr().out == ""


def test_a_folder_below_one_that_is_no_folder_is_told_in_words(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unwritable, match="cannot be written to"), alone_in(tmp_path / "file" / "memory"):
        pass


def test_a_second_process_does_not_write_to_the_same_folder(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(command_line, "GRACE_SECONDS", 0.05)
    folder = tmp_path / "memory"
    with alone_in(folder), pytest.raises(Busy, match="Another process works on"), alone_in(folder):
        pass
    with alone_in(folder):
        pass  # free again


def test_a_training_leaves_a_folder_alone_that_another_one_writes_to(monkeypatch, tmp_path: Path, capsys):
    monkeypatch.setattr(command_line, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(command_line, "StopRequest", lambda _: None)  # signals belong to the suite
    pair = {"id": "1", "question": "Who?", "answer": "Ann.", "fact": "1"}
    (tmp_path / "pairs.jsonl").write_text(json.dumps(pair))
    arguments = ["train", "--pairs", str(tmp_path / "pairs.jsonl"), "--output", str(tmp_path / "memory")]
    with alone_in(tmp_path / "memory"):
        assert command_line.main(arguments) == command_line.FAILED
    assert "Another process works on" in capsys.readouterr().err
    assert not (tmp_path / "memory").exists()
