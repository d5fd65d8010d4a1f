"""python manage.py rebuild_version CORPUS NUMBER: train a version once more and compare the hashes."""

from __future__ import annotations

import argparse
from typing import Any

from knowledge.commands import add_run_arguments, carry_out
from knowledge.models import Corpus, Role
from training.commands import VersionCommand
from training.models import MemoryVersion
from training.rebuilding import start_rebuild
from training.supervisor import perform_training


class Command(VersionCommand):
    help = "Train a version once more from its own pairs and settings, and compare the hashes of its files."
    role = Role.CURATOR

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        add_run_arguments(parser)

    def on_version(
        self, corpus: Corpus, version: MemoryVersion, person: Any, options: dict[str, Any]
    ) -> None:
        run = start_rebuild(version, person)
        carry_out(run, perform_training, options)
        if options["detach"]:
            self.stdout.write(f"{run} is queued.")
            return
        self.stdout.write(
            "".join(line.partition(" ")[2] + "\n" for line in run.log.splitlines()[-2:]).strip()
        )
