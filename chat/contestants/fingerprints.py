"""What makes two contestants the same: their parts, and the code that answers with them."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

#: The code that decides answers, prompts included: packages beside this one.
PACKAGES = (
    "chat/contestants",
    "chat/evidence",
    "chat/language_model",
    "chat/likeness",
    "chat/protocol",
    "chat/rules",
    "knowledge/ingest",
    "knowledge/pipeline",
    "knowledge/rules",
    "memosite/llm",
)
#: How a memory, or an encoder of this machine, is loaded and asked.
ENGINE = (
    "abstention",
    "decode",
    "echo",
    "embed",
    "encode",
    "fast_decode",
    "generated",
    "loading",
    "recall",
    "words",
)
FILES = (
    "training/memory.py",
    "training/microbatch.py",
    "training/remote.py",
    "training/serving.py",
    *(f"training/engine/{name}.py" for name in ENGINE),
)
ROOT = Path(__file__).resolve().parents[2]


def fingerprint(*parts: Any) -> str:
    """64 hexadecimal digits over JSON values and the code: the same where the same answers are to be expected."""
    text = json.dumps([code_sha256(), *parts], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_sha256() -> str:
    """Over the source and prompts of all that decides an answer but for models and documents."""
    digest = hashlib.sha256()
    in_packages = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*"))]
    for path in [*in_packages, *(ROOT / name for name in FILES)]:
        if path.suffix in (".py", ".md"):
            digest.update(f"{path.relative_to(ROOT).as_posix()}\x1f".encode() + path.read_bytes() + b"\x1e")
    return digest.hexdigest()
