#!/usr/bin/env python
"""Many conversations at once: does every event arrive, only where it belongs, and how soon?

    [DATABASE_URL=... REDIS_URL=...] python benchmarks/chat_load.py [--conversations 200] [--seconds 60]
        [--pause 10] [--ms 300] [--web 1] [--kill] [--json FILE]

Starts the site in processes of its own (uvicorn on a free port, an empty database, a MEMORY trained from scratch,
a language model that takes 300 ms for every call as EXECUTIVE) and puts people into conversations over real
websockets. Each asks, reads for ``--pause`` seconds on average and asks again: half of the questions have one hop
(two calls of the EXECUTIVE), half have two (three calls). Every question carries a note of its own that the
EXECUTIVE repeats, and asks about a person of its own.

- ``lost``: turns without an end, turns with a seq missing, and turns that the database still calls running.
- ``mixed``: events and answers that carry another question's note or person.
- ``p95_ms``: the framework's own time in a protocol step, as the client sees it. A step is one decision of the
  EXECUTIVE with all that follows until the next one can be taken: from the moment the question is sent, or the
  last step ended, until the last answer of MEMORY, or the final answer, has arrived. From its wall time the 300 ms
  of each EXECUTIVE call are taken off, and ``latency_ms`` of MEMORY. So the sum of a turn's steps is its whole
  time but for EXECUTIVE and MEMORY; nothing is left out, and what the client and the test server take counts too.
- ``peak_mb``: the most resident memory of a web process; ``growth_mb``: by how much the mean of the last third of
  the time is above that of the second (in the first the memory, and the caches, are being filled).

With ``--kill`` two web processes share the conversations (PostgreSQL and Redis are needed) and one is killed by
SIGKILL in the middle. Its clients go to the other one; turns that were under way have to end in the error
``interrupted`` and are asked again with one message (``interrupted``, ``asked_again``).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from chat_clients import Conversation, Findings  # noqa: E402
from chat_site import LoadSite, load_site  # noqa: E402

GOAL_MS = 100
BAR = 30


def main() -> None:
    arguments = parse_arguments()
    raise_file_limit()
    web = max(arguments.web, 2) if arguments.kill else arguments.web
    if (web > 1) and not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        raise SystemExit("Several web processes need DATABASE_URL and REDIS_URL (PostgreSQL and Redis).")
    with (
        tempfile.TemporaryDirectory(prefix="memosite-load-") as folder,
        load_site(
            Path(folder), conversations=arguments.conversations, web=web, model_ms=arguments.ms
        ) as site,
    ):
        figures = asyncio.run(measure(site, arguments))
    print_table(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--conversations", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument(
        "--pause", type=float, default=10, help="seconds that a person reads before asking again"
    )
    parser.add_argument("--ms", type=float, default=300, help="how long a call of the EXECUTIVE takes")
    parser.add_argument("--web", type=int, default=1, help="web processes that share the conversations")
    parser.add_argument("--kill", action="store_true", help="kill one of two web processes in the middle")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    return parser.parse_args()


def raise_file_limit() -> None:
    """Every conversation is an open file here, and three in the web process."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def measure(site: LoadSite, arguments: argparse.Namespace) -> dict[str, Any]:
    found = Findings()
    ports = [web.port for web in site.web]
    await warm_up(site)
    everybody = [
        Conversation(seat, number, turned(ports, number), site.model_ms, found)
        for number, seat in enumerate(site.seats)
    ]
    for each in everybody:
        await each.connect()  # one after the other: the clock starts when all are there
    began = time.monotonic()
    until = began + arguments.seconds
    people = [asyncio.create_task(each.run(until, arguments.pause)) for each in everybody]
    watching = asyncio.create_task(watch(site, found, began, arguments))
    await asyncio.gather(*people)
    watching.cancel()
    print()
    took = time.monotonic() - began
    found.lost += await asyncio.to_thread(still_running, found)
    figures = figures_of(site, found, took, arguments)
    return figures | {"p95_ms_by_tenth": by_tenth(found, began, arguments.seconds)}


def turned(ports: Sequence[int], number: int) -> list[int]:
    """The ports, another one first for each number."""
    first = number % len(ports)
    return [*ports[first:], *ports[:first]]


async def warm_up(site: LoadSite) -> None:
    """One question to each web process: the first one waits until the MEMORY is loaded."""
    for web in site.web:
        await Conversation(site.seats[0], 0, [web.port], site.model_ms, Findings()).run(
            time.monotonic() + 0.1, 0
        )


async def watch(site: LoadSite, found: Findings, began: float, arguments: argparse.Namespace) -> None:
    """Show how far it is, weigh the web processes, and kill one in the middle if told to."""
    killed = not arguments.kill
    while True:
        seconds = time.monotonic() - began
        for web in site.web:
            web.weigh(seconds)
        if not killed and seconds > arguments.seconds / 2:
            site.web[0].kill()
            killed = True
        done = min(1.0, seconds / arguments.seconds)
        bar = "#" * round(BAR * done)
        print(
            f"\r[{bar:<{BAR}}] {seconds:4.0f} s  {found.turns} turns, {found.under_way} under way, "
            f"lost {found.lost}, mixed {found.mixed}   ",
            end="",
            flush=True,
        )
        await asyncio.sleep(1)


