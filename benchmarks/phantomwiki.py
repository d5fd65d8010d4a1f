#!/usr/bin/env python
"""Outside data through the real path: documents in, answers out, in a database and folder of its own.

    python benchmarks/phantomwiki.py DIR [--json FILE] [--kinds stated derived aggregation]

DIR holds ``documents/`` and ``questions.jsonl`` of a PhantomWiki universe (arXiv 2502.20377). A worker process
generates, all pairs are approved, the worker trains, and every question goes through the three-stage protocol.
Scores: exact set (the answer names all and only the gold answers) and F1 over the set.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from real_path import asked, build_memory, prepare, set_f1, worker

CORPUS = "phantomwiki"


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="memosite-benchmark-") as folder:
        prepare(Path(folder))
        with worker():
            figures = build_memory(CORPUS, arguments.folder / "documents")
        figures |= ask_questions(read_questions(arguments.folder, arguments.kinds))
    print_table(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures and every answer here")
    parser.add_argument(
        "--kinds", nargs="+", default=["stated"], choices=["stated", "derived", "aggregation"]
    )
    arguments = parser.parse_args()
    if not (arguments.folder / "questions.jsonl").is_file():
        parser.error(f"{arguments.folder} has no questions.jsonl")
    return arguments


def read_questions(folder: Path, kinds: list[str]) -> list[dict[str, Any]]:
    lines = (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines if line.strip()]
    return [question for question in questions if question["kind"] in kinds]


def ask_questions(questions: list[dict[str, Any]]) -> dict[str, Any]:
    """Ask every question as a person would, and score the answers by kind and difficulty."""
    from tqdm import tqdm

    started = time.monotonic()
    answers = [scored(question) for question in tqdm(questions, desc="Asking", unit="question")]
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for answer in answers:
        groups[answer["kind"]].append(answer)
        groups[f"{answer['kind']}, difficulty {answer['difficulty']}"].append(answer)
    scores = {name: summary(group) for name, group in sorted(groups.items())}
    return {"ask_seconds": round(time.monotonic() - started, 1), **scores, "answers": answers}


def scored(question: dict[str, Any]) -> dict[str, Any]:
    values, sub_queries = asked(CORPUS, question["question"])
    return {
        **question,
        "values": values,
        "exact": set(values) == set(question["answers"]),
        "f1": set_f1(set(values), set(question["answers"])),
        "sub_queries": sub_queries,
    }


def summary(group: list[dict[str, Any]]) -> dict[str, Any]:
    count = len(group)
    return {
        "questions": count,
        "exact_set": sum(answer["exact"] for answer in group) / count,
        "f1": sum(answer["f1"] for answer in group) / count,
        "sub_queries": sum(answer["sub_queries"] for answer in group) / count,
    }


def print_table(figures: dict[str, Any]) -> None:
    print(f"\n{'questions':<32}{'n':>5}{'exact set':>12}{'F1':>8}{'sub-queries':>13}")
    for name, row in figures.items():
        if isinstance(row, dict) and "exact_set" in row:
            print(
                f"{name:<32}{row['questions']:>5}{row['exact_set']:>12.1%}{row['f1']:>8.3f}{row['sub_queries']:>13.1f}"
            )
    plain = ("documents", "sentences", "unread", "pairs", "generate_seconds", "train_seconds", "ask_seconds")
    print("\n" + "\n".join(f"{name:<20}{figures[name]}" for name in plain))
    memory = {name: value for name, value in figures["memory"].items() if isinstance(value, int | float)}
    print("\n".join(f"memory {name:<24}{value:.4g}" for name, value in memory.items()))


if __name__ == "__main__":
    main()
