"""The import contracts of pyproject.toml hold, and they bite."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("memosite", "knowledge", "training", "chat")


def contracts_hold(folder: Path) -> bool:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True).returncode == 0


def test_the_import_contracts_hold():
    assert contracts_hold(ROOT)


@pytest.mark.parametrize(
    ("module", "forbidden_import"),
    [
        ("knowledge/pipeline/types.py", "import django.db"),
        ("knowledge/exchange/records.py", "import django.db"),
        ("chat/evidence/index.py", "import django.db"),
        ("chat/contestants/kinds.py", "import training.lab.runs.contestants"),
        ("knowledge/services.py", "import training.models"),
        ("training/services.py", "import chat.models"),
        ("chat/views/conversations.py", "import torch"),
        ("memosite/runs.py", "import knowledge.models"),
    ],
)
def test_a_forbidden_import_breaks_a_contract(tmp_path, module, forbidden_import):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    spoiled = tmp_path / module
    spoiled.write_text(f"{spoiled.read_text(encoding='utf-8')}\n{forbidden_import}\n", encoding="utf-8")
    assert not contracts_hold(tmp_path)


def test_the_web_starts_without_torch():
    program = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'memosite.settings'; django.setup();"
        "import memosite.asgi, memosite.urls; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0
