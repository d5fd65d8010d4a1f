"""Putting questions to a version's MEMORY directly, without an EXECUTIVE, and keeping what it says.

A run asks what was not asked yet, in batches that are stored before the next one is asked: killed at any moment,
it goes on where it stopped, and two runs about one version share their answers.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from memosite.errors import Conflict
from memosite.llm.text import printable
from memosite.people import account_of
from training.evaluation.learned import Said
from training.memory import Memory
from training.models import MemoryVersion, ProbeRun, Purpose, Recollection, TrainedPair, question_digest
from training.registry import hold_versions
from training.serving import memory_for

BATCH = 32  # questions that are asked and stored together
Questions = Mapping[MemoryVersion, Sequence[str]]


def start_probes(
    version: MemoryVersion, person: Any = None, *, purpose: str = Purpose.LEARNED, **about: Any
) -> ProbeRun:
    """Queue a run that asks a version; ``about`` names the ``other`` version or the ``forgotten`` document.

    Raises Conflict while such a run is at work, or paused, and VersionGone where the version was deleted.
    """
    corpus = version.corpus
    with transaction.atomic():
        hold_versions(filter(None, (version, about.get("other"))))
        same = ProbeRun.objects.filter(version=version, purpose=purpose, **about)
        if same.active().exists():
            raise Conflict(
                "These questions are being asked already. Wait for the answers, or cancel the run."
            )
        run = ProbeRun.objects.create(
            corpus=corpus,
            version=version,
            purpose=purpose,
            created_by=account_of(person),
            **about,
        )
        run.tells_of(corpus, version, run.other)
    run.enqueue()
    return run


def ask_all(run: ProbeRun, questions: Questions) -> None:
    """Ask each version what it was not asked yet. Raises what ``Run.report`` and the MEMORYs raise."""
    open_questions = {version: missing(version, asked) for version, asked in questions.items()}
    total = sum(len(set(asked)) for asked in questions.values())
    left = sum(map(len, open_questions.values()))
    run.report(phase="asking", total=total, done=total - left)
    started, answered = time.monotonic(), 0
    for version, asked in open_questions.items():
        memory = memory_for(version) if asked else None
        for start in range(0, len(asked), BATCH):
            assert memory is not None  # noqa: S101 - there are questions
            some = asked[start : start + BATCH]
            ask(version, memory, some)
            answered += len(some)
            seconds = (time.monotonic() - started) / answered * (left - answered)
            run.report(done=total - left + answered, seconds_left=seconds)


def ask(version: MemoryVersion, memory: Memory, questions: Sequence[str]) -> None:
    """Put the questions to the MEMORY of the version and keep the answers. Raises what the MEMORY raises."""
    answers = memory.answer(list(questions))
    Recollection.objects.bulk_create(
        (
            Recollection(
                version=version,
                question=question,
                digest=question_digest(question),
                text=printable(answer.text),
                known=answer.known,
                confidence=answer.confidence,
            )
            for question, answer in zip(questions, answers, strict=True)
        ),
        ignore_conflicts=True,  # another run asked the same meanwhile: a version says the same again
    )


def missing(version: MemoryVersion, questions: Iterable[str]) -> list[str]:
    """Those of the questions that the version was not asked yet, each once."""
    asked = set(version.recollections.order_by().values_list("question", flat=True))
    return [question for question in dict.fromkeys(questions) if question not in asked]


def recollected(version: MemoryVersion) -> dict[str, Said]:
    """What the version said to every question that it was asked."""
    rows = version.recollections.order_by().values_list("question", "text", "known")
    return {question: Said(text, known) for question, text, known in rows}


def taught(version: MemoryVersion) -> dict[str, list[str]]:
    """The questions of the version's pairs, held-out wordings included, with the answers it was taught."""
    found: dict[str, list[str]] = {}
    rows = TrainedPair.objects.filter(version=version).order_by("pk")
    for question, answer in rows.values_list("question", "answer"):
        found.setdefault(question, []).append(answer)
    return found
