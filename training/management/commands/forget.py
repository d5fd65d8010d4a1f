"""python manage.py forget CORPUS DOCUMENT: take a document out of all that comes after, probe, and certify."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from knowledge.commands import CorpusCommand, add_run_arguments, carry_out
from knowledge.models import Corpus, Document, Role
from training.commands import named_version
from training.lab.forgetting.services import (
    certify,
    forget,
    found_by,
    latest_probes,
    objections,
    retrain,
    start_residue_probes,
    states_of,
)
from training.lab.purposes import perform_probes
from training.models import ForgottenDocument, MemoryVersion, ProbeRun
from training.supervisor import perform_training


class Command(CorpusCommand):
    help = (
        "Forget a document: no later version learns it. Called again, it tells how far that is. --retrain trains "
        "a version without it and looks for residue, --probe looks in another one, --certify certifies it."
    )
    role = Role.OWNER

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("document", help="the document, by its file name, its title or its number")
        parser.add_argument("--reason", default="", help="why, for the certificate; asked for the first time")
        parser.add_argument("--retrain", action="store_true", help="train a version without its pairs")
        parser.add_argument("--probe", type=int, metavar="N", help="look for residue in version N")
        parser.add_argument(
            "--certify", action="store_true", help="issue the certificate and print it as JSON"
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the certificate here instead")
        add_run_arguments(parser)

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        row = forgotten_already(corpus, options["document"])
        if row is None or options["reason"]:
            row = forget(named_document(corpus, options["document"]), person, reason=options["reason"])
            self.stdout.write(f"“{row}” is forgotten: {len(row.pair_digests):,} pairs are withdrawn.")
        for each in states_of(row):
            self.stdout.write(f"Version {each['number']} learned from it: {each['state']}.")
        self.stdout.write(f"{len(row.probes):,} questions are answered by it alone.")
        if options["retrain"]:
            self._retrain(row, person, options)
        if options["probe"] is not None:
            self._probe(row, named_version(corpus, str(options["probe"]), person), person, options)
        row.refresh_from_db()
        if options["certify"] or options["json"]:
            self._certify(row, person, options["json"])
        elif not row.certified_at:
            for against in objections(row):
                self.stdout.write(f"Against a certificate: {against}")

    def _retrain(self, row: ForgottenDocument, person: Any, options: dict[str, Any]) -> None:
        run = retrain(row, person)
        carry_out(run, perform_training, options)
        if options["detach"]:
            self.stdout.write(f"{run} is queued; its version is probed once it is there.")
            return
        assert run.version is not None  # noqa: S101 - a run that succeeded has its version
        if row.probes:
            begun = row.probe_runs.filter(version=run.version).first()
            self._probe(row, run.version, person, options, begun)

    def _probe(
        self,
        row: ForgottenDocument,
        version: MemoryVersion,
        person: Any,
        options: dict[str, Any],
        begun: ProbeRun | None = None,
    ) -> None:
        """Carry out the look for residue that ``begun`` when the version was made, or one that begins now."""
        run = begun or start_residue_probes(row, version, person)
        carry_out(run, perform_probes, options)
        self.stdout.write(f"{run} is queued." if options["detach"] else told(row, version))

    def _certify(self, row: ForgottenDocument, person: Any, file: Path | None) -> None:
        text = json.dumps(certify(row, person), indent=2, ensure_ascii=False) + "\n"
        if file is None:
            self.stdout.write(text)
            return
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error}.") from error
        self.stdout.write(f"The certificate is in {file}.")


def told(row: ForgottenDocument, version: MemoryVersion) -> str:
    """The residue in a version as a line."""
    run = latest_probes(row, version)
    if run is None:
        return f"{version} was not probed to the end."
    residue = found_by(run)
    verdict = "LEAKS" if residue.leaks else "does not leak"
    return (
        f"{version} {verdict}: it answers {residue.told.hits} of {residue.told.total} questions as the document "
        f"does, and {residue.false.hits} of {residue.false.total} that nothing answers."
    )


def forgotten_already(corpus: Corpus, name: str) -> ForgottenDocument | None:
    """What is to be forgotten by its file name, title or number; not where a current document is called so."""
    if corpus.documents.current().filter(name=name).exists():
        return None
    rows = corpus.forgotten_documents.filter(taken_back_at=None).order_by("-pk")
    found = rows.filter(name=name).first() or rows.filter(title=name).first()
    return found or (rows.filter(document=int(name)).first() if name.isdecimal() else None)


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
