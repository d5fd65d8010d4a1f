"""python manage.py ask CORPUS "question": interrogate the live memory from the terminal."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import CommandError

from chat.protocol.events import (
    CandidatesRanked,
    ClueFound,
    Event,
    Failed,
    FinalAnswer,
    MemoryAnswered,
    StageStarted,
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
            self.stdout.write(
                json.dumps(event.as_dict(), ensure_ascii=False) if options["json"] else in_words(event)
            )
            self.stdout.flush()
            if isinstance(event.data, Failed):
                raise CommandError(event.data.message)
            known = isinstance(event.data, FinalAnswer) and event.data.known
        if not known:
            raise SystemExit(2)


def in_words(event: Event) -> str:
    """One line of text for an event."""
    match event.data:
        case StageStarted(stage=stage, note=note):
            return f"\n{stage.replace('_', ' ').capitalize()}: {note}"
        case ClueFound(text=text):
            return f"  clue: {text}"
        case SubQueryAsked(index=index, question=question):
            return f"  [{index}] {question}"
        case MemoryAnswered() as said:
            source = f", {said.source}" if said.source else ""
            return f"      {said.answer} ({said.confidence:.0%}, {said.latency_ms:.0f} ms{source})"
        case CandidatesRanked(names=names):
            return f"  candidates: {', '.join(names) or 'none'}"
        case FinalAnswer(text=text):
            return f"\n{text}"
        case other:
            return other.type
