"""What the commands share: the corpus they work on, who acts, and a progress bar for runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from knowledge.models import Corpus, Role
from memosite.errors import MemoError
from memosite.runs import Run, Status, wait_for, work_on


class CorpusCommand(BaseCommand):
    """A command on one corpus. Subclasses set ``role`` and write ``work``; a MemoError ends it with exit code 1.

    Whoever has the shell acts as the operator of the site; ``--user`` acts as that person, with that person's
    permissions.
    """

    role = Role.READER

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("corpus", help="the corpus, by its slug")
        parser.add_argument("--user", help="act as this user, with this user's permissions")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = self._person(options["user"])
            self.work(self._corpus(options["corpus"], person, options), person, options)
        except MemoError as error:
            raise CommandError(str(error)) from error

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        raise NotImplementedError

    def _person(self, name: str | None) -> Any:
        if name is None:
            return None
        user_model = get_user_model()
        person = user_model.objects.filter(username=name).first()
        if person is None:
            raise CommandError(f"There is no user “{name}”. Check the name, or leave out --user.")
        if not person.is_active:
            raise CommandError(f"The account of “{name}” is closed. An administrator can open it again.")
        return person

    def _corpus(self, slug: str, person: Any, options: dict[str, Any]) -> Corpus:
        readable = Corpus.objects.for_role(person, Role.READER) if person else Corpus.objects.all()
        corpus = readable.filter(slug=slug).first()
        if corpus is None:
            known = ", ".join(readable.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no corpus “{slug}” to work on. Known: {known}.")
        if person:
            corpus.require(person, self.role)
        return corpus


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """How a command treats the run it starts."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--here", action="store_true", help="do the work in this process, without a worker")
    choice.add_argument(
        "--detach", action="store_true", help="leave the work to the worker and return at once"
    )


def carry_out(run: Run, work: Callable[[Any], None], options: dict[str, Any]) -> None:
    """Do the run here, leave it to a worker, or follow the worker with a progress bar. Fails if the run fails."""
    if options["detach"]:
        return
    if options["here"]:
        work_on(run, work)
    try:
        _show_progress(run)
    except KeyboardInterrupt:
        raise CommandError(f"Left. {run} goes on in the worker; cancel it on the corpus page.") from None
    for failure in run.item_errors:
        tqdm.write(f"{failure['document']}: {failure['error']}")
    if not run.is_complete:
        raise CommandError(f"{run} {run.status}. {run.error}".strip())


def _show_progress(run: Run) -> None:
    with tqdm(total=100, unit="%", bar_format="{desc} {bar} {n:.0f} % [{elapsed}{postfix}]") as bar:
        for state in wait_for(run):
            waiting = "waiting for a worker (start one with make run)"
            bar.set_description_str(waiting if state.status == Status.QUEUED else state.phase or state.status)
            left = f"{state.seconds_left:.0f} s left" if state.seconds_left is not None else ""
            bar.set_postfix_str(left)
            bar.update(state.percent - bar.n)
