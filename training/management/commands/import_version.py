"""python manage.py import_version CORPUS FOLDER: take a model folder in as a version."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from knowledge.commands import CorpusCommand
from knowledge.models import Corpus, Role
from training.importing import import_folder, import_zip


class Command(CorpusCommand):
    help = "Take a transformers or adapter folder, or a zip file of one, in as a version of a corpus."
    role = Role.OWNER

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "folder", type=Path, help="the folder that holds config.json, or a zip file of it"
        )
        parser.add_argument("--notes", default="", help="where it comes from, for the version's page")
        parser.add_argument(
            "--evaluate",
            action="store_true",
            help="measure it on the approved pairs of the corpus, and fit its threshold",
        )

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        folder, given = options["folder"], {name: options[name] for name in ("notes", "evaluate")}
        if folder.suffix == ".zip" and folder.is_file():
            with folder.open("rb") as file:
                version = import_zip(corpus, file, person, **given)
        else:
            version = import_folder(corpus, folder, person, **given)
        told = "with figures" if version.metrics else "not evaluated yet"
        told += "" if version.is_measured_here else " that were not measured here"
        self.stdout.write(f"{version} was imported, {told}.")