def still_running(found: Findings) -> int:
    from chat.models import Turn, TurnStatus

    left = list(Turn.objects.filter(status=TurnStatus.RUNNING).values_list("question", flat=True))
    found.examples += [f"lost: the database calls it running: {question}" for question in left[:5]]
    return len(left)


def figures_of(site: LoadSite, found: Findings, took: float, arguments: argparse.Namespace) -> dict[str, Any]:
    steps = sorted(found.steps) or [0.0]
    peaks = [max(mb for _, mb in web.megabytes) for web in site.web]
    return {
        "lost": found.lost,
        "mixed": found.mixed,
        "failed": found.failed,
        "p95_ms": at(steps, 0.95),
        "p50_ms": at(steps, 0.5),
        "p99_ms": at(steps, 0.99),
        "max_ms": round(steps[-1], 1),
        "peak_mb": round(max(peaks), 1),
        "growth_mb": growth(site.web[-1].megabytes, arguments.seconds),
        "conversations": arguments.conversations,
        "seconds": round(took, 1),
        "pause": arguments.pause,
        "turns": found.turns,
        "turns_per_second": round(found.turns / took, 1),
        "steps_per_second": round(len(found.steps) / took, 1),
        "most_under_way": found.most_under_way,
        "turn_p50_ms": at(sorted(found.turn_ms) or [0.0], 0.5),
        "memory_p95_ms": at(sorted(found.memory_ms) or [0.0], 0.95),
        "web_cpu_share": round(sum(web.cpu_seconds[-1] - web.cpu_seconds[0] for web in site.web) / took, 2),
        "events": found.events,
        "followed": found.followed,
        "reconnected": found.reconnected,
        "interrupted": found.interrupted,
        "asked_again": found.asked_again,
        "noticed_after_seconds": round(max(found.notice_seconds, default=0.0), 1),
        "web_processes": len(site.web),
        "stack": site.stack,
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}",
        "examples": found.examples,
    }


def by_tenth(found: Findings, began: float, seconds: float) -> list[float]:
    """p95 of the own time in each tenth of the measured time."""
    tenths: list[list[float]] = [[] for _ in range(10)]
    for when, step in zip(found.step_times, found.steps, strict=True):
        tenths[min(9, int(10 * (when - began) / seconds))].append(step)
    return [at(sorted(steps), 0.95) if steps else 0.0 for steps in tenths]


def at(ordered: Sequence[float], share: float) -> float:
    """The value within which that share of the ordered values lies."""
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def growth(megabytes: Sequence[tuple[float, float]], seconds: float) -> float:
    """How far the mean of the last third lies above that of the second third."""
    third = seconds / 3
    second = [mb for when, mb in megabytes if third <= when < 2 * third]
    last = [mb for when, mb in megabytes if 2 * third <= when < seconds]
    return round(statistics.fmean(last) - statistics.fmean(second), 1) if second and last else 0.0


def print_table(figures: dict[str, Any]) -> None:
    print(f"{figures['stack']}; {figures['web_processes']} web; {figures['machine']}")
    rows = [
        ("conversations, seconds of reading", f"{figures['conversations']}, {figures['pause']:g}"),
        ("turns, a second", f"{figures['turns']}, {figures['turns_per_second']}"),
        ("protocol steps a second", figures["steps_per_second"]),
        ("turns under way at once, at most", figures["most_under_way"]),
        ("lost", figures["lost"]),
        ("mixed", figures["mixed"]),
        ("failed", figures["failed"]),
        (
            "own ms a step: p50, p95, p99, max",
            ", ".join(str(figures[f"{name}_ms"]) for name in ("p50", "p95", "p99", "max")),
        ),
        ("p95 by tenth of the time", ", ".join(f"{each:.0f}" for each in figures["p95_ms_by_tenth"])),
        ("a whole turn p50 ms, MEMORY p95 ms", f"{figures['turn_p50_ms']}, {figures['memory_p95_ms']}"),
        ("processors that the web processes kept busy", figures["web_cpu_share"]),
        ("peak MB, growth", f"{figures['peak_mb']}, {figures['growth_mb']:+}"),
        ("asked for missed events", figures["followed"]),
        (
            "reconnected, interrupted, asked again",
            f"{figures['reconnected']}, {figures['interrupted']}, {figures['asked_again']}",
        ),
        ("interruption told after s, at most", figures["noticed_after_seconds"]),
    ]
    for name, value in rows:
        print(f"{name:<40} {value}")
    if figures["p95_ms"] > GOAL_MS:
        print(f"p95 is over the goal of {GOAL_MS} ms")
    for example in figures["examples"]:
        print(f"  {example}")


if __name__ == "__main__":
    main()
