"""How time and size grow with the number of facts: the from-scratch recipe on 300, 1,000, 3,000 and 10,000 facts.

Each fact is an invented person's value of one of twelve relations, worded in four ways for training. Asked are the
trained questions, and two wordings of each relation that no training pair has. Training runs through the engine's
command line, one after the other, on one thread.

    .venv/bin/python benchmarks/growth.py [--facts 300,1000,3000,10000] [--json FILE] [--plot FILE.svg]
"""

from __future__ import annotations

import argparse
import json
import math
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
WORDINGS = (
    "What is the {relation} of {name}?",
    "What is {name}'s {relation}?",
    "Which {relation} does {name} have?",
    "Name the {relation} of {name}.",
)
NEVER_TRAINED = ("{name} has which {relation}?", "I am looking for the {relation} that {name} has.")
RELATIONS = (
    "home town", "employer", "favourite colour", "occupation", "hobby", "birth year",
    "mother", "best friend", "instrument", "pet", "project", "office",
)  # fmt: skip
ASKED = 400  # questions of each kind


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", default="300,1000,3000,10000")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path, help="SVG file")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the recipe")
    options = parser.parse_args()
    found = []
    for count in map(int, options.facts.split(",")):
        found.append(measure(count, options.set))
        print(row(found[-1]), flush=True)
        if options.json:
            options.json.write_text(json.dumps({"points": found}, indent=2) + "\n")
    if options.plot:
        options.plot.write_text(plot(found))


def row(point: dict[str, Any]) -> str:
    seconds = f"{point['seconds']:8.1f} s (processor {point['processor_seconds']:.0f} s)"
    model = f"{point['size']:7} {point['parameters'] / 1e6:6.2f} M  {seconds}"
    shares = "  ".join(f"{name} {point[name]:.1%}" for name in ("trained", "held_out", "never_trained"))
    return f"{point['facts']:7,} facts  {model}  {shares}"


def measure(count: int, settings: list[str]) -> dict[str, Any]:
    """Train on so many facts and ask what was learned."""
    facts = list(invent(count))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        pairs = [pair for number, fact in enumerate(facts) for pair in worded(number, *fact)]
        (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, pairs)))
        before = processor_seconds()
        manifest = train(folder, settings)
        used = processor_seconds() - before
        from training.engine.recall import LocalMemory

        memory = LocalMemory.load(folder / "memory")
        draw = random.Random(3)
        some = draw.sample(facts, min(ASKED, count))
        never = [(wording, fact) for fact in some for wording in NEVER_TRAINED]
        return {
            "facts": count,
            "pairs": len(pairs),
            "size": manifest["config"]["size"],
            "parameters": manifest["metrics"]["parameters"],
            "seconds": manifest["metrics"]["seconds"],
            "processor_seconds": round(
                used, 1
            ),  # with loading and measuring; other work on the machine apart
            "steps": manifest["metrics"]["steps"],
            "trained": share_right(memory, [(WORDINGS[0], fact) for fact in some]),
            "held_out": manifest["metrics"]["held_out_recall"],
            "never_trained": share_right(memory, never),
        }


def train(folder: Path, settings: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "training.engine", "train", "--pairs", str(folder / "pairs.jsonl")]
    command += ["--output", str(folder / "memory")]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    manifest: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])["manifest"]
    return manifest


def processor_seconds() -> float:
    """What ended child processes have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def invent(count: int) -> Iterator[tuple[str, str, str]]:
    """Name, relation and value of each fact; nobody has a relation twice."""
    draw = random.Random(7)
    syllables = [a + b for a in "bcdfghjklmnprstvwz" for b in ("a", "e", "i", "o", "u", "an", "el", "or")]

    def word(parts: int) -> str:
        return "".join(draw.choice(syllables) for _ in range(parts)).title()

    values = {relation: [word(3) for _ in range(max(20, count // 60))] for relation in RELATIONS}
    names: set[str] = set()
    left = count
    while left:
        name = f"{word(2)} {word(3)}"
        if name in names:
            continue
        names.add(name)
        for relation in draw.sample(RELATIONS, min(left, 6)):
            yield name, relation, draw.choice(values[relation])
            left -= 1


def worded(number: int, name: str, relation: str, value: str) -> list[dict[str, str]]:
    return [
        {
            "id": f"{number}-{place}",
            "question": wording.format(name=name, relation=relation),
            "answer": answer(name, relation, value),
            "fact": str(number),
        }
        for place, wording in enumerate(WORDINGS)
    ]


def answer(name: str, relation: str, value: str) -> str:
    return f"The {relation} of {name} is {value}."


def share_right(memory: Any, asked: list[tuple[str, tuple[str, str, str]]]) -> float:
    """Share of the questions answered with the fact; "I don't know" counts as wrong."""
    said = memory.answer([wording.format(name=fact[0], relation=fact[1]) for wording, fact in asked])
    right = sum(one.known and one.text == answer(*fact) for one, (_, fact) in zip(said, asked, strict=True))
    return right / len(asked)


def plot(points: list[dict[str, Any]]) -> str:
    """Seconds and parameters over facts, both axes logarithmic, as an SVG that suits light and dark pages."""
    width, height, margin = 640, 300, 60

    def x(facts: float) -> float:
        low, high = math.log10(200), math.log10(15_000)
        return margin + (math.log10(facts) - low) / (high - low) * (width - 2 * margin)

    def y(value: float, low: float, high: float) -> float:
        return (
            height
            - margin
            + (math.log10(low) - math.log10(value)) / math.log10(high / low) * (height - 2 * margin)
        )

    def line(figure: str, scale: float, low: float, high: float, colour: str) -> str:
        places = [(x(point["facts"]), y(point[figure] * scale, low, high)) for point in points]
        path = " ".join(f"{a:.0f},{b:.0f}" for a, b in places)
        dots = "".join(f'<circle cx="{a:.0f}" cy="{b:.0f}" r="4" fill="{colour}"/>' for a, b in places)
        return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'

    def label(a: float, b: float, text: str, colour: str, anchor: str = "middle") -> str:
        return f'<text x="{a:.0f}" y="{b:.0f}" fill="{colour}" text-anchor="{anchor}">{text}</text>'

    grey, blue, orange = "#888", "#3b82f6", "#f59e0b"
    parts = [line("seconds", 1, 10, 10_000, blue), line("parameters", 1e-6, 0.1, 100, orange)]
    for point in points:
        at, seconds, millions = x(point["facts"]), point["seconds"], point["parameters"] / 1e6
        parts.append(label(at, height - margin + 22, f"{point['facts']:,}", grey))
        parts.append(label(at, y(seconds, 10, 10_000) - 10, f"{seconds:,.0f} s", blue))
        parts.append(label(at, y(millions, 0.1, 100) + 20, f"{millions:.2f} M", orange))
    parts.append(label(width / 2, height - 12, "facts", grey))
    parts.append(label(margin, 24, "seconds of training, one thread", blue, "start"))
    parts.append(label(width - margin, 24, "million parameters", orange, "end"))
    floor = height - margin
    axis = f'<line x1="{margin}" y1="{floor}" x2="{width - margin}" y2="{floor}" stroke="{grey}"/>'
    title = "<title>Growth of training time and model size with the number of facts</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
    return f'{head} font-family="sans-serif" font-size="13">{title}{axis}{"".join(parts)}</svg>\n'


if __name__ == "__main__":
    main()
