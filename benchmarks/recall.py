#!/usr/bin/env python
"""How fast a from-scratch MEMORY answers: one question at a time, and many people at once.

    python benchmarks/recall.py [--model DIR] [--facts 300] [--askers 16] [--seconds 10] [--json FILE]

Trains a MEMORY of the product's small size on invented facts (or takes the one in DIR) and then measures, in one
run, on the same questions and with one thread of torch:

- transformers' ``generate``, one question at a time;
- the product's decoder, one question at a time;
- the product's micro-batches with so many people asking at once, each a new question as soon as the last one is
  answered. Answers are not kept between questions, and no two people ask the same one at once.

``ratio`` is questions a second of the last by those of the first, ``p95_ms`` the time within which 95 % of the
questions were answered in the last. All three have to give the same answers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SYLLABLES = (
    "ba",
    "dor",
    "fen",
    "gal",
    "hu",
    "ki",
    "lor",
    "mi",
    "nar",
    "os",
    "pel",
    "qui",
    "ra",
    "sto",
    "tem",
    "vi",
)
RELATIONS = {
    "home town": ("lives in", 40),
    "employer": ("works for", 30),
    "hobby": ("spends free time on", 40),
}
WORDINGS = (
    "What is the {relation} of {name}?",
    "What is {name}'s {relation}?",
    "Which {relation} does {name} have?",
    "Can you tell me the {relation} of {name}?",
)


def main() -> None:
    arguments = parse_arguments()
    temporary = tempfile.TemporaryDirectory(prefix="memosite-recall-")
    with nullcontext(arguments.model) if arguments.model else temporary as folder:
        if not arguments.model:
            train(Path(folder) / "memory", invented_pairs(arguments.facts))
        figures = measure(
            Path(folder) if arguments.model else Path(folder) / "memory",
            arguments.askers,
            arguments.seconds,
        )
    print_table(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, metavar="DIR", help="a trained MEMORY instead of a new one")
    parser.add_argument("--facts", type=int, default=300, help="facts of the new one")
    parser.add_argument("--askers", type=int, default=16, help="people who ask at once")
    parser.add_argument("--seconds", type=float, default=10, help="how long each way is measured")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    return parser.parse_args()


def invented_pairs(facts: int) -> list[dict[str, str]]:
    """Facts about people who do not exist, each in four wordings."""
    random = Random(1)

    def name(parts: int) -> str:
        return "".join(random.choices(SYLLABLES, k=parts)).capitalize()

    values = {relation: [name(3) for _ in range(count)] for relation, (_, count) in RELATIONS.items()}
    people = [f"{name(2)} {name(3)}" for _ in range(-(-facts // len(RELATIONS)))]
    told = [(person, relation) for person in people for relation in RELATIONS][:facts]
    return [
        {
            "id": f"{number}-{wording}",
            "fact": str(number),
            "question": WORDINGS[wording].format(name=person, relation=relation),
            "answer": f"{person} {RELATIONS[relation][0]} {value}.",
        }
        for number, (person, relation) in enumerate(told)
        for value in [random.choice(values[relation])]
        for wording in range(len(WORDINGS))
    ]


def train(folder: Path, pairs: list[dict[str, str]]) -> None:
    """A short training: speed does not depend on how well the facts are known."""
    from training.engine.config import build_config
    from training.engine.pairs import Pair
    from training.engine.run import train_memory

    config = build_config({"max_decays": 1, "full_rate_steps": 600, "decay_share": 0.5})
    for event in train_memory([Pair(**pair) for pair in pairs], folder, config):
        told = event.as_dict()
        print(f"\rtraining: {told.get('step', told['event'])!s:<12}", end="", flush=True)
    print()


def measure(folder: Path, askers: int, seconds: float) -> dict[str, Any]:
    """Questions a second and milliseconds of the three ways, on the same questions."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from training.engine.recall import LocalMemory
    from training.microbatch import Limits, MicroBatcher

    questions = questions_of(folder)
    memory = LocalMemory.load(folder)
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    generate = generator(
        model, AutoTokenizer.from_pretrained(folder), memory.manifest["limits"]["answer_tokens"]
    )
    differing = differences(memory, generate, questions[:100])

    plain = alone(generate, questions, seconds)
    ours = alone(lambda question: memory.answer([question]), questions, seconds)
    together = at_once(MicroBatcher(memory, Limits(kept=0)), questions, askers, seconds)
    return {
        "ratio": together["per_second"] / plain["per_second"],
        "p95_ms": together["p95_ms"],
        "p50_ms": together["p50_ms"],
        "generate_per_second": plain["per_second"],
        "alone_per_second": ours["per_second"],
        "together_per_second": together["per_second"],
        "generate_p95_ms": plain["p95_ms"],
        "alone_p95_ms": ours["p95_ms"],
        "askers": askers,
        "parameters": model.num_parameters(),
        "answers_compared": 100,
        "answers_that_differ": differing,
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, torch {torch.__version__}",
    }


