#!/usr/bin/env python
"""What a memory answers and what it says it does not know, on questions that the product has never seen.

    python benchmarks/abstention.py [DIR] [--memory FOLDER] [--json FILE]

DIR holds a PhantomWiki universe (arXiv 2502.20377); without it the demo corpus is asked about. The memory is
trained by the real path (a worker generates, all pairs are approved, the worker trains), or FOLDER is a trained
one. The questions are those of ``abstention_questions.py``: known facts in wordings written by hand, unknown
entities with names from elsewhere or put together from known ones, attributes that others have and this entity
lacks, and attributes that nobody has. The threshold is the memory's own; nothing is fitted here. ``AUROC`` is how
often a known fact's confidence exceeds an unknown one's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from abstention_questions import (
    NEW_WORDING,
    UNKNOWN_ATTRIBUTES,
    UNKNOWN_ENTITIES,
    Question,
    demo,
    phantomwiki,
)
from real_path import ROOT, build_memory, prepare, worker

DEMO_DOCUMENTS = ROOT / "knowledge" / "demo" / "documents"
IN_TRAINING = (
    "false_answer_rate",
    "false_answer_rate_by_kind",
    "false_refusal_rate",
    "auroc",
    "auroc_by_kind",
    "calibration",
)
TRAINED = 1_000  # trained questions asked
GROUPS = {
    "unknown entities": UNKNOWN_ENTITIES,
    "unknown attributes": UNKNOWN_ATTRIBUTES,
    "all unknown": UNKNOWN_ENTITIES + UNKNOWN_ATTRIBUTES,
}


def main() -> None:
    arguments = parse_arguments()
    questions = phantomwiki(arguments.folder) if arguments.folder else demo()
    if arguments.memory:
        sys.path.insert(0, str(ROOT))
        figures = measure(arguments.memory, questions)
    else:
        with tempfile.TemporaryDirectory(prefix="memosite-benchmark-") as folder:
            figures = measure(trained_by_the_real_path(Path(folder), arguments.folder), questions)
    print_table(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR", nargs="?", help="a PhantomWiki universe")
    parser.add_argument("--memory", type=Path, metavar="FOLDER", help="a trained memory instead of a new one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures and every answer here")
    return parser.parse_args()


def trained_by_the_real_path(folder: Path, universe: Path | None) -> Path:
    prepare(folder)
    with worker():
        build_memory("benchmark", universe / "documents" if universe else DEMO_DOCUMENTS)
    from training.models import MemoryVersion

    return MemoryVersion.objects.get().folder


def measure(folder: Path, questions: Sequence[Question]) -> dict[str, Any]:
    """Ask everything, and count by kind."""
    import torch

    from training.engine.recall import LocalMemory

    torch.set_num_threads(1)
    memory = LocalMemory.load(folder)
    trained = trained_questions(folder)
    asked = refuse_trained(questions, trained)
    said = memory.answer([question.text for question in asked])
    answers = [
        {
            "kind": question.kind,
            "question": question.text,
            "values": question.values,
            "answer": answer.text,
            "known": answer.known,
            "confidence": answer.confidence,
            "right": answer.known
            and bool(question.values)
            and all(v in answer.text for v in question.values),
        }
        for question, answer in zip(asked, said, strict=True)
    ]
    return {
        "trained_recall": trained_recall(memory, trained),
        **summary(answers),
        "threshold": memory.manifest["abstention"]["threshold"],
        "in_training": {key: memory.manifest["metrics"].get(key) for key in IN_TRAINING},
        "parameters": memory.manifest["metrics"].get("parameters"),
        "seconds": memory.manifest["metrics"].get("seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, torch {torch.__version__}",
        "answers": answers,
    }


def trained_questions(folder: Path) -> dict[str, str]:
    lines = (folder / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    return {pair["question"]: pair["answer"] for pair in map(json.loads, lines) if not pair["held_out"]}


def refuse_trained(questions: Sequence[Question], trained: dict[str, str]) -> list[Question]:
    """The questions, none of which may have been trained on."""
    if known := [question.text for question in questions if question.text in trained]:
        raise SystemExit(f"These were trained on: {known}")
    return list(questions)


def trained_recall(memory: Any, trained: dict[str, str]) -> float:
    drawn = Random(1).sample(sorted(trained), min(TRAINED, len(trained)))
    answers = memory.answer(drawn)
    right = (answer.text == trained[question] for question, answer in zip(drawn, answers, strict=True))
    return sum(right) / len(drawn)


def summary(answers: list[dict[str, Any]]) -> dict[str, Any]:
    from training.engine.evaluate import auroc

    known = [answer for answer in answers if answer["kind"] == NEW_WORDING]
    confidences = [answer["confidence"] for answer in known]
    unknown = {
        name: [answer for answer in answers if answer["kind"] in kinds]
        for name, kinds in [*((kind, (kind,)) for kind in GROUPS["all unknown"]), *GROUPS.items()]
    }
    return {
        "new_wordings": {
            "questions": len(known),
            "recall": sum(answer["right"] for answer in known) / len(known),
            "false_refusals": sum(not answer["known"] for answer in known) / len(known),
            "wrong": sum(answer["known"] and not answer["right"] for answer in known) / len(known),
        },
        "unknown": {
            name: {
                "questions": len(group),
                "false_answers": sum(answer["known"] for answer in group) / len(group),
                "auroc": auroc(confidences, [answer["confidence"] for answer in group]),
            }
            for name, group in unknown.items()
        },
    }


def print_table(figures: dict[str, Any]) -> None:
    known = figures["new_wordings"]
    print(f"\n{figures['machine']}; threshold {figures['threshold']:.3f}, fitted in the training")
    print(f"{'recall, trained questions':<46}{figures['trained_recall']:>8.1%}")
    print(f"{'recall, wordings never trained on':<46}{known['recall']:>8.1%}{known['questions']:>6}")
    print(f"{'  false “I do not know” on them':<46}{known['false_refusals']:>8.1%}")
    print(f"{'  wrong answers to them':<46}{known['wrong']:>8.1%}")
    print(f"\n{'':<46}{'answered':>8}{'n':>6}{'AUROC':>8}")
    for name, row in figures["unknown"].items():
        print(f"{name:<46}{row['false_answers']:>8.1%}{row['questions']:>6}{row['auroc']:>8.3f}")


if __name__ == "__main__":
    main()
