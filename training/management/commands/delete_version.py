"""python manage.py delete_version CORPUS NUMBER: delete a memory version for good."""

from __future__ import annotations

import argparse
from typing import Any

from knowledge.models import Corpus, Role
from training.commands import VersionCommand
from training.models import MemoryVersion
from training.registry import delete_version


class Command(VersionCommand):
    help = "Delete a memory version with its pairs and its weights; refused while an alias points at it."
    role = Role.OWNER

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", default="Deleted from the command line")

    def on_version(
        self, corpus: Corpus, version: MemoryVersion, person: Any, options: dict[str, Any]
    ) -> None:
        delete_version(version, person, reason=options["reason"])
        self.stdout.write(f"Version {version.number} of “{corpus}” was deleted.")
