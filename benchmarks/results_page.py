#!/usr/bin/env python
"""How fast the page of a large evaluation answers.

    python benchmarks/results_page.py [--questions 2000] [--contestants 4] [--repeat 5] [--json FILE]

Fills a temporary database of the kind that DATABASE_URL names (SQLite without it) with a run that was summed up,
asks for its page, its last page, every filter and a question's page as a curator does, and prints for each the
median and the least milliseconds, the CPU milliseconds of this process, and how many queries it took.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "benchmarks"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "memosite.settings")

from workbench import temporary_database  # noqa: E402

GOAL_MS = 500
EVENTS = 12  # of an interrogation


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--contestants", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=5, help="requests of each page; the median counts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    arguments = parser.parse_args()
    with temporary_database() as vendor:
        figures = measure(arguments.questions, arguments.contestants, arguments.repeat)
    told = {"database": vendor, "questions": arguments.questions, "contestants": arguments.contestants}
    print(f"{told}; goal {GOAL_MS} ms")
    for name, row in figures.items():
        print(
            f"{name:<28}{row['median_ms']:>8.0f}{row['least_ms']:>8.0f}{row['cpu_ms']:>8.0f}{row['queries']:>5}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(told | {"pages": figures}, indent=1))


def measure(questions: int, contestants: int, repeat: int) -> dict[str, dict[str, float]]:
    """Milliseconds and queries of each page."""
    from django.test import Client

    run, person = made_run(questions, contestants)
    client = Client()
    client.force_login(person)
    address = run.get_absolute_url()
    pages = {
        "first page": address,
        "last page": f"{address}?page={(questions + 49) // 50}",
        "wrong, any contestant": f"{address}?outcome=wrong",
        "right, contestant 2": f"{address}?outcome=right&contestant=2",
        "answered differently": f"{address}?outcome=differ",
        "by tag": f"{address}?tag=hops%3D2",
        "by words": f"{address}?words=project+17",
        "one question": f"{address}questions/7/",
    }
    return {name: timed(client, page, repeat) for name, page in pages.items()}


def timed(client: Any, address: str, repeat: int) -> dict[str, float]:
    from django.db import connection

    queries: list[str] = []

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        queries.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        assert client.get(address).status_code == 200  # and everything is warm
    walls, processors = [], []
    for _ in range(repeat):
        wall, processor = time.perf_counter(), time.process_time()
        client.get(address)
        walls.append(1000 * (time.perf_counter() - wall))
        processors.append(1000 * (time.process_time() - processor))
    return {
        "median_ms": statistics.median(walls),
        "least_ms": min(walls),
        "cpu_ms": statistics.median(processors),
        "queries": len(queries),
    }


def made_run(questions: int, contestants: int) -> tuple[Any, Any]:
    """A run that was summed up, and a superuser."""
    from django.contrib.auth import get_user_model

    from knowledge.models import Corpus
    from training.lab.runs.results import keep_result
    from training.models import AskedQuestion, EvaluationAnswer, EvaluationContestant, EvaluationRun

    person = get_user_model().objects.create_superuser("bench", password="bench")
    corpus = Corpus.objects.create(slug="bench", name="Bench")
    run = EvaluationRun.objects.create(corpus=corpus, title="Bench")
    run.tells_of(corpus)
    run.claim()
    asked = AskedQuestion.objects.bulk_create(asked_questions(run, questions))
    for position in range(1, contestants + 1):
        one = EvaluationContestant.objects.create(
            run=run, position=position, kind="bm25", label=f"BM25 (top {position})", executive="rules"
        )
        EvaluationAnswer.objects.bulk_create(answers(one, asked, random.Random(position)), batch_size=500)
    keep_result(run, [])
    run.finish("succeeded")
    return run, person


def asked_questions(run: Any, count: int) -> Iterator[Any]:
    from training.models import AskedQuestion

    for number in range(1, count + 1):
        yield AskedQuestion(
            run=run,
            position=number,
            text=f"Who is the manager of the person who leads project {number}?",
            answers=[f"Person {number}"],
            tags={"hops": str(1 + number % 4), "kind": ("bridge", "comparison")[number % 2]},
        )


def answers(contestant: Any, questions: Any, chance: random.Random) -> Iterator[Any]:
    from training.models import EvaluationAnswer

    for question in questions:
        is_right = chance.random() < 0.3 + contestant.position / 10
        yield EvaluationAnswer(
            contestant=contestant,
            question=question,
            text=f"{question.answers[0] if is_right else 'Bo'} is.",
            values=[question.answers[0] if is_right else "Bo"],
            known=is_right or chance.random() < 0.5,
            exact=is_right,
            f1=float(is_right),
            calls=3,
            seconds=chance.random(),
            transcript=transcript(question.text),
            content_key=f"{contestant.position}-{question.position}",
        )


def transcript(question: str) -> list[dict[str, Any]]:
    """Sub-queries and answers as long as real ones."""
    told: list[dict[str, Any]] = [{"type": "stage", "data": {"stage": "grounding", "note": "What is known."}}]
    for index in range(1, EVENTS // 2):
        said = {"index": index, "answer": f"It is person {index}. " * 5, "confidence": 0.9, "known": True}
        told += [
            {"type": "sub_query", "data": {"index": index, "stage": "grounding", "question": question}},
            {"type": "memory_answer", "data": said | {"latency_ms": 10.0}},
        ]
    return told


if __name__ == "__main__":
    main()
