"""python manage.py import_pairs CORPUS FILE: add and update pairs from a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from knowledge.commands import CorpusCommand
from knowledge.exchange.formats import FORMATS, format_of
from knowledge.exchanging import ImportReport, import_pairs
from knowledge.models import Corpus, Role


class Command(CorpusCommand):
    help = "Add and update pairs from a file. A file with a bad line stores nothing unless --store-good is given."
    role = Role.CURATOR

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--format", choices=FORMATS, help="otherwise the file itself tells")
        parser.add_argument("--store-good", action="store_true", help="store the good lines of a bad file")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen, store nothing")

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        report = self._bring_in(corpus, person, options)
        for line, message in report.errors:
            tqdm.write(f"{options['file']}, line {line}: {message}", file=self.stderr)
        counts = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged"
        if report.stored or options["dry_run"]:
            self.stdout.write(
                f"{counts}." if report.stored else f"Nothing was stored. It would be: {counts}."
            )
        if report.errors:
            raise CommandError(how_it_ended(report))

    def _bring_in(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> ImportReport:
        def track(steps: Any) -> Any:
            return tqdm(steps, desc="Storing" if isinstance(steps, list) else "Reading", unit="pair")

        chosen = {name: options[name] for name in ("store_good", "dry_run")}
        try:
            with options["file"].open("rb") as file:
                format = options["format"] or format_of(options["file"].name, file)
                return import_pairs(corpus, file, format, person, **chosen, track=track)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error


def how_it_ended(report: ImportReport) -> str:
    count = len(report.errors)
    lines = f"{count} line{' is' if count == 1 else 's are'} bad"
    if report.stored:
        return f"{lines}; the others are stored."
    return f"{lines}; nothing was stored. Mend the file, or store the good lines with --store-good."
