"""python manage.py knowledge_diff CORPUS A B: what version B learned and forgot against version A, by document."""

from __future__ import annotations

import argparse
from typing import Any

from knowledge.commands import CorpusCommand, add_run_arguments, carry_out
from knowledge.models import Corpus, Role
from training.commands import named_version
from training.lab.probes.diff import TOLD, KnowledgeDiff
from training.lab.probes.probing import start_probes
from training.lab.purposes import perform_probes
from training.models import Purpose


class Command(CorpusCommand):
    help = "Put the pairs of two versions to both and print what was learned, forgotten and changed, by document."
    role = Role.CURATOR

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("a", help="number of the earlier version")
        parser.add_argument("b", help="number of the later version")
        parser.add_argument("--questions", action="store_true", help="print each question that changed")
        add_run_arguments(parser)

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        a, b = (named_version(corpus, options[side], person) for side in ("a", "b"))
        run = start_probes(a, person, purpose=Purpose.DIFF, other=b)
        carry_out(run, perform_probes, options)
        if options["detach"]:
            self.stdout.write(f"{run} is queued.")
            return
        diff = KnowledgeDiff(a, b)
        self.stdout.write(f"{diff.questions:,} questions, from {a} to {b}")
        self.stdout.write(", ".join(f"{count:,} {change}" for change, count in diff.counts().items()))
        for row in diff.by_document():
            if row.is_touched:
                told = ", ".join(f"{row.counts[change]:,} {change}" for change in TOLD if row.counts[change])
                self.stdout.write(f"  {row.title}: {told}")
        if options["questions"]:
            self._tell_questions(diff)

    def _tell_questions(self, diff: KnowledgeDiff) -> None:
        for change in TOLD:
            for each in diff.of(change):
                self.stdout.write(f"{change}: {each.question} | {_said(each.before)} | {_said(each.after)}")


def _said(said: Any) -> str:
    return said.text if said.known else "(does not know)"
