"""python manage.py export_pairs CORPUS --output FILE: the pairs of a corpus as a file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet
from tqdm import tqdm

from knowledge.api import ReflectionFilter
from knowledge.commands import CorpusCommand
from knowledge.exchange.formats import FORMATS, format_for_writing
from knowledge.exchanging import export_pairs
from knowledge.models import Corpus, Reflection, ReviewStatus, Role
from knowledge.pipeline.types import Kind

FILTERS = ("status", "kind", "search", "retired")


class Command(CorpusCommand):
    help = "Write the pairs of a corpus to a file: all of them, or those that the filters let through."
    role = Role.CURATOR

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--output", type=Path, required=True, metavar="FILE")
        parser.add_argument("--format", choices=FORMATS, help="otherwise the end of the file's name tells")
        parser.add_argument("--status", choices=ReviewStatus.values)
        parser.add_argument("--kind", choices=[kind.value for kind in Kind])
        parser.add_argument("--document", metavar="NAME", help="pairs from a document, by its file name")
        parser.add_argument("--search", metavar="TEXT", help="text in the question or the answer")
        parser.add_argument("--retired", choices=["true", "false"], help="pairs that are no longer made")

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        path = options["output"]
        format = options["format"] or format_for_writing(path.name)
        pairs = chosen_pairs(corpus, options)
        count = pairs.values("pk").distinct().count()

        def track(records: Any) -> Any:
            return tqdm(records, total=count, desc="Writing", unit="pair")

        try:
            write_whole(path, export_pairs(pairs, format, track))
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{count} pair{'' if count == 1 else 's'} in {path}.")


def chosen_pairs(corpus: Corpus, options: dict[str, Any]) -> QuerySet[Reflection]:
    """The pairs that the filters of the command let through, which are those of the list over REST."""
    pairs = corpus.reflections.all()
    if name := options["document"]:
        if not corpus.documents.filter(name=name).exists():
            raise CommandError(f"There is no document “{name}” in this corpus. Give its file name.")
        pairs = pairs.filter(sources__document__name=name)
    chosen: QuerySet[Reflection] = ReflectionFilter(
        {name: options[name] for name in FILTERS if options[name] is not None}, pairs
    ).qs
    return chosen


def write_whole(path: Path, blocks: Iterator[bytes]) -> None:
    """Write a file that appears under its name when it is whole."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            for block in blocks:
                file.write(block)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
