#!/usr/bin/env python
"""How fast the curators' workbench answers with many pairs.

    python benchmarks/workbench.py [--pairs 10000] [--documents 1000] [--repeat 5] [--json FILE]

Fills a temporary database of the kind that DATABASE_URL names (SQLite without it) with pairs, flags, sources and
history, asks for every list, filter, search and page as a curator does, and prints for each the median and the
least milliseconds, the CPU milliseconds of this process (a busy machine lengthens the others more), and how many
queries it took; then what is done in bulk, once each.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "memosite.settings")

GOAL_MS, BULK_GOAL_MS = 300, 3000
LIST = "/admin/knowledge/reflection/"
NAMES = (
    "Ada",
    "Bo",
    "Cy",
    "Dora",
    "Eli",
    "Fay",
    "Gus",
    "Hana",
    "Ivo",
    "Jun",
    "Kim",
    "Lea",
    "Max",
    "Nia",
    "Ola",
    "Pia",
)
THINGS = ("pier", "crane", "ferry", "buoy", "quay", "dock", "mast", "sail", "keel", "anchor", "lamp", "winch")
DOCUMENTS = "/admin/autocomplete/?app_label=knowledge&model_name=chunk&field_name=document"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--repeat", type=int, default=5, help="requests of each page; the median counts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    arguments = parser.parse_args()
    with temporary_database() as vendor:
        figures = measure(arguments.pairs, arguments.documents, arguments.repeat)
    figures |= {"database": vendor, "number_of_pairs": arguments.pairs, "documents": arguments.documents}
    print_table(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


@contextmanager
def temporary_database() -> Iterator[str]:
    """A database that is gone afterwards."""
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.ALLOWED_HOSTS = ["*"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with tempfile.TemporaryDirectory(prefix="memosite-workbench-") as folder:
        own = f"{folder}/db.sqlite3" if connection.vendor == "sqlite" else f"workbench_{os.getpid()}"
        before = connection.settings_dict["NAME"]
        connection.settings_dict["TEST"]["NAME"] = own
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            yield connection.vendor
        finally:
            connection.creation.destroy_test_db(before, verbosity=0)


# --- Rows --------------------------------------------------------------------------------------------------
def fill(pairs: int, documents: int) -> Any:
    """A corpus with documents, pairs, sources, flags, history, calls and a version; returns it."""
    from django.contrib.auth.models import User

    from knowledge.models import Corpus, Reflection, ReflectionSet

    corpus = Corpus.objects.create(slug="harbour", name="Harbour")
    people = [User.objects.create(username=f"curator{number}", is_staff=True) for number in range(8)]
    corpus.curator_group.user_set.add(*people)
    chunks = fill_documents(corpus, documents)
    made = ReflectionSet.objects.create(corpus=corpus, generator="rules")
    dice = random.Random(1)
    rows = [pair(corpus, made, number, dice, people) for number in range(pairs)]
    Reflection.objects.bulk_create(rows, batch_size=2000)
    rows = list(Reflection.objects.order_by("pk"))
    Reflection.history.bulk_history_create(rows, batch_size=500)
    fill_sources(rows, chunks, dice)
    fill_around(corpus, rows, dice)
    return corpus


def fill_documents(corpus: Any, documents: int) -> list[Any]:
    from knowledge.models import Chunk, Document

    rows = Document.objects.bulk_create(
        [
            Document(
                corpus=corpus,
                name=f"{number}.md",
                title=f"Chapter {number} of the harbour book",
                text="The harbour has a pier. " * 200,
                media_type="text/markdown",
                checksum=str(number),
            )
            for number in range(documents)
        ]
    )
    text = "Ada leads the harbour since 2019. " * 20
    return Chunk.objects.bulk_create(
        [
            Chunk(document=row, position=place, start=place * 700, end=place * 700 + 680, text=text)
            for row in rows
            for place in range(4)
        ]
    )


def pair(corpus: Any, made: Any, number: int, dice: random.Random, people: list[Any]) -> Any:
    from django.utils import timezone

    from knowledge.models import Reflection

    name, other, thing = dice.choice(NAMES), dice.choice(NAMES), dice.choice(THINGS)
    status = dice.choices(["pending", "approved", "rejected"], [6, 3, 1])[0]
    reviewer = None if status == "pending" else dice.choice(people)
    return Reflection(
        corpus=corpus,
        reflection_set=made,
        key=str(number),
        question=f"Who showed the {thing} number {number % 4000} to {name} {other}?",
        answer=f"{other} showed the {thing}, {'so they say, ' * dice.randrange(20)}in {1950 + number % 70}.",
        kind=dice.choice(["direct", "indirect", "entity", "consolidated", "cross_document"]),
        fact=str(number // 4),
        entity=f"{name} {other}",
        status=status,
        step=dice.choice(["extract", "consolidate", "surface"]),
        model=dice.choice(["small-model", "large-model"]),
        reviewed_by=reviewer,
        reviewed_at=timezone.now() if reviewer else None,
    )


def fill_sources(rows: list[Any], chunks: list[Any], dice: random.Random) -> None:
    from knowledge.models import ReflectionSource

    supporting = chunks[: len(chunks) * 3 // 4]
    ReflectionSource.objects.bulk_create(
        [
            ReflectionSource(reflection=row, chunk=chunk, start=0, end=30)
            for row in rows
            for chunk in dice.sample(supporting, dice.choice([1, 1, 2]))
        ],
        batch_size=2000,
    )


def fill_around(corpus: Any, rows: list[Any], dice: random.Random) -> None:
    """Calls, a version trained on half of the pairs, documents that changed, a sample."""
    from knowledge.flagging import mark_document_changed
    from knowledge.models import Document, LLMCall
    from knowledge.sampling import draw
    from training.models import MemoryVersion, TrainedPair

    LLMCall.objects.bulk_create(
        LLMCall(
            corpus=corpus,
            key=str(number),
            step=dice.choice(["extract", "verify"]),
            prompt_tokens=900,
            cost="0.01",
        )
        for number in range(3000)
    )
    version = MemoryVersion.objects.create(
        corpus=corpus, number=1, path="none", sha256="0", base="none", method="full"
    )
    TrainedPair.objects.bulk_create(
        TrainedPair(version=version, reflection=row, question=row.question, answer=row.answer)
        for row in rows[: len(rows) // 2]
    )
    changed = list(Document.objects.order_by("pk")[:10])
    Document.objects.filter(pk__in=[row.pk for row in changed]).update(is_current=False)
    mark_document_changed(changed, "It has a new version.")
    draw(corpus, corpus.reflections.all(), None, seed=1)


# --- Measuring ---------------------------------------------------------------------------------------------
def measure(pairs: int, documents: int, repeat: int) -> dict[str, Any]:
    from django.contrib.auth import get_user_model
    from django.test import Client

    from knowledge.flagging import flag_corpus

    started = time.perf_counter()
    corpus = fill(pairs, documents)
    filled = time.perf_counter() - started
    flagged, _ = timed(lambda: flag_corpus(corpus))
    analyze()
    desk = Client()
    desk.force_login(get_user_model().objects.get(username="curator0"))
    figures = {name: page(desk, url, repeat) for name, url in pages(corpus).items()}
    bulk = {"flag the whole corpus": flagged, **in_bulk(desk, corpus)}
    return {"filled_seconds": round(filled, 1), "pages": figures, "bulk": bulk}


def analyze() -> None:
    """What a server does by itself after a while: look at the tables, so that plans fit them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def pages(corpus: Any) -> dict[str, str]:
    from django.urls import reverse

    from knowledge.models import Document

    some = corpus.reflections.filter(status="pending").order_by("pk")[5]
    document = Document.objects.filter(is_current=True)[0]
    reviewer = corpus.curator_group.user_set.all()[0]
    sample = corpus.sample_reviews.get()
    filters = [
        "kind__exact=direct", "status__exact=pending", "flag=any", "flag=none", "flag=near_duplicate",
        "flag=contradiction", f"reviewer={reviewer.pk}", "reviewer=nobody", "length=short", "length=very_long",
        "model=small-model", "step=extract", "stale=1", "stale=0", "retired__exact=0", f"document={document.pk}",
        "corpus=harbour", "q=pier", "q=ada+pier+1999", "q=nothing+of+the+kind", "p=100", "o=2", "o=-8",
        "corpus=harbour&status__exact=pending&flag=none&q=crane",
    ]  # fmt: skip
    lists = ["corpus", "document", "reflection", "generationrun", "unreadsentence", "samplereview"]
    board = {
        name: reverse(f"admin:knowledge_corpus_{name}", args=[corpus.pk]) for name in ("coverage", "passages")
    }
    return {
        "index": "/admin/",
        **{f"list of {name}s": f"/admin/knowledge/{name}/" for name in lists},
        **{f"pairs ?{query}": f"{LIST}?{query}" for query in filters},
        "a pair": reverse("admin:knowledge_reflection_change", args=[some.pk]),
        "a pair, in a filtered list": f"{reverse('admin:knowledge_reflection_change', args=[some.pk])}"
        "?_changelist_filters=status__exact%3Dpending%26flag%3Dnone",
        "dashboard": reverse("admin:knowledge_corpus_change", args=[corpus.pk]),
        **board,
        "a document": reverse("admin:knowledge_document_change", args=[document.pk]),
        "documents to choose from": f"{DOCUMENTS}&term=chapter+7",
        "draw a sample": reverse("admin:knowledge_reflection_sample"),
        "a sample": reverse("admin:knowledge_samplereview_change", args=[sample.pk]),
        "judge a pair": reverse("admin:knowledge_samplereview_judge", args=[sample.pk]),
        "list of versions": "/admin/training/memoryversion/",
        "list of trained pairs": "/admin/training/trainedpair/",
    }