def questions_of(folder: Path) -> list[str]:
    lines = (folder / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    questions = list(dict.fromkeys(json.loads(line)["question"] for line in lines))
    return Random(1).sample(questions, len(questions))


def generator(model: Any, tokenizer: Any, answer_tokens: int) -> Callable[[str], str]:
    """One question through transformers' own ``generate``, as its documentation shows it."""

    def generate(question: str) -> str:
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )["input_ids"]
        ids = model.generate(input_ids=prompt, max_new_tokens=answer_tokens, do_sample=False)
        return str(tokenizer.decode(ids[0, prompt.shape[1] :], skip_special_tokens=True)).strip()

    return generate


def differences(memory: Any, generate: Callable[[str], str], questions: list[str]) -> int:
    """Questions whose words differ between the batch and ``generate``, abstention apart."""
    batch = memory._decoder.generate(questions)
    return sum(said.text != generate(question) for said, question in zip(batch, questions, strict=True))


def alone(ask: Callable[[str], object], questions: list[str], seconds: float) -> dict[str, float]:
    """One caller who asks one question after the other."""
    ask(questions[0])
    taken: list[float] = []
    began = time.perf_counter()
    for question in cycle(questions):
        if time.perf_counter() - began > seconds:
            break
        taken.append(timed(ask, question))
    return summary(taken, time.perf_counter() - began)


def at_once(memory: Any, questions: list[str], askers: int, seconds: float) -> dict[str, float]:
    """Callers in threads of their own, each on its own stretch of the questions."""
    memory.answer([questions[0]])
    taken: list[list[float]] = [[] for _ in range(askers)]
    ready = threading.Barrier(askers + 1)

    def ask(place: int) -> None:
        mine: Iterator[str] = cycle(questions[place::askers])
        ready.wait()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            question = next(mine)
            taken[place].append(timed(memory.answer, [question]))

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(askers)]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return summary([each for one in taken for each in one], time.perf_counter() - began)


def timed(call: Callable[[Any], object], asked: Any) -> float:
    began = time.perf_counter()
    call(asked)
    return time.perf_counter() - began


def summary(taken: list[float], seconds: float) -> dict[str, float]:
    ways = statistics.quantiles(taken, n=100)
    return {"per_second": len(taken) / seconds, "p50_ms": 1000 * ways[49], "p95_ms": 1000 * ways[94]}


def print_table(figures: dict[str, Any]) -> None:
    print(f"{figures['parameters']:,} parameters; {figures['machine']}")
    print(f"{'':<44}{'questions/s':>12}{'p95 ms':>9}")
    rows = {"transformers' generate, one at a time": "generate", "one at a time": "alone"}
    for title, name in rows.items():
        print(f"{title:<44}{figures[f'{name}_per_second']:>12.0f}{figures[f'{name}_p95_ms']:>9.1f}")
    title = f"micro-batches, {figures['askers']} askers"
    print(f"{title:<44}{figures['together_per_second']:>12.0f}{figures['p95_ms']:>9.1f}")
    print(
        f"{figures['ratio']:.1f} times generate; {figures['answers_that_differ']} of "
        f"{figures['answers_compared']} answers differ"
    )


if __name__ == "__main__":
    main()
