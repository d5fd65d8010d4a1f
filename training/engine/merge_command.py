"""``python -m training.engine merge`` and ``score``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.engine.events import Event, Phase
from training.engine.merge_methods import METHODS, BadMerge

if TYPE_CHECKING:
    from training.engine.artifact import Manifest

Emit = Callable[[Event], None]
Stop = Callable[[], bool]


def add_commands(
    commands: Any, work: Callable[[Callable[[argparse.Namespace, Emit, Stop], None]], Any]
) -> None:
    """Add the commands to the parser. ``work`` makes a command of a function that emits events."""
    one = commands.add_parser("merge", help="merge several trained MEMORYs into one")
    one.add_argument("parents", type=Path, nargs="+", help="folders of the MEMORYs, at least two")
    one.add_argument("--output", type=Path, required=True, help="folder of the merged MEMORY")
    one.add_argument("--method", choices=list(METHODS), required=True, help="how to merge")
    one.add_argument("--weights", type=float, nargs="+", help="one number a parent; how much each counts")
    one.add_argument("--density", type=float, help="share of each task vector's values that is kept")
    one.add_argument("--scale", type=float, help="factor of the merged task vector")
    one.add_argument("--seed", type=int, help="decides which values DARE drops")
    one.add_argument("--names", nargs="+", default=[], help="what people call the parents")
    one.add_argument("--exit-with-parent", action="store_true", help="stop when standard input closes")
    one.set_defaults(command=work(merge))

    one = commands.add_parser("score", help="recall and false answers of a MEMORY on pairs")
    one.add_argument("--model", type=Path, required=True, help="folder of the MEMORY")
    one.add_argument("--pairs", type=Path, help="JSON lines, some with held_out; its own if none is named")
    one.set_defaults(command=score)


def merge(options: argparse.Namespace, emit: Emit, stop: Stop) -> None:
    """Merge to the end, emitting events."""
    from training.engine.merge import merge_memories

    if options.names and len(options.names) != len(options.parents):
        raise BadMerge(f"There are {len(options.parents)} parents and {len(options.names)} names.")
    values = {key: getattr(options, key) for key in ("weights", "density", "scale", "seed")}
    for event in merge_memories(options.parents, options.output, options.method, values, options.names, stop):
        emit(event)


def score(options: argparse.Namespace) -> int:
    """Print what a MEMORY recalls of pairs, and how often it answers what they do not tell."""
    from training.engine.artifact import PAIRS, verify

    manifest = verify(options.model)
    print(json.dumps(scored(options.model, manifest, options.pairs or options.model / PAIRS), indent=2))  # noqa: T201
    return 0


def scored(folder: Path, manifest: Manifest, pairs: Path) -> dict[str, Any]:
    """Recall of a MEMORY on a file of pairs: shares in [0, 1], by its own threshold."""
    from training.engine.abstention import Abstention
    from training.engine.merge import Asking, opened
    from training.engine.merge_exam import measuring_config, set_exam, take
    from training.engine.pairs import kept_pairs

    asking, split = Asking(*opened(folder, manifest)), kept_pairs(pairs)
    exam = set_exam("pairs", split, split, asking.encoder, measuring_config(manifest))
    abstention = Abstention.from_dict(manifest["abstention"])
    taken = take(exam, asking.decoder, abstention, lambda: False, lambda answered: Phase("asking"))
    while True:
        try:
            next(taken)
        except StopIteration as end:
            figures: dict[str, Any] = end.value
            return figures
