"""python manage.py learned CORPUS [NUMBER]: what a version recalls of every document, passage by passage."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from knowledge.commands import CorpusCommand, add_run_arguments, carry_out
from knowledge.figures import percent
from knowledge.models import Corpus, Role
from training.audience import require_audience
from training.evaluation.learned import WEAK_BELOW, Tally
from training.lab.probes.learned import DocumentMap, make_more_pairs, map_of
from training.lab.probes.probing import start_probes
from training.lab.purposes import perform_probes
from training.services import live_version


class Command(CorpusCommand):
    help = "Ask a version (the live one unless named) every approved pair and print its recall by document."
    role = Role.CURATOR

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", nargs="?", type=int, help="the version's number")
        parser.add_argument(
            "--below", type=share, default=WEAK_BELOW, help="recall below which a passage is weak"
        )
        parser.add_argument("--weak", action="store_true", help="print weak passages only")
        parser.add_argument(
            "--more-pairs", action="store_true", help="have more pairs made for weak passages"
        )
        add_run_arguments(parser)

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        number = options["number"]
        version = corpus.versions.filter(number=number).first() if number else live_version(corpus)
        if version is None:
            raise CommandError(f"“{corpus}” has no version {number}.")
        require_audience(version, person)
        run = start_probes(version, person)
        carry_out(run, perform_probes, options)
        if options["detach"]:
            self.stdout.write(f"{run} is queued.")
            return
        self.stdout.write(f"{'trained':>12}{'held out':>12}{'new':>12}  {version}")
        for document in map_of(version):
            self._tell(document, options)
        if options["more_pairs"]:
            made = make_more_pairs(version, person, below=options["below"])
            self.stdout.write(f"{made} makes more pairs for the weak passages.")

    def _tell(self, document: DocumentMap, options: dict[str, Any]) -> None:
        if not options["weak"]:
            figures = "".join(in_words(each) for each in (document.trained, document.held_out, document.new))
            self.stdout.write(f"{figures}  {document.title}")
        for passage in document.weak(options["below"]):
            figures = "".join(in_words(each) for each in (passage.trained, passage.held_out, passage.new))
            told = "weak" if passage.probes else "without a pair"
            self.stdout.write(f"{figures}  {document.title}, passage {passage.position}: {told}")


def in_words(tally: Tally) -> str:
    return f"{f'{percent(tally.recall)} of {tally.asked}' if tally.asked else '–':>12}"


def share(text: str) -> float:
    """A share in [0, 1], for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"“{text}” is no share between 0 and 1.")
    return value
