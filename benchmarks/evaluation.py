#!/usr/bin/env python
"""MeMo beside retrieval: the same EXECUTIVE, questions and documents, with and without distractors.

    python benchmarks/evaluation.py DIR [--distractors OTHER_DIR] [--noise 0 1 3] [--demo]
                                        [--json FILE] [--plot FILE]

DIR and OTHER_DIR hold ``documents/`` and ``questions.jsonl`` of PhantomWiki universes (arXiv 2502.20377). In a
database and folder of its own a memory is trained on DIR's documents, and for each level of noise one on these
and so many times as many of OTHER_DIR's, as far as there are so many; retrieval searches the very same documents.
The built-in EXECUTIVE asks all ``stated`` questions of DIR in three stages: of the memory; of BM25 with one and
five sentences, and one and five whole articles, read by the sentence patterns of the built-in GENERATOR; and of
the gold documents alone. Those are the documents from whose pairs, known by heart, the question is answered:
PhantomWiki names none.

A question whose answer changes where the pairs of all documents are known by heart (somebody among the
distractors has the same hobby) is left out at every level: its gold answer is not the only right one any more.
Names that both universes have are listed. ``--demo`` adds the demo's own questions over its own documents.

Figures: exact set and F1 with bootstrap 95 % intervals; MeMo minus the contestant with a paired p (sign flips);
seconds, tokens read and sub-queries a question; the change against no noise. Seconds of retrieval are mostly
those of its reader, which takes sentences apart with rules: a language model would take longer and cost more.
Tokens are an approximation that is the same for all (chat/contestants/tokens.py).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean
from typing import Any

from evaluation_plot import plot
from real_path import ROOT, build_memory, prepare, worker

DEMO_DOCUMENTS = ROOT / "knowledge" / "demo" / "documents"
DEMO_QUESTIONS = ROOT / "tests" / "chat"
MEMO = "MeMo"
CONTESTANTS: dict[str, tuple[str, dict[str, Any]]] = {
    MEMO: ("memory", {}),
    "BM25, 1 sentence": ("bm25", {"unit": "sentence", "top": 1}),
    "BM25, 5 sentences": ("bm25", {"unit": "sentence", "top": 5}),
    "BM25, 1 article": ("bm25", {"unit": "article", "top": 1}),
    "BM25, 5 articles": ("bm25", {"unit": "article", "top": 5}),
    "perfect retrieval": ("perfect", {}),
}


@dataclass
class World:
    """Documents with a memory of them: ``documents`` in all, ``noise`` foreign ones for each own one."""

    name: str
    slug: str
    folder: Path
    noise: float = 0.0
    documents: int = 0
    built: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, list[Any]] = field(default_factory=dict)
    """By contestant, in the order of the questions."""


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="memosite-benchmark-") as place:
        prepare(Path(place))
        worlds, clashes = lay_out(arguments, Path(place) / "documents")
        with worker():
            for world in worlds:
                world.built = build_memory(world.slug, world.folder)
        groups = [measure(worlds, read_stated(arguments.folder))]
        if arguments.demo:
            groups.append(measure_demo())
    figures = {"names_in_both": clashes, "groups": groups}
    print_tables(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False))
    if arguments.plot:
        arguments.plot.write_text(plot(groups[0]["rows"]))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--distractors", type=Path, metavar="OTHER_DIR", help="where the noise comes from")
    parser.add_argument(
        "--noise", type=float, nargs="+", default=[0.0], metavar="N", help="distractors for each document"
    )
    parser.add_argument("--demo", action="store_true", help="the demo's questions as well")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures and every answer here")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="SVG file of seconds and tokens")
    arguments = parser.parse_args()
    if not (arguments.folder / "questions.jsonl").is_file():
        parser.error(f"{arguments.folder} has no questions.jsonl")
    if any(arguments.noise) and not arguments.distractors:
        parser.error("--noise needs --distractors OTHER_DIR")
    return arguments


# --- Documents and questions -------------------------------------------------------------------------------
def lay_out(arguments: argparse.Namespace, place: Path) -> tuple[list[World], list[str]]:
    """The folders of all levels of noise, the clean one first, and the names that both universes have."""
    own = sorted((arguments.folder / "documents").iterdir())
    foreign = sorted((arguments.distractors / "documents").iterdir()) if arguments.distractors else []
    clashes = sorted({path.stem for path in own} & {path.stem for path in foreign})
    random.Random(1).shuffle(foreign)  # a smaller level is part of every larger one
    counts = dict.fromkeys(min(round(level * len(own)), len(foreign)) for level in [0.0, *arguments.noise])
    worlds = []
    for count in sorted(counts):
        noise = round(count / len(own), 2)
        folder = place / f"noise-{count}"
        folder.mkdir(parents=True)
        for path in [*foreign[:count], *own]:
            shutil.copy(path, folder)  # of two with one name the own one stays
        name = arguments.folder.name
        slug = f"noise-{count}"
        worlds.append(World(name, slug, folder, noise, len(list(folder.iterdir()))))
        if any(level > noise + 0.005 for level in arguments.noise) and count == len(foreign):
            print(f"There are {len(foreign)} distractors: the highest level is x{noise:g}.")
    return worlds, clashes


def read_stated(folder: Path) -> list[Any]:
    from training.evaluation.types import Question

    rows = map(json.loads, (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        Question(row["question"], tuple(row["answers"]), is_set=True, tags={"hops": str(row["difficulty"])})
        for row in rows
        if row["kind"] == "stated"
    ]


def read_demo() -> list[Any]:
    """The demo's questions that need several documents, and those that it does not answer."""
    from training.evaluation.types import Question

    titles = dict(corpus_of("demo").documents.current().values_list("name", "title"))
    asked = [json.loads(line) for line in (DEMO_QUESTIONS / "demo_questions.jsonl").open(encoding="utf-8")]
    unknown = [json.loads(line) for line in (DEMO_QUESTIONS / "demo_unknown.jsonl").open(encoding="utf-8")]
    several = [row for row in asked if len(set(row["documents"])) > 1]
    return [
        Question(
            row["question"],
            tuple(row["answers"]),
            is_set=True,
            documents=tuple(sorted({titles[name] for name in row["documents"]})),
        )
        for row in several
    ] + [Question(row["question"], answerable=False) for row in unknown]


