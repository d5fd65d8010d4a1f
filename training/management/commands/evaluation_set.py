"""python manage.py evaluation_set CORPUS NAME --from FILE: questions with their answers, for evaluations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from knowledge.commands import CorpusCommand
from knowledge.models import Corpus, Role
from training.evaluation.readers import READERS, BadFile, read
from training.lab.sets.drafting import MAKERS, USUAL_QUESTIONS, make_set
from training.lab.sets.passages import import_with_passages
from training.lab.sets.services import export_set, import_set

ERRORS_SHOWN = 100


class Command(CorpusCommand):
    help = "Fill a set of questions from a file, make one from what the corpus holds, or write one to a file."
    role = Role.CURATOR

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", help="the name of the set; it is made if there is none")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--from", dest="file", type=Path, metavar="FILE", help="a file, or a folder with one"
        )
        what.add_argument("--make", choices=MAKERS, help="make questions from what the corpus holds")
        what.add_argument("--to", dest="output", type=Path, metavar="FILE", help="write the set to a file")
        parser.add_argument("--format", default="", choices=READERS, help="otherwise the file itself tells")
        parser.add_argument("--golden", action="store_true", help="must-pass: the gate asks for all of it")
        parser.add_argument(
            "--with-passages", action="store_true", help="with --from: add its passages as documents"
        )
        parser.add_argument("--most", type=int, default=USUAL_QUESTIONS, help="questions to make at most")

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        if options["with_passages"] and not options["file"]:
            raise CommandError("Passages come with a file: --with-passages goes with --from.")
        if options["output"]:
            self._write(corpus, options)
        elif options["make"]:
            self._make(corpus, person, options)
        else:
            self._read(corpus, person, options)

    def _read(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        try:
            loaded = read(options["file"], options["format"])
        except BadFile as error:
            for problem in error.problems[:ERRORS_SHOWN]:
                self.stderr.write(f"{options['file']}, {problem}")
            raise CommandError(f"Nothing was stored. {error}") from error
        how = {"name": options["name"], "loaded": loaded, "is_golden": options["golden"]}
        if options["with_passages"]:
            row, stored, brought = import_with_passages(corpus, person, **how)
            self.stdout.write(f"{row}: {stored}. Documents: {brought}.")
            return
        row, stored = import_set(corpus, person, **how)
        self.stdout.write(f"{row}: {stored}.")

    def _make(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        if options["golden"]:
            raise CommandError("Look at questions that were made before they are golden. Leave out --golden.")
        row, stored, told = make_set(corpus, person, options["name"], options["make"], most=options["most"])
        self.stdout.write(f"{row}: {stored}. {told}".strip())

    def _write(self, corpus: Corpus, options: dict[str, Any]) -> None:
        row = corpus.evaluation_sets.filter(name=options["name"]).first()
        if row is None:
            raise CommandError(f"“{corpus}” has no set “{options['name']}”.")
        output: Path = options["output"]
        format = options["format"] or output.suffix.removeprefix(".") or "jsonl"
        data = b"".join(export_set(row, format))
        try:
            output.write_bytes(data)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{row}: {row.questions.count():,} questions are in {output}.")
