"""python manage.py merge_versions CORPUS PARENT PARENT...: merge memory versions into a new one."""

from __future__ import annotations

import argparse
from typing import Any

from knowledge.commands import CorpusCommand, add_run_arguments, carry_out
from knowledge.models import Corpus, Role
from training.commands import named_version
from training.engine.merge_methods import METHODS
from training.merge_report import report_of
from training.merging import perform_merge, start_merge


class Command(CorpusCommand):
    help = (
        "Merge versions of one or several corpora into a new version of CORPUS, and say what is left of each."
    )
    role = Role.CURATOR

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "parents", nargs="+", metavar="PARENT", help="a version's number, or CORPUS:NUMBER of another one"
        )
        parser.add_argument("--method", choices=list(METHODS), required=True, help="how to merge")
        parser.add_argument(
            "--weights", type=float, nargs="+", help="one number a parent: how much it counts"
        )
        parser.add_argument("--density", type=float, help="share of each task vector's values that is kept")
        parser.add_argument("--scale", type=float, help="factor of the merged task vector")
        parser.add_argument("--seed", type=int, help="decides which values DARE drops")
        add_run_arguments(parser)

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        parents = [named_version(corpus, name, person) for name in options["parents"]]
        numbers = {key: options[key] for key in ("weights", "density", "scale", "seed")}
        run = start_merge(corpus, parents, options["method"], numbers, person)
        carry_out(run, perform_merge, options)
        if options["detach"]:
            self.stdout.write(f"{run} is queued.")
            return
        self.stdout.write(f"{run.version}: merged by {METHODS[run.method].title}")
        report = report_of(run.result)
        for line in report.lines() if report else ():
            self.stdout.write(line)
