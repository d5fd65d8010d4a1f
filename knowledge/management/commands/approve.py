"""python manage.py approve CORPUS: approve pending pairs in bulk."""

from __future__ import annotations

import argparse
from typing import Any

from knowledge.commands import CorpusCommand
from knowledge.models import Corpus, ReviewStatus, Role
from knowledge.pipeline.types import Kind
from knowledge.services import review


class Command(CorpusCommand):
    help = "Approve every pending pair of a corpus, or those of one kind. Rejected pairs stay rejected."
    role = Role.CURATOR

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--kind", choices=[kind.value for kind in Kind])

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        pending = corpus.reflections.with_current_sources().filter(status=ReviewStatus.PENDING)
        if options["kind"]:
            pending = pending.filter(kind=options["kind"])
        self.stdout.write(f"{review(pending, ReviewStatus.APPROVED, person)} pairs approved.")
