"""Whether a server really answers for the version that it is said to serve."""

from __future__ import annotations

import time
from dataclasses import dataclass

from memosite.errors import MemoError
from training.engine.pairs import normalised
from training.models import ServedVersion
from training.serving import memory_for

SAMPLE = 8
ENOUGH = 0.75  # servers multiply in other precisions: a few answers may come out otherwise


@dataclass(frozen=True)
class Tried:
    """What happened when pairs of the version were asked where it is served."""

    is_working: bool
    message: str


def try_served(served: ServedVersion) -> Tried:
    """Ask the first trained pairs of the version and say in words how many the server answered as trained."""
    pairs = list(served.version.pairs.filter(held_out=False)[:SAMPLE])
    if not pairs:
        return Tried(False, f"{served.version} has no pairs to try it with.")
    began = time.monotonic()
    try:
        answers = memory_for(served.version).answer([pair.question for pair in pairs])
    except MemoError as error:
        return Tried(False, str(error))
    seconds = time.monotonic() - began
    right = sum(
        normalised(answer.text) == normalised(pair.answer)
        for pair, answer in zip(pairs, answers, strict=True)
    )
    told = f"{right} of {len(pairs)} trained questions were answered as trained, in {seconds:.1f} s."
    if right >= ENOUGH * len(pairs):
        return Tried(True, told)
    return Tried(False, f"{told} Is “{served.model_name}” on “{served.endpoint}” really {served.version}?")
