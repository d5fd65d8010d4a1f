"""python manage.py ask CORPUS "question": interrogate the live memory from the terminal."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import CommandError

from chat.protocol.events import (
    CandidatesRanked,
    ClueFound,
    DecisionMade,
    Event,
    Failed,
    FinalAnswer,
    Heartbeat,
    MemoryAnswered,
    StageStarted,
    Stopped,
    SubQueryAsked,
)
from chat.services import interrogate_once
from knowledge.commands import CorpusCommand
from knowledge.models import Corpus


class Command(CorpusCommand):
    help = "Ask the live memory of a corpus. Exit code 0: answered, 2: memory does not know, 1: error."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("question")
        parser.add_argument(
            "--also", action="append", default=[], metavar="CORPUS", help="ask this corpus as well"
        )
        parser.add_argument(
            "--executive", default="", metavar="NAME", help="the EXECUTIVE that leads; else the corpus's own"
        )
        parser.add_argument("--json", action="store_true", help="print each event as a line of JSON")

    def work(self, corpus: Corpus, person: Any, options: dict[str, Any]) -> None:
        known = False
        others = [self._corpus(slug, person, options) for slug in options["also"]]
        for event in interrogate_once(corpus, options["question"], person, others, options["executive"]):
            self._tell(event, as_json=options["json"])
            if isinstance(event.data, Failed):
                raise CommandError(event.data.message)
            known = isinstance(event.data, FinalAnswer) and event.data.known
        if not known:
            raise SystemExit(2)

    def _tell(self, event: Event, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(event.as_dict(), ensure_ascii=False))
        elif isinstance(event.data, Heartbeat):
            if self.stdout.isatty():
                self.stdout.write(".", ending="")
        elif words := in_words(event):
            self.stdout.write(words)
        self.stdout.flush()


def in_words(event: Event) -> str:
    """The lines of text for an event; empty where there is nothing that people need to read.

    Pieces of the answer are not repeated: it comes whole.
    """
    match event.data:
        case StageStarted(stage=stage, note=note):
            return f"\n{stage.replace('_', ' ').capitalize()}: {note}"
        case ClueFound(text=text, power=power):
            return f"  clue: {text}{f' (narrowing power {power})' if power else ''}"
        case SubQueryAsked(index=index, question=question):
            return f"  [{index}] {question}"
        case MemoryAnswered() as said:
            return f"      {said.answer} ({_weighed(said)})" + (f"\n      {said.note}" if said.note else "")
        case CandidatesRanked(names=names):
            return f"  candidates: {', '.join(names) or 'none'}"
        case DecisionMade(problem=problem, question=question, dropped=dropped):
            lines = [f"  understood as: {question}"] if question else []
            lines += [f"  not asked: {each}" for each in dropped]
            return "\n".join([*lines, *([f"  problem: {problem}"] if problem else [])])
        case FinalAnswer(text=text, justification=why):
            return f"\n{text}" + (f"\n{why}" if why else "")
        case Stopped():
            return "\nStopped."
    return ""


def _weighed(said: MemoryAnswered) -> str:
    """How sure MEMORY is, how many of the wordings agree where there were several, how long it took, and which."""
    told = [f"{said.confidence:.0%}"]
    if said.said:
        told.append(f"{said.agreement:.0%} of {len(said.said)} wordings agree")
    return ", ".join([*told, f"{said.latency_ms:.0f} ms", *([said.source] if said.source else [])])
