#!/usr/bin/env python
"""How fast and how right the look-up of supporting pairs is.

    python benchmarks/provenance.py [--pairs N] [--asked N] [--json FILE]

The built-in GENERATOR reads the demo's documents; copies of its pairs about people and things of other names make
up the number. They become the pairs of a version in a database of their own. ``build`` is the first look in a
process (reading all pairs and indexing them), ``page`` what one sub-query takes afterwards, database included.

``other wording``: the share of facts of which a pair is supported exactly by another wording of the same fact.
``somebody else``: a pair graded against the same question about another person or thing; how many count as exact,
which must be none, and as near.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import statistics
import tempfile
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count, islice, pairwise
from pathlib import Path
from random import Random
from typing import Any

from real_path import ROOT, prepare

DOCUMENTS = ROOT / "knowledge" / "demo" / "documents"
Taught = tuple[str, str, str]  # question, answer, fact


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="memosite-provenance-") as folder:
        prepare(Path(folder))
        pairs = list(islice(renamed_copies(demo_pairs()), arguments.pairs))
        figures = {"machine": platform.machine(), "pairs": len(pairs)}
        figures |= measure_index(pairs) | measure_page(pairs, arguments.asked) | measure_grades(pairs)
    print("\n".join(f"{name:38} {value}" for name, value in figures.items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=10_000, help="pairs of the version")
    parser.add_argument("--asked", type=int, default=500, help="sub-queries that are looked up")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    return parser.parse_args()


def demo_pairs() -> list[Taught]:
    """What the built-in GENERATOR makes of the demo's documents."""
    from knowledge.ingest.chunk import split_into_chunks
    from knowledge.ingest.read import read_document
    from knowledge.pipeline.run import reflect_on_document
    from knowledge.pipeline.types import Passage, SourceDocument
    from knowledge.rules.generator import RulesGenerator

    documents = []
    for number, path in enumerate(sorted(DOCUMENTS.iterdir()), start=1):
        parsed = read_document(path.name, path.read_bytes())
        chunks = enumerate(split_into_chunks(parsed.text))
        passages = tuple(Passage(1000 * number + place, chunk.text) for place, chunk in chunks)
        documents.append(SourceDocument(number, parsed.title, passages, parsed.date))
    generator = RulesGenerator()
    generator.prepare(documents)
    found = [pair for each in documents for pair in reflect_on_document(each, generator).pairs]
    return list(dict.fromkeys((pair.question, pair.answer, pair.fact) for pair in found))


def renamed_copies(pairs: Sequence[Taught]) -> Iterator[Taught]:
    """The pairs, then the pairs about others: each name with a syllable more, another one in each copy."""
    from chat.likeness.reading import name_words

    yield from pairs
    names = name_words(text for pair in pairs for text in pair[:2])
    syllables = [first + last for first in "bdfgklmnprst" for last in ("a", "e", "i", "o", "u")]
    for number in count():
        ending = syllables[number % len(syllables)] * (1 + number // len(syllables))

        def rename(match: re.Match[str], ending: str = ending) -> str:
            return f"{match[0]}{ending}" if match[0].casefold() in names else match[0]

        for question, answer, fact in pairs:
            asked, said = (re.sub(r"[A-Z][^\W\d_]+", rename, text) for text in (question, answer))
            if (asked, said) != (question, answer):
                yield asked, said, f"{fact}-{number}"


def measure_index(pairs: Sequence[Taught]) -> dict[str, Any]:
    """Memory of the index, in MiB."""
    from chat.evidence.index import PairIndex, Taught

    PairIndex([Taught(0, "Who?", "Bo.")])  # what it imports is not counted
    values = [Taught(key, question, answer) for key, (question, answer, _) in enumerate(pairs)]
    tracemalloc.start()
    index = PairIndex(values)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(index) == len(pairs)
    texts = sum(len(pair[0]) + len(pair[1]) for pair in pairs)
    return {"index MiB (texts besides)": round(kept / 2**20, 1), "texts MB": round(texts / 1e6, 1)}


def measure_page(pairs: Sequence[Taught], asked: int) -> dict[str, Any]:
    """Milliseconds of the first look and of those after it, by the service that page and REST call."""
    from chat import provenance

    turn, person = a_turn(pairs, Random(1).sample(range(len(pairs)), asked))

    def look(index: int) -> tuple[float, float, str]:
        began, worked = time.perf_counter(), time.thread_time()
        found = provenance.supporting(turn, index, person)
        return 1000 * (time.perf_counter() - began), 1000 * (time.thread_time() - worked), found.grade.value

    first = look(1)
    wall, cpu, grades = zip(*(look(index) for index in range(1, asked + 1)), strict=True)
    return {
        "build ms (first look), wall and CPU": f"{first[0]:.0f}, {first[1]:.0f}",
        "page ms, median, wall and CPU": f"{statistics.median(wall):.1f}, {statistics.median(cpu):.1f}",
        "page ms, p95, wall and CPU": f"{quantile(wall, 0.95):.1f}, {quantile(cpu, 0.95):.1f}",
        "taught answers that are exact": f"{grades.count('exact') / asked:.1%}",
    }


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(share * len(values))]


