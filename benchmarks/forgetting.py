#!/usr/bin/env python
"""Forgetting one document of the demo: what is left of it, against the false answers to never-seen questions.

    python benchmarks/forgetting.py [--document NAME] [--only NAME...] [--json FILE]

Builds the demo's memory, forgets one document by the command that people use, trains without its pairs, and puts
the same probes to three memories: the one that learned the document, the one trained without it, and, to see that
the probe finds what is there, one that goes on from the first and is not told the document again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from real_path import ROOT, build_memory, prepare, worker

CORPUS = "demo"
NEWS = "Hedda Brun leads Project Razorbill. Project Razorbill began in 2026. Hedda Brun lives in Molde."
DOCUMENTS = ROOT / "knowledge" / "demo" / "documents"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--document", default="boats-and-equipment.md", help="the file that is forgotten")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="these files, not the whole demo"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memosite-benchmark-") as folder:
        prepare(Path(folder))
        chosen = chosen_documents(Path(folder) / "documents", arguments.only)
        with worker():
            figures = build_memory(CORPUS, chosen)
            figures |= forget_and_probe(arguments.document)
    print_table(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False))


def chosen_documents(folder: Path, names: list[str]) -> Path:
    """A folder with the named files of the demo; without names, the demo's own."""
    if not names:
        return DOCUMENTS
    folder.mkdir()
    for name in names:
        shutil.copy(DOCUMENTS / name, folder)
    return folder


def forget_and_probe(document: str) -> dict[str, Any]:
    from django.core.management import call_command

    from knowledge.models import Corpus
    from training.lab.forgetting.services import certify, forgotten_findings, objections
    from training.models import ForgottenDocument

    call_command("forget", CORPUS, document, reason="The benchmark asks for it", retrain=True)
    row = ForgottenDocument.objects.get()
    corpus = Corpus.objects.get(slug=CORPUS)
    first = corpus.versions.get(number=1)
    assert row.retrained_as is not None and row.retraining is not None
    continued = taught_more(corpus)
    versions = {"learned it": first, "without it": row.retrained_as, "continued": continued}
    figures = {name: probed(row, version) for name, version in versions.items()}
    blocked = {
        name: [finding.passed for finding in forgotten_findings(each)] for name, each in versions.items()
    }
    before = objections(row)
    for alias in ("live", "candidate"):
        call_command("promote", CORPUS, str(row.retrained_as.number), alias=alias, reason="It forgot")
    return {
        "document": row.name,
        "withdrawn": len(row.pair_digests),
        "probes": len(row.probes),
        "retrain_seconds": round(row.retraining.seconds, 1),
        "versions": figures,
        "may_go_live": {name: all(found) for name, found in blocked.items()},
        "objections_before": before,
        "certificate": certify(row),
    }


def taught_more(corpus: Any) -> Any:
    """A version that goes on from the first, which learned the document, with a little that is new."""
    from django.core.management import call_command

    from knowledge.services import ingest_text

    ingest_text(corpus, "News", NEWS)
    call_command("generate", CORPUS)
    call_command("approve", CORPUS)
    call_command("train", CORPUS, "--continue", "1")
    return corpus.versions.get(number=3)


def probed(row: Any, version: Any) -> dict[str, Any]:
    """The residue in a version, probed here unless it was when it was made."""
    from memosite.runs import wait_for
    from training.lab.forgetting.services import latest_probes, returned, start_residue_probes

    run = latest_probes(row, version)
    if run is None:
        run = start_residue_probes(row, version)
        for _ in wait_for(run):
            pass
    result = {name: run.result[name] for name in ("told", "answered", "false", "leaks", "is_affected")}
    return {**result, "seconds": round(run.seconds, 1), "returned": list(returned(run))}


def print_table(figures: dict[str, Any]) -> None:
    print(f"\n{figures['document']}: {figures['withdrawn']} pairs withdrawn, {figures['probes']} probes")
    print(f"{'':<14}{'as the document':>24}{'in any way':>24}{'never seen':>24}  verdict")
    for name, found in figures["versions"].items():
        rates = "".join(in_words(found[rate]) for rate in ("told", "answered", "false"))
        verdict = "leaks" if found["leaks"] else "does not leak"
        print(f"{name:<14}{rates}  {verdict}, {'may' if figures['may_go_live'][name] else 'may not'} go live")
    print(f"training without it: {figures['retrain_seconds']} s; the first: {figures['train_seconds']} s")


def in_words(rate: dict[str, Any]) -> str:
    if not rate["total"]:
        return f"{'none asked':>24}"
    told = f"{rate['hits']}/{rate['total']} {rate['share']:.1%} ({rate['low']:.1%}-{rate['high']:.1%})"
    return f"{told:>24}"


if __name__ == "__main__":
    main()
