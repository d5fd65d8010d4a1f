#!/usr/bin/env python
"""Ways to make one MEMORY of several corpora: accuracy, seconds and peak memory, side by side in one run.

    .venv/bin/python benchmarks/merging.py [--corpora 2,4] [--facts 200] [--large-mb 240] [--json FILE] [--quick]

Accuracy: a from-scratch MEMORY is trained on facts of its own; 2 and 4 children go on from it, each on the facts
of one corpus. Every merging method, routing between the children by their calibrated confidence, and one training
on the union of the corpora are then asked the same trained questions of each corpus, wordings that were never
trained on, and questions about people whom nobody mentions. ``unjudged`` is the recall on trained questions before
the abstention judges the answers.

Memory and time: that many full models of ``--large-mb`` megabytes of float32 weights each are merged with TIES,
once tensor by tensor as the product does it and once with all of them loaded by transformers, each in a process of
its own. Both have to give the same weights.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from growth import NEVER_TRAINED, ROOT, WORDINGS, answer, invent, worded
from training_speed import MODEL, VOCABULARY, save_model

sys.path.insert(0, str(ROOT))
METHODS = ("linear", "slerp", "task_arithmetic", "ties", "dare_linear", "dare_ties")
PAIRWISE = ("slerp",)  # takes two parents
ASKED = 150  # questions of each kind and corpus
CHILD = {"learning_rate": "1e-3"}
LARGE_METHOD = "ties"
Fact = tuple[str, str, str]


def main() -> None:
    options = parse_arguments()
    if options.side:
        {"ours": merge_streamed, "plain": merge_loaded}[options.side](
            options.folders[:-1], options.folders[-1]
        )
        print(json.dumps({"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    counts = [int(count) for count in options.corpora.split(",")]
    with tempfile.TemporaryDirectory(prefix="memosite-merging-") as place:
        accuracy = [measure_accuracy(Path(place), count, options.facts) for count in counts]
        costs = measure_costs(Path(place), counts, options.large_mb)
    found = {"machine": machine(), "facts_a_corpus": options.facts, "accuracy": accuracy, "costs": costs}
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpora", default="2,4", help="how many corpora, separated by commas")
    parser.add_argument("--facts", type=int, default=200, help="facts of each corpus")
    parser.add_argument("--large-mb", type=int, default=240, help="megabytes of each large parent")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="a trial: 60 facts, parents of 40 MB")
    parser.add_argument("--side", choices=["ours", "plain"], help=argparse.SUPPRESS)
    parser.add_argument("folders", type=Path, nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.facts, options.large_mb = 60, 40
    return options


def machine() -> str:
    import torch

    return f"{platform.machine()}, {os.cpu_count()} processors, torch {torch.__version__}"


# -- accuracy -----------------------------------------------------------------------------------------------
def measure_accuracy(place: Path, corpora: int, facts: int) -> dict[str, Any]:
    """Recall and false answers of each way of putting so many corpora together."""
    everything = list(invent((corpora + 2) * facts))
    shared, *own, unseen = (
        everything[number * facts : (number + 1) * facts] for number in range(corpora + 2)
    )
    folder = place / f"of-{corpora}"
    start = train(folder / "start", shared)
    children = [train(folder / f"child-{number}", some, start) for number, some in enumerate(own)]
    union = train(folder / "union", [fact for some in own for fact in some], start)
    print(f"\n{corpora} corpora of {facts} facts each; {parameters(union) / 1e6:.2f} M parameters")
    print(f"{'':<18}{'trained':>9}{'worst':>9}{'new words':>11}{'unjudged':>10}{'false':>9}{'seconds':>10}")
    rows = [
        scored("union, retrained", [union], own, unseen, seconds_of(union)),
        scored("routing", children, own, unseen, 0.0),
    ]
    for method in METHODS:
        if method not in PAIRWISE or corpora == 2:
            output = folder / method
            seconds = merged(children, output, method)
            rows.append(scored(method, [output], own, unseen, seconds))
    training = [round(seconds_of(child), 1) for child in children]
    return {"corpora": corpora, "training_seconds_of_children": training, "rows": rows}


def train(folder: Path, facts: Sequence[Fact], start: Path | None = None) -> Path:
    folder.mkdir(parents=True)
    pairs = [pair for number, fact in enumerate(facts) for pair in worded(number, *fact)]
    (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, pairs)))
    command = ["train", "--pairs", str(folder / "pairs.jsonl"), "--output", str(folder / "memory")]
    if start:
        command += ["--set", f"init={start}"]
        command += [word for key, value in CHILD.items() for word in ("--set", f"{key}={value}")]
    engine(command)
    return folder / "memory"


def merged(parents: Sequence[Path], output: Path, method: str) -> float:
    engine(["merge", *map(str, parents), "--output", str(output), "--method", method])
    return float(manifest_of(output)["merge"]["seconds"])


def engine(words: Sequence[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training.engine", *words], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stdout[-500:] + done.stderr[-2_000:])


def manifest_of(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return manifest


def seconds_of(folder: Path) -> float:
    return float(manifest_of(folder)["metrics"]["seconds"])


def parameters(folder: Path) -> int:
    return int(manifest_of(folder)["metrics"]["parameters"])


def scored(
    name: str, folders: Sequence[Path], own: Sequence[Sequence[Fact]], unseen: Sequence[Fact], seconds: float
) -> dict[str, Any]:
    """Ask one way of answering everything, print its row, and return it. Shares lie in [0, 1]."""
    from training.engine.recall import LocalMemory
    from training.routing import RoutedMemory

    memory = RoutedMemory({str(folder): LocalMemory.load(folder) for folder in folders})
    draw = random.Random(5)
    some = [draw.sample(list(facts), min(ASKED, len(facts))) for facts in own]
    trained = [right(memory, WORDINGS[:1], facts) for facts in some]
    reworded = [right(memory, NEVER_TRAINED, facts) for facts in some]
    unknown = draw.sample(list(unseen), min(ASKED, len(unseen)))
    said = memory.answer([WORDINGS[0].format(name=fact[0], relation=fact[1]) for fact in unknown])
    row = {
        "name": name,
        "trained": mean(trained),
        "worst_corpus": min(trained),
        "never_trained": mean(reworded),
        "trained_unjudged": mean([unjudged(folders[0], facts) for facts in some])
        if len(folders) == 1
        else None,
        "false_answers": mean([one.known for one in said]),
        "seconds": round(seconds, 2),
    }
    print(
        f"{name:<18}{row['trained']:>9.1%}{row['worst_corpus']:>9.1%}{row['never_trained']:>11.1%}"
        f"{'' if row['trained_unjudged'] is None else format(row['trained_unjudged'], '.1%'):>10}"
        f"{row['false_answers']:>9.1%}{seconds:>10.2f}",
        flush=True,
    )
    return row


def right(memory: Any, wordings: Sequence[str], facts: Sequence[Fact]) -> float:
    asked = [(wording.format(name=fact[0], relation=fact[1]), fact) for wording in wordings for fact in facts]
    said = memory.answer([question for question, _ in asked])
    return mean([one.known and one.text == answer(*fact) for one, (_, fact) in zip(said, asked, strict=True)])


def unjudged(folder: Path, facts: Sequence[Fact]) -> float:
    """Share of the trained questions whose answer the model says, whether or not its abstention lets it stand."""
    from training.engine.merge import Asking, opened

    decoder = Asking(*opened(folder, manifest_of(folder))).decoder
    said = decoder.generate([WORDINGS[0].format(name=fact[0], relation=fact[1]) for fact in facts])
    return mean([one.content.text == answer(*fact) for one, fact in zip(said, facts, strict=True)])


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


# -- memory and time ----------------------------------------------------------------------------------------
def measure_costs(place: Path, counts: Sequence[int], megabytes: int) -> list[dict[str, Any]]:
    """Seconds and peak memory of both ways of merging, the process's own modules included."""
    parents = large_parents(place / "large", max(counts), megabytes)
    print(f"\n{LARGE_METHOD} of full models of {megabytes} MB each")
    print(f"{'':<18}{'parents':>9}{'peak MB':>10}{'seconds':>10}")
    rows = []
    for count in counts:
        for side in ("ours", "plain"):
            output = place / f"{side}-{count}"
            words = [sys.executable, str(Path(__file__).resolve()), "--side", side]
            began = time.monotonic()
            done = subprocess.run(
                [*words, *map(str, parents[:count]), str(output)], capture_output=True, text=True, cwd=ROOT
            )
            if done.returncode:
                raise SystemExit(done.stderr[-2_000:])
            seconds, peak = time.monotonic() - began, json.loads(done.stdout.splitlines()[-1])["peak_mb"]
            rows.append(
                {"side": side, "parents": count, "peak_mb": round(peak), "seconds": round(seconds, 1)}
            )
            print(f"{side:<18}{count:>9}{peak:>10.0f}{seconds:>10.1f}", flush=True)
        require_same(place / f"ours-{count}", place / f"plain-{count}")
    return rows


