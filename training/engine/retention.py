"""What a MEMORY that goes on from another has forgotten of it: the same questions before and after."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.engine.abstention import Abstention
from training.engine.artifact import PAIRS, verify
from training.engine.events import Event, Forgotten, Phase
from training.engine.measure import Stop
from training.engine.merge import Asking, opened
from training.engine.merge_exam import Exam, measuring_config, set_exam, take
from training.engine.pairs import Split, kept_pairs, normalised

PHASE = "looking for what was forgotten"


def forgotten(before: Path, after: Path, stop: Stop = lambda: False) -> Iterator[Event]:
    """Ask both MEMORYs the questions of the first; yields phases and, at the end, the figures of both.

    Questions that the second was taught another answer to are left out: those are not forgotten but corrected.
    Nothing is asked where the first does not keep its pairs. Raises BadArtifact, and Interrupted when ``stop``
    returns true.
    """
    yield Phase(PHASE)
    if not (before / PAIRS).exists():
        yield Forgotten({})
        return
    old, new = (kept_pairs(folder / PAIRS) for folder in (before, after))
    old = uncorrected(old, new)
    manifest = verify(before)
    asking = Asking(*opened(before, manifest))
    exam = set_exam("before", old, new, asking.encoder, measuring_config(manifest))
    figures = {"before": (yield from _taken(exam, asking, manifest, stop))}
    manifest = verify(after)
    asking = Asking(*opened(after, manifest))
    figures["after"] = yield from _taken(exam, asking, manifest, stop)
    yield Forgotten(figures)


def uncorrected(old: Split, new: Split) -> Split:
    """The old pairs without those that the new ones answer otherwise."""
    answers = {normalised(pair.question): pair.answer for pair in (*new.trained, *new.held_out)}
    trained, held_out = (
        tuple(pair for pair in part if answers.get(normalised(pair.question), pair.answer) == pair.answer)
        for part in (old.trained, old.held_out)
    )
    return replace(old, trained=trained, held_out=held_out)


def _taken(
    exam: Exam, asking: Asking, manifest: dict[str, Any], stop: Stop
) -> Generator[Event, None, dict[str, Any]]:
    heard: Callable[[int], Event] = lambda _: Phase(PHASE)  # noqa: E731
    return (yield from take(exam, asking.decoder, Abstention.from_dict(manifest["abstention"]), stop, heard))
