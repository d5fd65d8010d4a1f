"""python manage.py forget CORPUS DOCUMENT --reason R: take a document out of all that comes after."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from knowledge.commands import CorpusCommand, add_run_arguments, carry_out
from knowledge.models import Corpus, Document, Role
from training.lab.forgetting import forget, latest_probes, retrain, start_residue_probes, states_of
from training.lab.purposes import perform_probes
from training.models import ForgottenDocument, MemoryVersion, ProbeRun
from training.supervisor import perform_training


class Command(CorpusCommand):
    help = "Forget a document: no later version learns it; --retrain trains one without it and looks for residue."
    role = Role.OWNER

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("document", help="the document, by its file name, its title or its number")
        parser.add_argument("--reason", required=True, help="why, for the certificate")
        parser.add_argument("--retrain", action="store_true", help="train a version without its pairs")
        add_run_arguments(parser)

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        document = named_document(corpus, options["document"])
        row = forget(document, person, reason=options["reason"])
        self.stdout.write(f"“{row}” is forgotten: {len(row.pair_digests):,} pairs are withdrawn.")
        for each in states_of(row):
            self.stdout.write(f"Version {each['number']} learned from it: {each['state']}.")
        self.stdout.write(f"{len(row.probes):,} questions are answered by it alone.")
        if options["retrain"]:
            self._retrain(row, person, options)

    def _retrain(self, row: ForgottenDocument, person: Any, options: dict[str, Any]) -> None:
        run = retrain(row, person)
        carry_out(run, perform_training, options)
        if options["detach"]:
            self.stdout.write(f"{run} is queued; its version is probed once it is there.")
            return
        version = run.version
        assert version is not None  # noqa: S101 - a run that succeeded has its version
        if row.probes:
            carry_out(_probing(row, version, person), perform_probes, options)
            self.stdout.write(told(row, version))


def _probing(row: ForgottenDocument, version: MemoryVersion, person: Any) -> ProbeRun:
    """The look for residue that began when the version was made, or one that begins now."""
    begun = row.probe_runs.filter(version=version).first()
    return begun or start_residue_probes(row, version, person)


def told(row: ForgottenDocument, version: MemoryVersion) -> str:
    """The residue in a version as a line."""
    run = latest_probes(row, version)
    if run is None:
        return f"{version} was not probed to the end."
    found, false = run.result["told"], run.result["false"]
    verdict = "LEAKS" if run.result["leaks"] else "does not leak"
    return (
        f"{version} {verdict}: it answers {found['hits']} of {found['total']} questions as the document does, "
        f"and {false['hits']} of {false['total']} that it never saw an answer to (at most {false['high']:.1%})."
    )


def named_document(corpus: Corpus, name: str) -> Document:
    """The latest version of a document by its file name, title or number. Raises CommandError."""
    documents = corpus.documents.order_by("-is_current", "-version")
    found = documents.filter(name=name).first() or documents.filter(title=name).first()
    if found is None and name.isdecimal():
        found = documents.filter(pk=name).first()
    if found is None:
        known = ", ".join(corpus.documents.current().values_list("name", flat=True)[:20])
        raise CommandError(f"“{corpus}” has no document “{name}”. Its documents: {known or 'none'}.")
    return found
