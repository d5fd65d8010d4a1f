"""python manage.py evaluate CORPUS SET: put a set of questions to contestants and print the table."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from knowledge.commands import CorpusCommand, add_run_arguments, carry_out
from knowledge.models import Corpus, Role
from training.lab.gate.of_runs import findings_of
from training.lab.runs.files import FORMS
from training.lab.runs.report import report_of, table_lines
from training.lab.runs.running import perform_evaluation
from training.lab.runs.wishes import Wishes, level_of, start
from training.models import EvaluationRun


class Command(CorpusCommand):
    help = (
        "Put the questions of an evaluation set to memory versions and baselines, and print what came out. The "
        "exit code is 1 where the run fails, or with --gate where a version does not hold the corpus's rules."
    )
    role = Role.CURATOR

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Let --version name memory versions here, and not print Django's."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("set", metavar="SET", help="the evaluation set, by its name")
        parser.add_argument(
            "--version", dest="versions", type=int, nargs="*", metavar="N", help="numbers; live without it"
        )
        parser.add_argument(
            "--executive", nargs="+", default=[], metavar="NAME", help="who leads; the chat's own without it"
        )
        parser.add_argument(
            "--against",
            nargs="+",
            default=[],
            metavar="KIND",
            help="baselines: bm25, or bm25:top=5,unit=sentence",
        )
        parser.add_argument(
            "--noise", nargs="+", default=[], metavar="LEVEL", help="distractors for each document: 1 3"
        )
        parser.add_argument("--distractors", default="", metavar="SLUG", help="the corpus they come from")
        parser.add_argument(
            "--noisy",
            nargs="+",
            default=[],
            metavar="LEVEL=N",
            help="the version that learned a level's distractors",
        )
        parser.add_argument("--judge", default="", metavar="ENDPOINT", help="a language model judges as well")
        parser.add_argument("--title", default="", help="what the run is called")
        parser.add_argument("--fresh", action="store_true", help="take nothing from earlier runs")
        parser.add_argument(
            "--gate", action="store_true", help="fail where a version does not hold the rules"
        )
        for name in FORMS:
            parser.add_argument(
                f"--{name}", type=Path, metavar="FILE", help=f"write the run as {name.upper()}"
            )
        add_run_arguments(parser)

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        if options["gate"] and options["detach"]:
            raise CommandError("--gate waits for the result, --detach does not. Leave one of them out.")
        run = start(corpus, person, wishes_from(options))
        try:
            carry_out(run, perform_evaluation, options)
        finally:  # of a run that failed, what those found that did not
            run.refresh_from_db()
            self._tell(run, options)
        if options["gate"]:
            self._check_gate(run)

    def _tell(self, run: EvaluationRun, options: dict[str, Any]) -> None:
        if options["detach"]:
            self.stdout.write(f"{run} is queued as evaluation {run.pk}.")
        if run.is_active:
            return
        if report := report_of(run):
            for line in table_lines(report):
                self.stdout.write(line)
        write_files(run, options)

    def _check_gate(self, run: EvaluationRun) -> None:
        """Raises CommandError where a rule does not hold, and where none was checked: that is no pass for CI."""
        found = findings_of(run)
        if not found:
            raise CommandError(
                f"Nothing was checked: no version took part, or “{run.corpus}” has no rules. Set them up on its "
                "page “Gate”, or leave --gate out."
            )
        for version, finding in found:
            self.stdout.write(f"{version}: {finding.line}")
        if failed := [f"{version}: {finding.words}" for version, finding in found if not finding.passed]:
            raise CommandError("The gate does not pass. " + " ".join(failed))


def wishes_from(options: dict[str, Any]) -> Wishes:
    """Raises BadEvaluation, and CommandError for a version that is not named as LEVEL=N."""
    return Wishes(
        evaluation_set=options["set"],
        versions=options["versions"],
        executives=options["executive"],
        against=options["against"],
        noise=[0.0, *map(level_of, options["noise"])],
        distractors=options["distractors"],
        noisy=dict(_noisy(text) for text in options["noisy"]),
        judge=options["judge"],
        is_fresh=options["fresh"],
        title=options["title"],
    )


def _noisy(text: str) -> tuple[float, int]:
    level, _, number = text.partition("=")
    if not number.isdecimal():
        raise CommandError(f"“{text}” names no version. Write LEVEL=NUMBER, for example 1=4.")
    return level_of(level), int(number)


def write_files(run: EvaluationRun, options: dict[str, Any]) -> None:
    """Write the forms that were asked for. Raises CommandError where a file cannot be written."""
    for name, form in FORMS.items():
        if path := options[name]:
            try:
                path.write_bytes(b"".join(form.write(run)))
            except OSError as error:
                raise CommandError(f"{path} cannot be written: {error}.") from error
