"""What merging memories costs and keeps, beside retraining on everything and asking all of them.

    .venv/bin/python benchmarks/merging.py [--quick] [--facts 150] [--json FILE]

For two and for four corpora of invented facts (benchmarks/growth.py tells how they are worded): a memory is
trained from scratch as the common start, and from it one a corpus. These are merged by each method, and, to
compare, one is trained on the union of the corpora and one answer is chosen by routing among the memories. Asked
are trained wordings and wordings that no training pair has; an "I don't know" counts as wrong.

Seconds and peak memory are those of merging the weights alone, each time in a process of its own: a tensor at a
time, as the product does, and with the weights of all parents loaded at once. They are measured on these memories
and on larger parents of random weights, where memory counts. Peaks are above what Python takes with everything
imported; they count pages of files that are mapped, and need Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from growth import NEVER_TRAINED, ROOT, WORDINGS, invent, share_right, worded

from training.engine.merge_methods import METHODS

Fact = tuple[str, str, str]
CORPORA = (2, 4)
MEASURED = ("linear", "ties")  # one method without and one with a common start
LARGE = {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12, "vocab_size": 8_000}
SMALL = {**LARGE, "num_hidden_layers": 2, "vocab_size": 2_000}
SHORT = {
    "schedule": "linear",
    "epochs": 100,
    "max_steps": 150,
    "check_every": 1000,
}  # learns little: for --quick


def main() -> None:
    arguments = parse_arguments()
    if arguments.child:
        print(json.dumps(weigh(*arguments.child[:2], *map(Path, arguments.child[2:]))))
        return
    with tempfile.TemporaryDirectory(prefix="memosite-merging-") as folder:
        figures = measure(Path(folder), 24 if arguments.quick else arguments.facts, arguments.quick)
    print_tables(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--facts", type=int, default=150, help="facts of each corpus")
    parser.add_argument("--quick", action="store_true", help="few facts and short trainings: does it work?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(folder: Path, facts: int, quick: bool) -> dict[str, Any]:
    """All figures, the memories made anew."""
    told = list(invent(facts * (max(CORPORA) + 1)))
    first, *corpora = (told[place : place + facts] for place in range(0, len(told), facts))
    begun = train(folder / "start", first, quick)
    children = [
        train(folder / f"corpus{place}", facts_of, quick, init=str(begun))
        for place, facts_of in enumerate(corpora, 1)
    ]
    large = large_parents(folder / "large", children[0], SMALL if quick else LARGE)
    return {
        "facts": facts,
        "quick": quick,
        "accuracy": [accuracy(folder, children[:count], corpora[:count], quick) for count in CORPORA],
        "costs": [
            cost(folder, parents[:count], method)
            for parents in (children, large)
            for count in CORPORA
            for method in MEASURED
        ],
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
    }


# --- Memories --------------------------------------------------------------------------------------------------
def train(folder: Path, facts: Sequence[Fact], quick: bool, **settings: Any) -> Path:
    """A memory of the facts. ``settings`` differ from the recipe."""
    from training.engine.config import build_config
    from training.engine.pairs import Pair
    from training.engine.run import train_memory

    pairs = [Pair(**pair) for number, fact in enumerate(facts) for pair in worded(number, *fact)]
    for _ in train_memory(pairs, folder, build_config({**(SHORT if quick else {}), **settings})):
        pass
    print(f"trained {folder.name} on {len(facts)} facts: {seconds_of(folder):.0f} s", flush=True)
    return folder


def seconds_of(folder: Path) -> float:
    return float(json.loads((folder / "manifest.json").read_text())["metrics"]["seconds"])


def large_parents(folder: Path, like: Path, shape: dict[str, int]) -> list[Path]:
    """Four memories of random weights that continue one start: as files, all that a trained one has."""
    import torch
    from transformers import AutoConfig, Qwen2ForCausalLM

    torch.manual_seed(1)
    config = AutoConfig.from_pretrained(like)
    for name, value in shape.items():
        setattr(config, name, value)
    config.layer_types = ["full_attention"] * config.num_hidden_layers
    model = Qwen2ForCausalLM(config)
    start = finished(folder / "start", like, model, None)
    found = []
    for place in range(max(CORPORA)):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter), alpha=0.001)
        found.append(finished(folder / f"parent{place}", like, model, start))
    return found


def finished(folder: Path, like: Path, model: Any, start: Path | None) -> Path:
    """A whole artifact with the model's weights and everything else of another one."""
    from training.engine import artifact

    shutil.copytree(like, folder, ignore=shutil.ignore_patterns("*.safetensors", artifact.MARKER))
    model.save_pretrained(folder)
    manifest = json.loads((like / artifact.MANIFEST).read_text())
    kept = {key: value for key, value in manifest.items() if key not in ("files", "sha256", "format")}
    kept["config"] = kept["config"] | {"init": str(start) if start else None}
    artifact.complete(folder, kept)
    return folder


