"""What the benchmarks share: a site of its own in a temporary folder, a worker, and the way to a live memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def prepare(folder: Path) -> None:
    """Set up Django on an empty database in ``folder``; whatever the environment says stays untouched."""
    os.environ.update(
        DJANGO_SETTINGS_MODULE="memosite.settings",
        MEMOSITE_STATE_DIR=str(folder),
        DATABASE_URL=f"sqlite:///{folder / 'benchmark.sqlite3'}",
        REDIS_URL="",
        LOG_LEVEL="WARNING",
    )
    sys.path.insert(0, str(ROOT))
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


@contextmanager
def worker() -> Iterator[None]:
    """A Celery worker process, as ``make run`` starts it."""
    command = [sys.executable, "-m", "celery", "-A", "memosite", "worker", "--pool", "threads"]
    process = subprocess.Popen([*command, "--concurrency", "2", "--loglevel", "WARNING"], cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def build_memory(corpus: str, documents: Path) -> dict[str, Any]:
    """Ingest, generate, approve, train and promote, by the same commands that people use."""
    from django.core.management import call_command

    from knowledge.models import GenerationRun
    from training.models import TrainingRun

    call_command("ingest", corpus, str(documents), create=True)
    call_command("generate", corpus)
    call_command("approve", corpus)
    call_command("train", corpus, go_live=True)
    generation = GenerationRun.objects.get(corpus__slug=corpus)
    training = TrainingRun.objects.get(corpus__slug=corpus)
    assert training.version is not None
    return {
        "documents": generation.corpus.documents.current().count(),
        "sentences": generation.sentences,
        "unread": generation.unread.count(),
        "pairs": generation.pairs,
        "generate_seconds": round(generation.seconds, 1),
        "train_seconds": round(training.seconds, 1),
        "memory": training.version.metrics,
    }


def asked(corpus: str, question: str) -> tuple[list[str], int]:
    """Ask as a person would: the answer's values, none where MEMORY does not know, and how many sub-queries."""
    from chat.services import interrogate_once
    from knowledge.models import Corpus

    return values_and_cost(interrogate_once(Corpus.objects.get(slug=corpus), question))


def values_and_cost(events: Iterable[Any]) -> tuple[list[str], int]:
    """The values of the final answer, and how many sub-queries were asked."""
    from chat.protocol.events import FinalAnswer, SubQueryAsked

    data = [event.data for event in events]
    final = next((each for each in data if isinstance(each, FinalAnswer)), None)
    return list(final.values) if final and final.known else [], sum(
        isinstance(e, SubQueryAsked) for e in data
    )


def set_f1(given: set[str], gold: set[str]) -> float:
    """2 * |given and gold| / (|given| + |gold|): the harmonic mean of precision and recall over the set."""
    return 2 * len(given & gold) / (len(given) + len(gold)) if given or gold else 1.0
