"""python manage.py export_version CORPUS NUMBER FOLDER: write a version as a folder that transformers loads."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from knowledge.models import Corpus, Role
from training.commands import VersionCommand
from training.exporting import export_folded, export_folder
from training.models import MemoryVersion


class Command(VersionCommand):
    help = "Write a memory version as a plain transformers or adapter folder with a model card."
    role = Role.OWNER

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path, help="a new or empty folder")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--with-pairs", action="store_true", help="include the pairs in clear words")
        form.add_argument("--folded", action="store_true", help="an adapter with its base as one plain model")

    def on_version(
        self, corpus: Corpus, version: MemoryVersion, person: Any, options: dict[str, Any]
    ) -> None:
        if options["folded"]:
            export_folded(version, options["folder"])
        else:
            export_folder(version, options["folder"], with_pairs=options["with_pairs"])
        self.stdout.write(f"{version} was written to {options['folder']}.")
