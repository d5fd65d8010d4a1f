"""python manage.py train CORPUS: train a memory version on the approved pairs."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import CommandError

from knowledge.commands import CorpusCommand, add_run_arguments, carry_out
from knowledge.models import Corpus, Role
from training.services import start_training
from training.supervisor import perform_training


class Command(CorpusCommand):
    help = "Train a new memory version on the approved pairs of a corpus and show its progress."
    role = Role.CURATOR

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="change a number of the recipe"
        )
        parser.add_argument("--go-live", action="store_true", help="point the live alias at it (owners only)")
        add_run_arguments(parser)

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        if options["go_live"] and person:
            corpus.require(person, Role.OWNER)
        config = dict(parse_setting(text) for text in options["set"])
        run = start_training(corpus, person, config=config, go_live=options["go_live"])
        carry_out(run, perform_training, options)
        if options["detach"]:
            self.stdout.write(f"{run} is queued.")
            return
        assert run.version is not None  # noqa: S101 - a run that succeeded has its version
        metrics = run.version.metrics
        self.stdout.write(
            f"{run.version}: recall {metrics['trained_recall']:.1%} on trained questions, "
            f"{metrics['held_out_recall']:.1%} on held-out wordings; {run.seconds:.0f} s"
        )


def parse_setting(text: str) -> tuple[str, Any]:
    """``"learning_rate=0.003"`` as a name and a JSON value, or a plain string."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise CommandError(f"“{text}” is no setting. Write NAME=VALUE, for example epochs=40.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
