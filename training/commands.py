"""What the commands on one memory version share."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from knowledge.commands import CorpusCommand
from knowledge.models import Corpus
from training.audience import require_audience
from training.models import MemoryVersion


class VersionCommand(CorpusCommand):
    """A command on one version. Subclasses set ``role`` and write ``on_version``."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", type=int, help="the version's number")

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        version = corpus.versions.filter(number=options["number"]).first()
        if version is None:
            raise CommandError(f"“{corpus}” has no version {options['number']}.")
        require_audience(version, person)
        self.on_version(corpus, version, person, options)

    def on_version(
        self, corpus: Corpus, version: MemoryVersion, person: Any, options: dict[str, Any]
    ) -> None:
        raise NotImplementedError
