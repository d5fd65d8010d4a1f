#!/usr/bin/env python
"""What each step of the method is worth: one memory with all of them, and one without each.

    python benchmarks/ablation.py [DIR ...] [--leave-out STEP ...] [--seeds 1 2] [--jobs 2] [--json FILE]

Each DIR holds a PhantomWiki universe (arXiv 2502.20377); ``demo`` stands for the demo corpus, and is what is taken
without a DIR. The built-in GENERATOR makes the pairs, and leaves out one step; the engine trains a memory on
them, from scratch, with the same recipe; the built-in EXECUTIVE asks it every question in three stages.

``right`` are answers that name all and only the gold answers. ``plain facts`` and ``made up`` are the questions of
``abstention_questions.py``, put to the memory itself: the share of facts, in wordings written by hand, that it
gives, and the share of questions without an answer that it answers. Two seeds of the same training differ, too:
how much, ``--seeds`` shows, and a step that is worth less than that has shown no worth here.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from abstention_questions import NEW_WORDING, Question, demo, phantomwiki  # noqa: E402
from growth import train  # noqa: E402

from chat.protocol.events import FinalAnswer  # noqa: E402
from chat.protocol.stream import blocking, interrogate  # noqa: E402
from chat.rules.executive import RulesExecutive  # noqa: E402
from knowledge.pipeline.run import (  # noqa: E402
    reflect_across_documents,
    reflect_on_document,
    unique,
)
from knowledge.pipeline.types import (  # noqa: E402
    DocumentReflections,
    Generator,
    Kind,
    Pair,
    SourceDocument,
)
from knowledge.rules.generator import RulesGenerator  # noqa: E402
from tests.knowledge.reading import documents_in  # noqa: E402
from training.engine.pairs import Pair as TrainingPair  # noqa: E402
from training.engine.pairs import write_pairs  # noqa: E402

DEMO = "demo"
DEMO_DOCUMENTS = ROOT / "knowledge" / "demo" / "documents"
DEMO_QUESTIONS = ROOT / "tests" / "chat"
WHOLE = "whole method"
INDIRECT, CONSOLIDATION, VERIFICATION = "indirect facts", "consolidation", "verification"
SURFACING, ACROSS = "entity surfacing", "cross-document"
WORDINGS, DONT_KNOW = "wordings", "I don't know pairs"
STEPS = (INDIRECT, CONSOLIDATION, VERIFICATION, SURFACING, ACROSS, WORDINGS, DONT_KNOW)


@dataclass(frozen=True)
class World:
    """Documents with the questions about them; ``plain`` are put to the memory itself."""

    name: str
    documents: tuple[SourceDocument, ...]
    questions: tuple[dict[str, Any], ...]
    plain: tuple[Question, ...]


class Without:
    """A GENERATOR that leaves one step out."""

    def __init__(self, generator: Generator, step: str) -> None:
        self.name, self._generator, self._step = generator.name, generator, step

    def prepare(self, documents: Sequence[SourceDocument]) -> None:
        self._generator.prepare(documents)

    def extract(self, document: SourceDocument) -> DocumentReflections:
        made = self._generator.extract(document)
        if self._step != INDIRECT:
            return made
        return DocumentReflections(tuple(pair for pair in made.pairs if pair.kind != Kind.INDIRECT))

    def consolidate(self, document: SourceDocument, pairs: Sequence[Pair]) -> Iterable[Pair]:
        return [] if self._step == CONSOLIDATION else self._generator.consolidate(document, pairs)

    def verify(self, document: SourceDocument, pairs: Sequence[Pair]) -> Iterable[Pair]:
        return pairs if self._step == VERIFICATION else self._generator.verify(document, pairs)

    def surface(self, document: SourceDocument, pairs: Sequence[Pair]) -> Iterable[Pair]:
        return [] if self._step == SURFACING else self._generator.surface(document, pairs)

    def synthesize(self, documents: Sequence[SourceDocument]) -> Iterator[Sequence[Pair]]:
        if self._step != ACROSS:
            yield from self._generator.synthesize(documents)


def main() -> None:
    arguments = parse_arguments()
    worlds = [read_demo() if name == DEMO else read_universe(Path(name)) for name in arguments.worlds]
    tasks = [
        (world, step, seed)
        for world in worlds
        for step in (WHOLE, *arguments.leave_out)
        for seed in arguments.seeds
    ]
    with ThreadPoolExecutor(arguments.jobs) as jobs:
        rows = []
        for row in jobs.map(lambda task: measure(*task), tasks):
            print_row(row)
            rows.append(row)
    print_tables(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("worlds", nargs="*", default=[DEMO], metavar="DIR", help="a universe, or “demo”")
    parser.add_argument("--leave-out", nargs="*", default=STEPS, choices=STEPS, metavar="STEP")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of the training")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once, of one thread each")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures and every answer here")
    arguments = parser.parse_args()
    for name in arguments.worlds:
        if name != DEMO and not (Path(name) / "questions.jsonl").is_file():
            parser.error(f"{name} has no questions.jsonl")
    return arguments


# --- Documents and questions -------------------------------------------------------------------------------
def read_universe(folder: Path) -> World:
    questions = [question | {"group": question["kind"]} for question in lines(folder / "questions.jsonl")]
    return World(
        folder.name, tuple(documents_in(folder / "documents")), tuple(questions), tuple(phantomwiki(folder))
    )


def read_demo() -> World:
    several = [
        question | {"group": "one document" if len(set(question["documents"])) == 1 else "several documents"}
        for question in lines(DEMO_QUESTIONS / "demo_questions.jsonl")
    ]
    none = [
        question | {"group": "no answer", "answers": []}
        for question in lines(DEMO_QUESTIONS / "demo_unknown.jsonl")
    ]
    return World(DEMO, tuple(documents_in(DEMO_DOCUMENTS)), (*several, *none), tuple(demo()))


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


# --- One memory --------------------------------------------------------------------------------------------
def measure(world: World, step: str, seed: int) -> dict[str, Any]:
    """Train without the step, and ask everything."""
    pairs = made_without(step, world.documents)
    with tempfile.TemporaryDirectory(prefix="memosite-benchmark-") as place:
        manifest = trained(Path(place), pairs, step, seed)
        return {
            "world": world.name,
            "without": step,
            "seed": seed,
            "pairs": len(pairs),
            "seconds": manifest["metrics"]["seconds"],
            "trained_recall": manifest["metrics"]["trained_recall"],
            "held_out_recall": manifest["metrics"]["held_out_recall"],
            **answered(Path(place) / "memory", world),
        }


def made_without(step: str, documents: Sequence[SourceDocument]) -> list[Pair]:
    """The pairs of all five steps but one."""
    generator = Without(RulesGenerator(), step)
    generator.prepare(documents)
    pairs = [pair for each in documents for pair in reflect_on_document(each, generator).pairs]
    pairs += [pair for batch in reflect_across_documents(documents, generator) for pair in batch]
    pairs = unique(pairs)
    return first_wordings(pairs) if step == WORDINGS else pairs


def first_wordings(pairs: Iterable[Pair]) -> list[Pair]:
    """One question a fact."""
    return list({pair.fact: pair for pair in reversed(list(pairs))}.values())[::-1]


def trained(folder: Path, pairs: Sequence[Pair], step: str, seed: int) -> dict[str, Any]:
    """The manifest of a memory of the pairs."""
    asked = [TrainingPair(pair.key, pair.question, pair.answer, pair.fact) for pair in pairs]
    write_pairs(folder / "pairs.jsonl", asked)
    unknown = ["unknown_entities=0", "missing_relations=0"] if step == DONT_KNOW else []
    return train(folder, [f"seed={seed}", *unknown])


def answered(folder: Path, world: World) -> dict[str, Any]:
    """Scores and answers of a memory, through the three stages and by itself."""
    from training.engine.recall import LocalMemory

    memory = LocalMemory.load(folder)
    answers = [scored(question, memory) for question in world.questions]
    groups: dict[str, list[bool]] = defaultdict(list)
    for answer in answers:
        groups[answer["group"]].append(answer["right"])
    said = memory.answer([question.text for question in world.plain])
    plain = list(zip(world.plain, said, strict=True))
    known = [all(v in one.text for v in q.values) and one.known for q, one in plain if q.kind == NEW_WORDING]
    unknown = [one.known for q, one in plain if q.kind != NEW_WORDING]
    return {
        "right": {group: sum(flags) / len(flags) for group, flags in sorted(groups.items())},
        "questions": {group: len(flags) for group, flags in sorted(groups.items())},
        "plain_facts": sum(known) / len(known),
        "made_up": sum(unknown) / len(unknown),
        "answers": answers,
    }


def scored(question: dict[str, Any], memory: Any) -> dict[str, Any]:
    events = blocking(interrogate(question["question"], RulesExecutive(), memory))
    final = next((event.data for event in events if isinstance(event.data, FinalAnswer)), None)
    values = list(final.values) if final and final.known else []
    right = {value.casefold() for value in values} == {gold.casefold() for gold in question["answers"]}
    return {"question": question["question"], "group": question["group"], "values": values, "right": right}


# --- The tables --------------------------------------------------------------------------------------------
def print_row(row: dict[str, Any]) -> None:
    right = ", ".join(f"{group} {share:.1%}" for group, share in row["right"].items())
    print(
        f"{row['world']}, {row['without']}, seed {row['seed']}: {right}; {row['seconds']:.0f} s", flush=True
    )


def print_tables(rows: Sequence[dict[str, Any]]) -> None:
    for world in dict.fromkeys(row["world"] for row in rows):
        own = [row for row in rows if row["world"] == world]
        groups = list(own[0]["right"])
        columns: dict[str, Callable[[dict[str, Any]], str]] = {
            "pairs": lambda row: f"{row['pairs']:,}",
            "seconds": lambda row: f"{row['seconds']:.0f}",
            **{f"{group} ({own[0]['questions'][group]})": partial(share_of, group) for group in groups},
            "plain facts": lambda row: f"{row['plain_facts']:.1%}",
            "made up": lambda row: f"{row['made_up']:.1%}",
        }
        print(f"\n{world + ', without':<24}" + "".join(f"{name:>{len(name) + 2}}" for name in columns))
        for row in own:
            cells = "".join(f"{show(row):>{len(name) + 2}}" for name, show in columns.items())
            print(f"{row['without']:<24}{cells}")


def share_of(group: str, row: dict[str, Any]) -> str:
    return f"{row['right'][group]:.1%}"


if __name__ == "__main__":
    main()
