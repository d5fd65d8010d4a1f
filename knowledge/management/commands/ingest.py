"""python manage.py ingest CORPUS PATH...: load documents from files and folders."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.text import slugify
from tqdm import tqdm

from knowledge.commands import CorpusCommand
from knowledge.models import Corpus, Role
from knowledge.services import ingest_file
from memosite.errors import NotAllowed


class Command(CorpusCommand):
    help = "Load documents into a corpus. Folders are read with everything below them, hidden files left out."
    role = Role.CURATOR

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--create", action="store_true", help="make the corpus if there is none")

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        files = list(files_below(options["paths"]))
        outcomes: Counter[str] = Counter()
        for path in tqdm(files, desc="Reading", unit="file"):
            result = ingest_file(corpus, path.name, path.read_bytes(), person)
            outcomes[result.outcome] += 1
            if result.is_refused:
                tqdm.write(f"{path}: {result.message}", file=self.stderr)
        self.stdout.write(", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))
        if outcomes["refused"]:
            raise CommandError(
                f"{outcomes['refused']} of {len(files)} files were refused; the others are stored."
            )

    def _corpus(self, slug: str, person: Any, options: dict[str, Any]) -> Corpus:
        if options["create"] and not Corpus.objects.filter(slug=slug).exists():
            if person and not person.is_superuser:
                raise NotAllowed("Only an administrator makes a corpus.")
            if slugify(slug) != slug:
                raise CommandError(
                    f"“{slug}” is no slug. Use small letters, digits and hyphens: {slugify(slug)}."
                )
            return Corpus.objects.create(slug=slug, name=slug.replace("-", " ").capitalize())
        return super()._corpus(slug, person, options)


def files_below(paths: list[Path]) -> list[Path]:
    """The files that ``paths`` name, folders with everything below them, in order and without hidden ones."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise CommandError(f"{path} does not exist.")
        below = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [file for file in below if file.is_file() and not file.name.startswith(".")]
    if not found:
        raise CommandError("There is no file in these folders.")
    return found