# --- What is kept ------------------------------------------------------------------------------------------------
def accuracy(
    folder: Path, children: Sequence[Path], corpora: Sequence[Sequence[Fact]], quick: bool
) -> dict[str, Any]:
    """Recall on all corpora by each way of having one memory of them."""
    from training.engine.merge import merge_memories
    from training.engine.recall import LocalMemory
    from training.routing import RoutedMemory

    count = len(children)
    everything = [fact for facts in corpora for fact in facts]
    union = train(folder / f"union{count}", everything, quick)
    routed = RoutedMemory({child.name: LocalMemory.load(child) for child in children})
    rows = [
        row("retrained on everything", LocalMemory.load(union), everything, seconds_of(union)),
        row("routing", routed, everything, 0.0),
    ]
    for name, method in METHODS.items():
        if method.most_parents and count > method.most_parents:
            continue
        merged = folder / f"{name}{count}"
        for _ in merge_memories(children, merged, name, {}):
            pass
        seconds = json.loads((merged / "manifest.json").read_text())["merge"]["seconds"]
        rows.append(row(method.title, LocalMemory.load(merged), everything, seconds))
        print(f"merged {count} by {method.title}", flush=True)
    return {"corpora": count, "ways": rows, "children_seconds": sum(map(seconds_of, children))}


def row(way: str, memory: Any, facts: Sequence[Fact], seconds: float) -> dict[str, Any]:
    never = [(wording, fact) for fact in facts for wording in NEVER_TRAINED]
    return {
        "way": way,
        "trained": share_right(memory, [(WORDINGS[0], fact) for fact in facts]),
        "never_trained": share_right(memory, never),
        "seconds": seconds,
    }


# --- What it costs -----------------------------------------------------------------------------------------------
def cost(folder: Path, parents: Sequence[Path], method: str) -> dict[str, Any]:
    """Seconds and peak memory of both ways to put the weights together, each in a process of its own."""
    found: dict[str, Any] = {
        "parents": len(parents),
        "method": method,
        "megabytes": (parents[0] / "model.safetensors").stat().st_size / 1e6,
    }
    for way in WAYS:
        output = folder / f"weighed-{way}"
        command = [sys.executable, __file__, "--child", way, method, str(output), *map(str, parents)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        shutil.rmtree(output, ignore_errors=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        found[way] = json.loads(done.stdout.splitlines()[-1])
    return found


def weigh(way: str, method: str, output: Path, *parents: Path) -> dict[str, float]:
    """In a process of its own: seconds, and how far its memory grew at most, in megabytes."""
    import torch
    from peft.utils import merge_utils  # noqa: F401 - so that importing it does not count

    import training.engine.merge  # noqa: F401 - as above

    torch.set_num_threads(1)
    output.mkdir()
    Path("/proc/self/clear_refs").write_text("5")  # from here on the peak counts, not that of importing
    before, began = resident("VmRSS"), time.monotonic()
    WAYS[way](method, output, parents)
    return {"seconds": time.monotonic() - began, "peak_mb": resident("VmHWM") - before}


def resident(which: str) -> float:
    """Megabytes of memory that this process has (VmRSS), or had at most (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(which))) * 1024 / 1e6


def streamed_way(method: str, output: Path, parents: Sequence[Path]) -> None:
    """A tensor at a time, as the product merges."""
    from training.engine.merge import plan_merge, streamed, tensors_of

    plan = plan_merge(parents, method, {})
    list(streamed(plan, output).write(tensors_of(plan)))


def plain_way(method: str, output: Path, parents: Sequence[Path]) -> None:
    """All weights loaded, merged, and saved at once."""
    from safetensors.torch import load_file, save_file

    from training.engine.merge import plan_merge

    plan = plan_merge(parents, method, {})
    combine, options = METHODS[method].combine, plan.options
    loaded = [load_file(parent / "model.safetensors") for parent in parents]
    if plan.common is None:
        merged = {name: combine([one[name] for one in loaded], options, name) for name in loaded[0]}
    else:
        base = load_file(Path(plan.common) / "model.safetensors")
        vectors = [{name: one[name] - base[name] for name in base} for one in loaded]
        merged = {
            name: base[name] + options.scale * combine([one[name] for one in vectors], options, name)
            for name in base
        }
    save_file({name: tensor.contiguous() for name, tensor in merged.items()}, output / "model.safetensors")


WAYS: dict[str, Callable[[str, Path, Sequence[Path]], None]] = {"streamed": streamed_way, "plain": plain_way}


# --- Tables ------------------------------------------------------------------------------------------------------
def print_tables(figures: dict[str, Any]) -> None:
    print(f"\n{figures['machine']}; {figures['facts']} facts a corpus{', quick' if figures['quick'] else ''}")
    for part in figures["accuracy"]:
        print(f"\n{part['corpora']} corpora ({part['children_seconds']:.0f} s to train their memories)")
        print(f"{'':<26}{'trained':>9}{'new wordings':>14}{'seconds':>9}")
        for each in part["ways"]:
            shares = f"{each['trained']:>9.1%}{each['never_trained']:>14.1%}"
            print(f"{each['way']:<26}{shares}{each['seconds']:>9.1f}")
    print(f"\n{'merging the weights':<34}{'streamed':>18}{'all loaded':>18}")
    for each in figures["costs"]:
        title = f"{each['parents']} of {each['megabytes']:.0f} MB, {each['method']}"
        told = "".join(f"{each[way]['seconds']:>8.1f} s{each[way]['peak_mb']:>5.0f} MB" for way in WAYS)
        print(f"{title:<34}{told}")


if __name__ == "__main__":
    main()