def large_parents(place: Path, count: int, megabytes: int) -> list[Path]:
    """Full fine-tunes of one local base: one is trained for a step, the others differ from it by noise."""
    import shutil

    import torch
    from safetensors.torch import load_file, save_file

    from training.engine.artifact import complete

    pairs = [pair for number, fact in enumerate(invent(8)) for pair in worded(number, *fact)]
    words = [f"{pair['question']} {pair['answer']}" for pair in pairs]
    save_model(place / "base", words, shape(megabytes))
    (place / "pairs.jsonl").write_text("\n".join(map(json.dumps, pairs)))
    values = {
        "base": place / "base",
        "bpe_dropout": 0,
        "schedule": "linear",
        "max_steps": 1,
        "evaluation_sample": 1,
    }
    engine(
        [
            "train",
            "--pairs",
            str(place / "pairs.jsonl"),
            "--output",
            str(place / "parent-0"),
            "--recipe",
            "full",
        ]
        + [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
        + ["--set", "precision=fp32", "--set", "weights=fp32"]
    )
    parents = [place / "parent-0"]
    draw = torch.Generator().manual_seed(1)
    for number in range(1, count):
        folder = place / f"parent-{number}"
        shutil.copytree(parents[0], folder)
        weights = load_file(folder / "model.safetensors")
        noisy = {
            name: one + 1e-3 * torch.randn(one.shape, generator=draw).to(one) for name, one in weights.items()
        }
        save_file(noisy, folder / "model.safetensors", {"format": "pt"})
        manifest = manifest_of(folder)
        (folder / "manifest.json").unlink()
        complete(folder, {key: value for key, value in manifest.items() if key not in ("files", "sha256")})
        parents.append(folder)
    return parents


def shape(megabytes: int) -> dict[str, Any]:
    """A decoder of about so many megabytes in float32, the table of its tokens included."""
    wide, inner = MODEL["hidden_size"], MODEL["intermediate_size"]
    table = 4 * VOCABULARY * wide * 4
    layer = 4 * (wide * wide * 5 // 2 + 3 * wide * inner)  # a fourth of the heads for keys and for values
    return MODEL | {"num_hidden_layers": max(1, round((megabytes * 1e6 - table) / layer))}


def merge_streamed(folders: Sequence[Path], output: Path) -> None:
    """As the product does it: a tensor of each parent at a time."""
    from training.engine.merge import plan_merge, streamed, tensors_of, write_besides

    plan = plan_merge(folders, LARGE_METHOD, {})
    for _ in streamed(plan, output).write(tensors_of(plan)):
        pass
    write_besides(plan, output, None)


def merge_loaded(folders: Sequence[Path], output: Path) -> None:
    """As it is usually done: every model loaded, then merged and saved."""
    from transformers import AutoModelForCausalLM

    from training.engine.merge import plan_merge
    from training.engine.merge_methods import METHODS as TABLE

    plan = plan_merge(folders, LARGE_METHOD, {})
    base = AutoModelForCausalLM.from_pretrained(str(plan.common))
    states = [AutoModelForCausalLM.from_pretrained(folder).state_dict() for folder in folders]
    for name, start in dict(base.named_parameters()).items():  # tied weights are among them once
        vectors = [state[name] - start.data for state in states]
        combined = TABLE[LARGE_METHOD].combine(vectors, plan.options, name)
        start.data.copy_(start.data + plan.options.scale * combined)
    base.save_pretrained(output)


def require_same(ours: Path, plain: Path) -> None:
    """Both ways have to give the same weights, or the comparison is of two different things."""
    import torch
    from transformers import AutoModelForCausalLM

    one, other = (AutoModelForCausalLM.from_pretrained(folder).state_dict() for folder in (ours, plain))
    for name, weights in one.items():
        if not torch.allclose(weights.float(), other[name].float(), atol=1e-5):
            raise SystemExit(f"The two ways differ in {name}.")


if __name__ == "__main__":
    main()
