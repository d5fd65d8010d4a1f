"""Kill one of two real web processes in the middle of real conversations: nobody loses a question."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
IS_ON_SERVERS = settings.DATABASES["default"]["ENGINE"].endswith("postgresql") and settings.REDIS_URL

pytestmark = pytest.mark.skipif(
    not IS_ON_SERVERS, reason="Two web processes need PostgreSQL and Redis: set DATABASE_URL and REDIS_URL."
)


def test_clients_of_a_killed_web_process_go_on_with_another_and_ask_again(tmp_path):
    figures = tmp_path / "figures.json"
    options = ["--kill", "--conversations", "6", "--seconds", "12", "--pause", "0.2", "--ms", "800"]
    done = subprocess.run(
        [sys.executable, "benchmarks/chat_load.py", *options, "--json", str(figures)],
        cwd=ROOT,
        env=os.environ.copy(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(figures.read_text())
    assert [found[name] for name in ("lost", "mixed", "failed")] == [0, 0, 0], found["examples"]
    assert found["reconnected"] == 3  # the killed one had half of the six
    assert 0 < found["interrupted"] == found["asked_again"]
    assert found["noticed_after_seconds"] < settings.TURN_LEASE_SECONDS + 10
