#!/usr/bin/env python
"""What the `rules` GENERATOR makes of prose that nobody wrote for it: coverage, and a sample to judge by hand.

    python benchmarks/rules_on_prose.py DOCUMENTS.jsonl [--sample N] [--seed S] [--json FILE]

Each line of DOCUMENTS holds a document as JSON with "id", "title" and "text". All of them are one corpus, cut into
passages as uploaded documents are. The sample is drawn from all pairs alike; each comes with the sentences that
support it. Whether it is right, somebody who reads it has to say.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from knowledge.ingest.chunk import split_into_chunks  # noqa: E402
from knowledge.pipeline.run import reflect_across_documents, reflect_on_document  # noqa: E402
from knowledge.pipeline.types import (  # noqa: E402
    DocumentReflections,
    Pair,
    Passage,
    SourceDocument,
    UnreadSentence,
)
from knowledge.rules.generator import RulesGenerator  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("documents", type=Path, metavar="DOCUMENTS.jsonl")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="print N random pairs to judge")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="seed of the sample (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write figures, pairs and unread sentences")
    arguments = parser.parse_args()
    documents = list(read(arguments.documents))
    started = time.monotonic()
    made, pairs = reflected(documents)
    figures = measured(made, pairs) | {"seconds": round(time.monotonic() - started, 1)}
    print_table(figures)
    sources = {passage.id: passage.text for document in documents for passage in document.passages}
    print_sample(pairs, sources, arguments.sample, arguments.seed)
    if arguments.json:
        unread = [sentence for each in made for sentence in each.unread]
        write(arguments.json, figures, pairs, unread, sources)


def read(path: Path) -> Iterator[SourceDocument]:
    """The documents of the file, with passages numbered through the corpus."""
    passage = 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        record = json.loads(line)
        chunks = split_into_chunks(record["text"])
        passages = tuple(Passage(passage + place, chunk.text) for place, chunk in enumerate(chunks))
        passage += len(chunks)
        yield SourceDocument(number, record["title"], passages)


def reflected(documents: Sequence[SourceDocument]) -> tuple[list[DocumentReflections], list[Pair]]:
    """All five steps over the corpus: what each document gave, and every pair."""
    generator = RulesGenerator()
    generator.prepare(documents)
    made = [reflect_on_document(document, generator) for document in documents]
    across = [pair for batch in reflect_across_documents(documents, generator) for pair in batch]
    return made, [pair for each in made for pair in each.pairs] + across


def measured(made: Sequence[DocumentReflections], pairs: Sequence[Pair]) -> dict[str, Any]:
    """The figures of the table."""
    sentences = sum(each.sentences for each in made)
    unread = sum(len(each.unread) for each in made)
    return {
        "documents": len(made),
        "sentences": sentences,
        "sentences read": f"{(sentences - unread) / max(sentences, 1):.1%}",
        "pairs": len(pairs),
        "facts": len({pair.fact for pair in pairs}),
        "pairs per document": round(len(pairs) / max(len(made), 1), 2),
        **{f"pairs, {kind}": count for kind, count in Counter(str(each.kind) for each in pairs).items()},
    }


def print_table(figures: dict[str, Any]) -> None:
    width = max(map(len, figures))
    for name, figure in figures.items():
        print(f"{name:{width}}  {figure}")


def print_sample(pairs: Sequence[Pair], sources: dict[int, str], size: int, seed: int) -> None:
    """Random pairs, each above the sentences that support it."""
    drawn = random.Random(seed).sample(list(pairs), min(size, len(pairs)))
    for number, pair in enumerate(drawn, start=1):
        print(f"\n{number}. [{pair.kind}] {pair.question}\n   {pair.answer}")
        for sentence in supporting(pair, sources):
            print(f"   < {sentence}")


def supporting(pair: Pair, sources: dict[int, str]) -> list[str]:
    return [" ".join(sources[span.passage_id][span.start : span.end].split()) for span in pair.spans]


def write(
    path: Path,
    figures: dict[str, Any],
    pairs: Sequence[Pair],
    unread: Sequence[UnreadSentence],
    sources: dict[int, str],
) -> None:
    """Figures, every pair with its sentences, and every unread sentence with its reason."""
    record = {
        "figures": figures,
        "pairs": [
            {
                "question": pair.question,
                "answer": pair.answer,
                "kind": str(pair.kind),
                "sentences": supporting(pair, sources),
            }
            for pair in pairs
        ],
        "unread": [{"text": sentence.text, "reason": sentence.reason} for sentence in unread],
    }
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
