"""python manage.py gate CORPUS [VERSION]: what the gate says to a version, for people and for CI."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from knowledge.commands import CorpusCommand
from knowledge.models import Corpus, Role
from training.audience import require_audience
from training.lab.gate.rules import findings
from training.models import CANDIDATE, MemoryVersion


class Command(CorpusCommand):
    help = (
        "Print what the gate of a corpus finds of a version. Exit code 1 where it would not let it go live."
    )
    role = Role.READER

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "number", nargs="?", type=int, help="the version's number (default: the candidate)"
        )

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        version = _version(corpus, options["number"])
        require_audience(version, person)
        found = findings(version, person=person)
        if not found:
            self.stdout.write(f"The gate of “{corpus}” asks for nothing.")
        for finding in found:
            self.stdout.write(finding.line)
        if failed := sum(not finding.passed for finding in found):
            raise CommandError(f"{version} does not pass: {failed} of {len(found)} findings.")
        self.stdout.write(f"{version} may go live.")


def _version(corpus: Corpus, number: int | None) -> MemoryVersion:
    if number is None:
        candidate = MemoryVersion.objects.filter(aliases__corpus=corpus, aliases__name=CANDIDATE).first()
        if candidate is None:
            raise CommandError(f"“{corpus}” has no candidate. Give a version's number.")
        return candidate
    version = corpus.versions.filter(number=number).first()
    if version is None:
        raise CommandError(f"“{corpus}” has no version {number}.")
    return version