def page(desk: Any, url: str, repeat: int) -> dict[str, float]:
    from django.db import connection

    queries: list[str] = []

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        queries.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        response = desk.get(url)  # warms up as well
    if response.status_code != 200:
        raise SystemExit(f"{url} answered {response.status_code}")
    before = time.process_time()
    took = [timed(lambda: desk.get(url))[0] for _ in range(repeat)]
    own = (time.process_time() - before) * 1000 / repeat
    return {"ms": statistics.median(took), "least": min(took), "own": own, "queries": len(queries)}


def in_bulk(desk: Any, corpus: Any) -> dict[str, float]:
    """Approve every pair from the list as the curator does; edit one pair; approve a batch by its sample."""
    from knowledge import sampling, services

    row = corpus.reflections.filter(status="pending").order_by("pk")[7]
    person = corpus.curator_group.user_set.all()[0]
    figures = {"edit one pair": timed(lambda: services.revise(row, {"answer": "Ada did."}, person))[0]}
    sample = sampling.draw(corpus, corpus.reflections.all(), None, seed=2)
    for each in sample.pairs.select_related("sample"):
        sampling.judge(each, is_right=True)
    figures["approve a batch by its sample"] = timed(lambda: sampling.approve_batch(sample, None))[0]
    services.review(corpus.reflections.all(), "pending", None)
    first = corpus.reflections.order_by("pk").first()
    data = {"action": "approve", "select_across": "1", "_selected_action": [first.pk]}
    count = corpus.reflections.count()
    figures["ask before approving all"] = timed(lambda: desk.post(LIST, data))[0]
    figures["approve all pairs"] = timed(lambda: desk.post(LIST, {**data, "confirmed": str(count)}))[0]
    if corpus.reflections.approved().count() != count:
        raise SystemExit("The approval of all pairs did not reach all.")
    figures["reject all pairs"] = timed(lambda: services.review(corpus.reflections.all(), "rejected", None))[
        0
    ]
    return figures


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """The milliseconds that the work took, and what came of it."""
    started = time.perf_counter()
    result = work()
    return round((time.perf_counter() - started) * 1000, 1), result


def print_table(figures: dict[str, Any]) -> None:
    print(f"{figures['database']}, {figures['number_of_pairs']:,} pairs, {figures['documents']:,} documents")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'page':60} {'median ms':>10} {'least ms':>9} {'CPU ms':>7} {'queries':>8}")
    for name, figure in figures["pages"].items():
        late = "  over the goal" if figure["ms"] > GOAL_MS else ""
        times = f"{figure['ms']:10.1f} {figure['least']:9.1f} {figure['own']:7.1f}"
        print(f"{name:60} {times} {figure['queries']:8.0f}{late}")
    print(f"{'in bulk, once':60} {'ms':>10}")
    for name, took in figures["bulk"].items():
        print(f"{name:60} {took:10.1f}{'  over the goal' if took > BULK_GOAL_MS else ''}")


if __name__ == "__main__":
    main()