def a_turn(pairs: Sequence[Taught], asked: Sequence[int]) -> tuple[Any, Any]:
    """A turn whose sub-queries are trained pairs, with a person who reads the corpus."""
    from django.contrib.auth import get_user_model

    from chat.models import Conversation, SubQuery, Turn
    from knowledge.models import Corpus
    from training.models import MemoryVersion, TrainedPair

    corpus = Corpus.objects.create(slug="measured", name="Measured")
    person = get_user_model().objects.create_user("reader")
    person.groups.add(corpus.reader_group)
    version = MemoryVersion.objects.create(corpus=corpus, number=1, base="none", method="none", path="none")
    version.corpora.add(corpus)
    rows = (TrainedPair(version=version, question=question, answer=answer) for question, answer, _ in pairs)
    TrainedPair.objects.bulk_create(rows, batch_size=500)
    conversation = Conversation.objects.create(corpus=corpus, person=person)
    turn = Turn.objects.create(conversation=conversation, version=version, question="?")
    SubQuery.objects.bulk_create(
        SubQuery(
            turn=turn,
            index=index,
            stage="grounding",
            question=pairs[place][0],
            answer=pairs[place][1],
            known=True,
            version=version,
        )
        for index, place in enumerate(asked, start=1)
    )
    return turn, person


def measure_grades(pairs: Sequence[Taught]) -> dict[str, Any]:
    """How right the grades are, on facts that are known to be the same or not."""
    from chat.evidence.grading import Claim, Grade
    from chat.likeness.reading import Exchange, name_words
    from knowledge.pipeline.wording import words

    def graded(said: Taught, taught: Taught) -> Grade:
        return Claim([said[0]], said[1]).grade(Exchange(*taught[:2])).grade

    by_fact, by_template = defaultdict(list), defaultdict(list)
    for pair in pairs:
        by_fact[pair[2]].append(pair)
        names = name_words([pair[0]])
        by_template[tuple("_" if word in names else word for word in words(pair[0]))].append(pair)
    same = [
        any(graded(one, other) == Grade.EXACT for other in others if other[0] != one[0])
        for others in by_fact.values()
        if len({pair[0] for pair in others}) > 1
        for one in others[:1]
    ]
    others = [
        graded(one, other)
        for alike in by_template.values()
        for one, other in pairwise(alike)
        if one[2] != other[2] and name_words([one[0]]) != name_words([other[0]])
    ]
    return {
        "other wording: facts, exact": f"{len(same)}, {sum(same) / len(same):.1%}",
        "somebody else: pairs, exact, near": f"{len(others)}, {others.count(Grade.EXACT)}, "
        f"{others.count(Grade.NEAR)} ({others.count(Grade.NEAR) / len(others):.1%})",
    }


if __name__ == "__main__":
    main()
