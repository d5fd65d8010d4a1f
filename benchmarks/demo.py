#!/usr/bin/env python
"""The demo's questions, asked of a memory trained on its documents and of one that holds every pair by heart.

    python benchmarks/demo.py [--json FILE]

Both memories answer through the three-stage protocol in one run. What the second cannot answer is a gap of the
GENERATOR or the EXECUTIVE; what only the first cannot answer, training has to make good. Right is an answer that
names all and only the expected values; a question that the documents do not answer must be met with "not known".
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from real_path import ROOT, asked, build_memory, prepare, values_and_cost, worker

CORPUS = "demo"
DOCUMENTS = ROOT / "knowledge" / "demo" / "documents"
QUESTIONS = ROOT / "tests" / "chat"

Ask = Callable[[str], tuple[list[str], int]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures and every answer here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memosite-benchmark-") as folder:
        prepare(Path(folder))
        with worker():
            figures = build_memory(CORPUS, DOCUMENTS)
        questions, unknown = read("demo_questions.jsonl"), read("demo_unknown.jsonl")
        figures["trained"] = measure(lambda question: asked(CORPUS, question), questions, unknown)
        figures["by_heart"] = measure(by_heart(), questions, unknown)
    print_table(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False))


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (QUESTIONS / name).read_text(encoding="utf-8").splitlines()]


def by_heart() -> Ask:
    """Ask a memory that is no model: it looks the sub-query up among the approved pairs."""
    from chat.executives import executive_named
    from chat.protocol.stream import blocking, interrogate
    from knowledge.models import Reflection
    from tests.fakes import PairMemory

    memory = PairMemory(list(Reflection.objects.values_list("question", "answer")))
    return lambda question: values_and_cost(blocking(interrogate(question, executive_named("rules"), memory)))


def measure(ask: Ask, questions: list[dict[str, Any]], unknown: list[dict[str, Any]]) -> dict[str, Any]:
    answers = [scored(ask, question) for question in questions]
    several = [answer for answer in answers if len(set(answer["documents"])) > 1]
    denied = [{**question, "values": ask(question["question"])[0]} for question in unknown]
    return {
        "all": sum(answer["right"] for answer in answers) / len(answers),
        "several_documents": sum(answer["right"] for answer in several) / len(several),
        "false_answers": sum(bool(answer["values"]) for answer in denied) / len(denied),
        "sub_queries": sum(answer["sub_queries"] for answer in answers) / len(answers),
        "counts": {"all": len(answers), "several_documents": len(several), "unknown": len(denied)},
        "answers": [*answers, *denied],
    }


def scored(ask: Ask, question: dict[str, Any]) -> dict[str, Any]:
    values, sub_queries = ask(question["question"])
    expected = {answer.casefold() for answer in question["answers"]}
    right = {value.casefold() for value in values} == expected
    return {**question, "values": values, "right": right, "sub_queries": sub_queries}


def print_table(figures: dict[str, Any]) -> None:
    counts = figures["trained"]["counts"]
    rows = {
        f"right, of {counts['all']} questions": "all",
        f"right, of {counts['several_documents']} over several documents": "several_documents",
        f"answered, of {counts['unknown']} without an answer": "false_answers",
    }
    print(f"\n{'':<44}{'trained':>10}{'by heart':>10}")
    for title, name in rows.items():
        print(f"{title:<44}{figures['trained'][name]:>10.1%}{figures['by_heart'][name]:>10.1%}")
    print(
        f"{'sub-queries a question':<44}"
        + "".join(f"{figures[m]['sub_queries']:>10.1f}" for m in ("trained", "by_heart"))
    )
    for answer in figures["trained"]["answers"]:
        if not answer.get("right", not answer["values"]):
            print(f"  wrong: {answer['question']} {answer['values']}")
    print(
        "\n"
        + "\n".join(
            f"{name:<20}{figures[name]}" for name in ("sentences", "unread", "pairs", "train_seconds")
        )
    )


if __name__ == "__main__":
    main()
