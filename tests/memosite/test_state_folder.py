"""A state folder that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path):
    (tmp_path / "file").touch()
    environment = {**os.environ, "MEMOSITE_STATE_DIR": str(tmp_path / "file" / "state")}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "cannot be written: Not a directory. Set MEMOSITE_STATE_DIR to a folder" in done.stderr
    assert "Traceback" not in done.stderr