def corpus_of(slug: str) -> Any:
    from knowledge.models import Corpus

    return Corpus.objects.get(slug=slug)


def passages_of(slug: str) -> list[Any]:
    from training.evaluation.types import Passage

    documents = corpus_of(slug).documents.current().order_by("name")
    return [Passage(document.title, document.text) for document in documents]


# --- What the pairs say, known by heart --------------------------------------------------------------------
class ByHeart:
    """A memory that holds every pair of a corpus: what it answers can be answered, and from which documents."""

    def __init__(self, slug: str) -> None:
        from chat.contestants.lookup import PairLookup
        from knowledge.models import ReflectionSource

        corpus = corpus_of(slug)
        pairs = corpus.reflections.approved().values_list("question", "answer")
        self._lookup = PairLookup(pairs)
        self._titles: dict[str, set[str]] = {}
        sources = ReflectionSource.objects.filter(reflection__corpus=corpus)
        for answer, title in sources.values_list("reflection__answer", "chunk__document__title"):
            self._titles.setdefault(answer, set()).add(title)

    def answer(self, questions: Sequence[str]) -> list[Any]:
        return [self._lookup.answer(question) for question in questions]

    def find(self, question: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The values of the answer in order, and the titles of the documents that it rests on."""
        from chat.executives import executive_named
        from chat.protocol.events import FinalAnswer, MemoryAnswered
        from chat.protocol.stream import blocking, interrogate

        data = [each.data for each in blocking(interrogate(question, executive_named("rules"), self))]
        final = next(each for each in data if isinstance(each, FinalAnswer))
        heard = [each.answer for each in data if isinstance(each, MemoryAnswered) and each.known]
        titles = {title for answer in heard for title in self._titles.get(answer, ())}
        return tuple(sorted(final.values)), tuple(sorted(titles))


def with_gold(worlds: Sequence[World], questions: Sequence[Any]) -> list[Any]:
    """The questions that have the same answer in all worlds, with the documents that they rest on."""
    clean, *noisy = [ByHeart(world.slug) for world in worlds]
    found = []
    for question in questions:
        values, titles = clean.find(question.text)
        if all(each.find(question.text)[0] == values for each in noisy):
            found.append(replace(question, documents=titles))
    return found


# --- Measuring ---------------------------------------------------------------------------------------------
def measure(worlds: Sequence[World], asked: Sequence[Any]) -> dict[str, Any]:
    """Every contestant over the questions, in every world."""
    questions = with_gold(worlds, asked)
    for world in worlds:
        put(world, questions)
    return {
        "name": worlds[0].name,
        "questions": len(questions),
        "left_out": len(asked) - len(questions),
        "built": {world.slug: world.built for world in worlds},
        "rows": rows_of(worlds, questions),
        "answers": answers_of(worlds, questions),
    }


def measure_demo() -> dict[str, Any]:
    with worker():
        built = build_memory("demo", DEMO_DOCUMENTS)
    documents = len(list(DEMO_DOCUMENTS.iterdir()))
    world = World("demo", "demo", DEMO_DOCUMENTS, documents=documents, built=built)
    questions = read_demo()
    put(world, questions)
    return {
        "name": "demo",
        "questions": len(questions),
        "left_out": 0,
        "built": {"demo": built},
        "rows": rows_of([world], questions),
        "answers": answers_of([world], questions),
    }


def put(world: World, questions: Sequence[Any]) -> None:
    """Ask all contestants all questions."""
    from training.lab.runs.contestants import Spec, build
    from training.services import live_version

    passages, version = passages_of(world.slug), live_version(corpus_of(world.slug))
    for name, (kind, options) in CONTESTANTS.items():
        contestant = build(Spec(kind, version=version, options=options), passages)
        world.answers[name] = asyncio.run(all_answers(contestant, questions))
        print(f"{world.slug}: {name} has answered {len(questions)} questions.", flush=True)


async def all_answers(contestant: Any, questions: Sequence[Any]) -> list[Any]:
    """One after the other, so that the seconds of each are its own; the first call of all only warms up."""
    from training.evaluation.types import Question

    await contestant.answer(Question("Where does Ignatius Quill live?", answerable=False))
    return [await contestant.answer(question) for question in questions]


def rows_of(worlds: Sequence[World], questions: Sequence[Any]) -> list[dict[str, Any]]:
    from training.evaluation.metrics import score

    scores = {
        (world.slug, name): [
            score(question, said) for question, said in zip(questions, world.answers[name], strict=True)
        ]
        for world in worlds
        for name in CONTESTANTS
    }
    clean = worlds[0].slug
    return [
        {
            "contestant": name,
            "noise": world.noise,
            "documents": world.documents,
            **figures_of(scores[world.slug, name]),
            **costs_of(world.answers[name]),
            "memo_minus": difference(scores[world.slug, MEMO], scores[world.slug, name]),
            "change": difference(scores[world.slug, name], scores[clean, name]),
        }
        for world in worlds
        for name in CONTESTANTS
    ]


def figures_of(scores: Sequence[Any]) -> dict[str, Any]:
    from training.evaluation.statistics import bootstrap_interval

    found: dict[str, Any] = {}
    for name in ("exact", "f1"):
        values = [float(getattr(each, name)) for each in scores]
        interval = bootstrap_interval(values)
        found |= {name: mean(values), f"{name}_low": interval.low, f"{name}_high": interval.high}
    return found


def costs_of(answers: Sequence[Any]) -> dict[str, float]:
    return {
        "seconds": mean(each.seconds for each in answers),
        "read_tokens": mean(each.read_tokens for each in answers),
        "sub_queries": mean(sub_queries(each) for each in answers),
    }


def sub_queries(answered: Any) -> int:
    return sum(event["type"] == "sub_query" for event in answered.transcript)


def difference(one: Sequence[Any], other: Sequence[Any]) -> dict[str, dict[str, float]]:
    """One minus the other, question by question."""
    from training.evaluation.statistics import paired

    found = {}
    for name in ("exact", "f1"):
        result = paired(
            [float(getattr(each, name)) for each in one], [float(getattr(each, name)) for each in other]
        )
        found[name] = {
            "difference": result.difference,
            "low": result.low,
            "high": result.high,
            "p": result.p,
        }
    return found


def answers_of(worlds: Sequence[World], questions: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "question": question.text,
            "gold": list(question.answers),
            "documents": list(question.documents),
            "given": {
                f"{world.slug}, {name}": list(answers[number].values)
                for world in worlds
                for name, answers in world.answers.items()
            },
        }
        for number, question in enumerate(questions)
    ]


# --- Tables ------------------------------------------------------------------------------------------------
def print_tables(figures: dict[str, Any]) -> None:
    names = figures["names_in_both"]
    print(f"\nNames that both universes have: {', '.join(names) if names else 'none'}.")
    for group in figures["groups"]:
        print(
            f"\n{group['name']}: {group['questions']} questions, {group['left_out']} left out (two answers)"
        )
        heads = ("exact set [95 %]", "F1 [95 %]", "MeMo minus it (p)", "change (p)")
        print(
            f"{'noise':<6}{'contestant':<19}"
            + "".join(f"{head:>24}" for head in heads)
            + f"{'s':>8}{'tokens':>8}{'asked':>7}"
        )
        for row in group["rows"]:
            print(line(row))


def line(row: dict[str, Any]) -> str:
    exact = f"{row['exact']:.1%} [{row['exact_low']:.0%}, {row['exact_high']:.0%}]"
    f1 = f"{row['f1']:.3f} [{row['f1_low']:.3f}, {row['f1_high']:.3f}]"
    minus = in_words(row["memo_minus"]["exact"]) if row["contestant"] != MEMO else ""
    change = in_words(row["change"]["exact"]) if row["noise"] else ""
    cells = "".join(f"{cell:>24}" for cell in (exact, f1, minus, change))
    costs = f"{row['seconds']:>8.3f}{row['read_tokens']:>8.0f}{row['sub_queries']:>7.1f}"
    return f"x{row['noise']:<5g}{row['contestant']:<19}{cells}{costs}"


def in_words(paired: dict[str, float]) -> str:
    return f"{paired['difference']:+.1%} (p {paired['p']:.3f})"


if __name__ == "__main__":
    main()
