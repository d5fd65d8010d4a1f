"""What reflection synthesis with a language model costs: calls, tokens and seconds, by step.

    python benchmarks/synthesis_cost.py [--documents N] [--data FILE] [--json FILE]

A local server takes 50 ms for every call, and yields 4 direct and 2 indirect pairs a passage. Tokens are
characters divided by four. The first N paragraphs of MuSiQue (arXiv 2108.00573) are ingested and distilled the way
people do it: all five steps, every pair verified for self-containment and faithfulness, open questions, sources
kept. Beside it stands what the method's public research code was measured to cost on the same paragraphs, with the
same kind of server.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from pathlib import Path
from typing import Any

from real_path import ROOT, prepare

DATA = ROOT.parent / "shared/data/musique_train_100/documents.jsonl"
CALL_SECONDS = 0.05
CONCURRENCY = 8
FAR = 1000
#: Measured on the research code: 6 extracted pairs a document, 50 ms a call, characters / 4.
RESEARCH_CODE = {
    12: {"calls": 858, "prompt_tokens": 1_757_000, "seconds": 14.9},
    100: {"calls": 7_014, "prompt_tokens": 14_700_000, "seconds": 50.8},
}
GOAL = {"calls": 10, "prompt_tokens": 15, "seconds": 4}
FIGURES = ("calls", "prompt_tokens", "completion_tokens", "seconds")


def main() -> None:
    options = arguments()
    if not options.data.exists():
        raise SystemExit(f"There are no paragraphs at {options.data}. Give their file with --data.")
    paragraphs = [json.loads(line) for line in options.data.read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        sizes = [options.documents] if options.documents else sorted(RESEARCH_CODE)
        results = {size: measure(paragraphs[:size]) for size in sizes}
        largest = results[sizes[-1]]
        half = measure(paragraphs[: sizes[-1] // 2])
    for size, result in results.items():
        show(size, result)
    far = far_off(sizes[-1], largest, half)
    show_far(far)
    if options.json:
        everything = {**largest, "documents": sizes[-1], "runs": results, f"at_{FAR}_documents": far}
        options.json.write_text(json.dumps(everything, indent=2) + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, help="the first N paragraphs (12 and then 100 without it)")
    parser.add_argument(
        "--data", type=Path, default=DATA, help="the paragraphs, a JSON object with title and text a line"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    return parser.parse_args()


def measure(paragraphs: list[dict[str, Any]]) -> dict[str, Any]:
    """Distil the paragraphs in a corpus of their own; the server's own books are what is counted."""
    from knowledge.generation import perform_generation
    from knowledge.models import Corpus, GenerationRun
    from knowledge.services import ingest_text
    from memosite.models import Endpoint
    from memosite.runs import work_on
    from tests.llm_server import llm_server

    name = f"paragraphs-{len(paragraphs)}"
    corpus = Corpus.objects.create(slug=name, name=name)
    for number, paragraph in enumerate(paragraphs):
        ingest_text(
            corpus, f"{number} {paragraph['title']}", f"# {paragraph['title']}\n\n{paragraph['text']}"
        )
    with llm_server(seconds=CALL_SECONDS) as server:
        endpoint = Endpoint.objects.create(
            name=name, base_url=server.url, model="test", concurrency=CONCURRENCY, timeout_seconds=30
        )
        run = GenerationRun.objects.create(corpus=corpus, generator=name, endpoint=endpoint)
        started = time.perf_counter()
        work_on(run, perform_generation)
        seconds = time.perf_counter() - started
        ledger = server.ledger
    run.refresh_from_db()
    assert run.status == "succeeded", f"{run.status}: {run.error} {run.item_errors[:3]}"
    return {
        "calls": ledger.calls.total(),
        "prompt_tokens": ledger.prompt_tokens.total(),
        "completion_tokens": ledger.completion_tokens.total(),
        "seconds": round(seconds, 2),
        "pairs": run.pairs,
        "discarded": run.discarded_for,
        "pairs_without_source": corpus.reflections.filter(source_spans=None).count(),
        "most_calls_at_once": ledger.most_under_way,
        "steps": {step: figures_of(run, ledger, step) for step in ledger.calls},
    }


def figures_of(run: Any, ledger: Any, step: str) -> dict[str, Any]:
    """The figures of one step; its seconds are those of its calls, one after the other."""
    return {
        "calls": ledger.calls[step],
        "prompt_tokens": ledger.prompt_tokens[step],
        "completion_tokens": ledger.completion_tokens[step],
        "seconds": round(run.calls.filter(step=step).totals()["seconds"], 2),
    }


def show(size: int, result: dict[str, Any]) -> None:
    """The table of one run, and the research code's figures beside it where they are known."""
    print(f"\n{size} documents: {result['pairs']} pairs, {result['discarded']} discarded,", end=" ")
    print(f"{result['pairs_without_source']} without a source; {CONCURRENCY} calls at a time")
    print(f"{'step':<16}{'calls':>9}{'prompt tokens':>16}{'completion':>13}{'seconds':>10}")
    for step, figures in result["steps"].items():
        show_row(step, figures)
    show_row("all (wall time)", result)
    if size in RESEARCH_CODE:
        theirs = RESEARCH_CODE[size]
        show_row("research code", {**theirs, "completion_tokens": "not told"})
        for figure, times in GOAL.items():
            ratio = theirs[figure] / result[figure]
            print(f"  {figure}: 1/{ratio:.1f} (goal 1/{times}): {'met' if ratio >= times else 'MISSED'}")


def show_row(name: str, figures: dict[str, Any]) -> None:
    calls, prompt, completion, seconds = (figures[each] for each in FIGURES)
    print(f"{name:<16}{calls:>9}{prompt:>16}{completion:>13}{seconds:>10}")


def far_off(size: int, whole: dict[str, Any], half: dict[str, Any]) -> dict[str, float]:
    """Each figure at ``FAR`` documents, by the power of the size with which it grew from half the size."""
    grown = {}
    for figure in (*FIGURES, "pairs"):
        power = math.log(whole[figure] / half[figure]) / math.log(size / (size // 2))
        grown[figure] = round(whole[figure] * (FAR / size) ** power)
        grown[f"{figure}_power"] = round(power, 2)
    return grown


def show_far(far: dict[str, float]) -> None:
    print(f"\n{FAR} documents by measured growth (the research code: 14 million calls):")
    for figure in (*FIGURES, "pairs"):
        print(f"  {figure}: {far[figure]:,.0f} (grows with the power {far[f'{figure}_power']})")


if __name__ == "__main__":
    main()
