"""python manage.py promote CORPUS NUMBER: point an alias at a version; or go back to the one before."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from knowledge.commands import CorpusCommand
from knowledge.models import Corpus, Role
from training.audience import require_audience
from training.models import ALIASES, LIVE
from training.services import promote, rollback


class Command(CorpusCommand):
    help = "Point an alias of a corpus at a version, or back with --rollback."
    role = Role.OWNER

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", nargs="?", type=int, help="the version's number")
        parser.add_argument("--reason", default="Promoted from the command line")
        parser.add_argument(
            "--alias", choices=ALIASES, default=LIVE, help="the alias to move (default: live)"
        )
        parser.add_argument(
            "--narrow", action="store_true", help="go live although readers of the corpus could not ask it"
        )
        parser.add_argument(
            "--override", default="", metavar="REASON", help="go live although the gate refuses it, and why"
        )
        parser.add_argument("--rollback", action="store_true", help="go back to the version before")

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        if (options["number"] is None) != options["rollback"]:
            raise CommandError("Give either a version's number or --rollback.")
        alias = options["alias"]
        if options["rollback"]:
            move = rollback(corpus, person, alias=alias)
        else:
            version = corpus.versions.filter(number=options["number"]).first()
            if version is None:
                raise CommandError(f"“{corpus}” has no version {options['number']}.")
            require_audience(version, person)
            how = {name: options[name] for name in ("reason", "narrow", "override")}
            move = promote(version, person, alias=alias, **how)
        self.stdout.write(f"{move.to_version} is {'live' if alias == LIVE else f'the {alias}'} now.")
