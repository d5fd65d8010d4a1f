"""python manage.py generate CORPUS: make the reflections of a corpus."""

from __future__ import annotations

import argparse
from decimal import Decimal
from typing import Any

from knowledge.commands import CorpusCommand, add_run_arguments, carry_out
from knowledge.generation import perform_generation
from knowledge.models import Corpus, Role
from knowledge.services import start_generation


class Command(CorpusCommand):
    help = "Run the GENERATOR over the current documents of a corpus and show its progress."
    role = Role.CURATOR

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--generator", default="", help="rules, or an endpoint's name")
        parser.add_argument("--budget", type=Decimal, help="US dollars; the run pauses before it spends more")
        parser.add_argument(
            "--fresh", action="store_true", help="ask the model again instead of using replies kept"
        )
        parser.add_argument(
            "--go-live",
            action="store_true",
            help="approve all pairs unseen, train, and go live (owners only)",
        )
        add_run_arguments(parser)

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        if options["go_live"] and person:
            corpus.require(person, Role.OWNER)
        run = start_generation(
            corpus,
            person,
            generator=options["generator"],
            go_live=options["go_live"],
            budget=options["budget"],
            fresh=options["fresh"],
        )
        carry_out(run, perform_generation, options)
        if options["detach"]:
            self.stdout.write(f"{run} is queued.")
            return
        if run.endpoint:
            spent = run.spend
            tokens = f"{spent['prompt_tokens']} + {spent['completion_tokens']} tokens"
            cost = f"{spent['calls']} calls, {tokens}, {spent['cost']:.2f} US dollars"
            self.stdout.write(f"{run.pairs} pairs; {cost}; {run.seconds:.1f} s")
            return
        unread = run.unread.count()
        read = f"{run.sentences - unread} of {run.sentences} sentences read"
        self.stdout.write(f"{run.pairs} pairs; {read}, {unread} unread; {run.seconds:.1f} s")
