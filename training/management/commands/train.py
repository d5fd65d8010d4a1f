"""python manage.py train CORPUS: train a memory version on the approved pairs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from knowledge.commands import CorpusCommand, add_run_arguments, carry_out
from knowledge.figures import duration, percent
from knowledge.models import Corpus, Role
from training.choices import wishes_from
from training.models import LIVE, AliasMove, TrainingRun
from training.plans import GB, Plan, plan_training
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
        parser.add_argument("--base", default="", help="name or location of a base; auto: from scratch")
        parser.add_argument("--recipe", default="", help="preset; else that which suits the base")
        parser.add_argument("--config", type=Path, metavar="FILE", help="recipe as YAML; --set counts more")
        parser.add_argument("--continue", dest="continues", type=int, metavar="NUMBER", help="go on from it")
        parser.add_argument(
            "--replay", type=float, metavar="SHARE", help="of its pairs that is trained again"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="check the plan and print it; train nothing"
        )
        parser.add_argument("--go-live", action="store_true", help="point the live alias at it (owners only)")
        add_run_arguments(parser)

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        if options["go_live"] and person:
            corpus.require(person, Role.OWNER)
        wishes = wishes_from(
            corpus,
            person,
            base=options["base"],
            recipe=options["recipe"],
            config=dict(parse_setting(text) for text in options["set"]),
            yaml=recipe_in(options["config"]) if options["config"] else "",
            continues=options["continues"],
            replay_share=options["replay"],
        )
        if options["dry_run"]:
            self.stdout.write(in_words(plan_training(corpus, person, wishes)))
            return
        run = start_training(corpus, person, wishes, go_live=options["go_live"])
        carry_out(run, perform_training, options)
        if options["detach"]:
            self.stdout.write(f"{run} is queued.")
            return
        assert run.version is not None  # noqa: S101 - a run that succeeded has its version
        self.stdout.write(f"{run.version}: {recall_in_words(run.version.metrics)}; {run.seconds:.0f} s")
        if options["go_live"]:
            require_went_live(run)


def require_went_live(run: TrainingRun) -> None:
    """Raise CommandError, with the reason that the log gives, where the version only became the candidate."""
    if not AliasMove.objects.filter(alias__name=LIVE, to_version=run.version).exists():
        _, _, reason = run.log.rstrip().rpartition("\n")[2].partition(" ")
        raise CommandError(reason)


def recall_in_words(metrics: Mapping[str, Any]) -> str:
    """Recall for a terminal. Without wordings to hold out, which some recipes do not want, none was measured."""
    told = f"recall {metrics['trained_recall']:.1%} on trained questions"
    if (held_out := metrics.get("held_out_recall")) is None:
        return f"{told}, no wordings were held out"
    return f"{told}, {held_out:.1%} on held-out wordings"


def recipe_in(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The recipe {file} cannot be read: {error}.") from error


def in_words(plan: Plan) -> str:
    """The plan for a terminal: what there is to learn, what it will take, warnings, and the whole recipe."""
    facts, pairs = plan.amounts
    lines = [f"{pairs:,} pairs about {facts:,} facts; recipe {plan.recipe or 'of the version'}."]
    if plan.lesson:
        lines.append(
            f"{len(plan.lesson.new):,} of the pairs are new, {len(plan.lesson.replayed):,} replayed."
        )
    if guess := plan.forecast:
        lines.append(
            f"The {guess.size} model ({guess.parameters:,} parameters) is meant for up to {guess.holds:,} facts: "
            f"{percent(guess.share)} of that. About {duration(guess.seconds)} on one processor."
        )
        if not guess.is_measured:
            lines.append("No training of so many facts was measured to its end: the time is a guess.")
    if memory := plan.memory:
        lines.append(f"About {memory[0] / GB:.1f} GB of memory for weights and optimiser.")
    lines += [f"Warning: {warning}" for warning in plan.warnings]
    return "\n".join([*lines, "", plan.command, "", plan.yaml.rstrip()])


def parse_setting(text: str) -> tuple[str, Any]:
    """``"learning_rate=0.003"`` as a name and a JSON value, or a plain string."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise CommandError(f"“{text}” is no setting. Write NAME=VALUE, for example epochs=40.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
