"""What the commands on one memory version share."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from knowledge.commands import CorpusCommand
from knowledge.models import Corpus, Role
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


def named_version(corpus: Corpus, name: str, person: Any) -> MemoryVersion:
    """The version of a number of ``corpus``, or of ``SLUG:NUMBER`` of another one.

    A corpus that the person does not read is not there for that person. Raises CommandError and NotAllowed.
    """
    slug, colon, number = name.rpartition(":")
    readable = Corpus.objects.for_role(person, Role.READER) if person else Corpus.objects.all()
    home = readable.filter(slug=slug).first() if colon else corpus
    if home is None or not number.isdecimal():
        raise CommandError(
            f"“{name}” names no version. Write its number, or CORPUS:NUMBER of another corpus."
        )
    version = home.versions.filter(number=number).first()
    if version is None:
        raise CommandError(f"“{home}” has no version {number}.")
    require_audience(version, person)
    return version
