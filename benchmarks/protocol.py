#!/usr/bin/env python
"""What a question costs with a language model as EXECUTIVE, what survives its failures, and how soon Stop works.

    python benchmarks/protocol.py [--json FILE]

The demo's documents become a trained memory on the way that people go. A local OpenAI-compatible server stands
for the EXECUTIVE: it follows a script and reads MEMORY's answers out of its prompts, so the round trips, the
prompts and their tokens (four characters each) are those of a model that always decides well. Three tables:

- hops: round trips and tokens of questions with one, two and three hops, and how many were answered right: as the
  built-in EXECUTIVE answers them from the pairs by heart;
- faults: each of ten misbehaviours of the server at each stage, and throughout. ``answer`` is the whole answer,
  ``best so far`` what is known, ``not known`` an honest refusal; an exception or an empty answer would be a
  failure;
- stop: milliseconds from Stop to the turn's end while the EXECUTIVE's server hangs: pressed in the process that
  answers, and in another one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from real_path import ROOT, build_memory, prepare, worker

CORPUS = "demo"
DOCUMENTS = ROOT / "knowledge" / "demo" / "documents"
TEAMS = ("Forecast", "Platform", "Buoy", "App", "Research", "Field", "Support", "Security")
STOPS = 10


def scripts() -> dict[int, dict[str, list[str]]]:
    """Questions by their number of hops, each with what has to be asked: ``{0}`` is what the first hop names."""
    leader, manager, home = "Who leads the {} team?", "Who is the manager of {0}?", "Where does {%d} live?"
    found: dict[int, dict[str, list[str]]] = {1: {}, 2: {}, 3: {}}
    for team in TEAMS:
        leads = leader.format(team)
        found[1][leads] = [leads]
        found[2][f"Where does the leader of the {team} team live?"] = [leads, home % 0]
        found[3][f"Where does the manager of the leader of the {team} team live?"] = [
            leads,
            manager,
            home % 1,
        ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memosite-benchmark-") as folder:
        prepare(Path(folder))
        with worker():
            built = build_memory(CORPUS, DOCUMENTS)
        from tests.llm_server import llm_server

        with llm_server() as server:
            endpoint_for(server)
            figures = {
                "memory": {"pairs": built["pairs"], "train_seconds": built["train_seconds"]},
                "hops": [hops_row(server, hops, asked) for hops, asked in scripts().items()],
                "faults": faults_table(server),
                "stop_ms": stop_table(server),
            }
    print_tables(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False))


def endpoint_for(server: Any) -> None:
    """The server as the demo's EXECUTIVE, by the rows that an administrator and an owner make."""
    from chat.models import ChatSettings
    from knowledge.models import Corpus
    from memosite.models import Endpoint, EndpointRole

    endpoint = Endpoint.objects.create(
        name="scripted",
        role=EndpointRole.EXECUTIVE,
        base_url=server.url,
        model="scripted",
        timeout_seconds=2,
        max_retries=1,
    )
    ChatSettings.objects.create(corpus=Corpus.objects.get(slug=CORPUS), executive=endpoint)


# --- Hops ---------------------------------------------------------------------------------------------------
def hops_row(server: Any, hops: int, asked: dict[str, list[str]]) -> dict[str, Any]:
    server.scripts = asked
    finals = [final_of(events_of(question)) for question in asked]
    right = [final_of(events_by_heart(question)) for question in asked]
    return {
        "hops": hops,
        "questions": len(asked),
        "round_trips": spread(final.calls for final in finals),
        "expected_round_trips": hops + 1,
        "prompt_tokens": spread(final.prompt_tokens for final in finals),
        "completion_tokens": spread(final.completion_tokens for final in finals),
        "right": sum(final.values == other.values for final, other in zip(finals, right, strict=True)),
    }


def events_of(question: str) -> list[Any]:
    """The events of a question to the trained memory, led by the scripted EXECUTIVE."""
    from chat.services import interrogate_once
    from knowledge.models import Corpus

    return list(interrogate_once(Corpus.objects.get(slug=CORPUS), question))


def events_by_heart(question: str) -> list[Any]:
    """What the built-in EXECUTIVE finds in a memory that is no model: it looks up the approved pairs."""
    from chat.executives import executive_named
    from chat.protocol.stream import blocking, interrogate
    from knowledge.models import Reflection
    from tests.fakes import PairMemory

    memory = PairMemory(list(Reflection.objects.values_list("question", "answer")))
    return list(blocking(interrogate(question, executive_named("rules"), memory)))


def final_of(events: Iterable[Any]) -> Any:
    *_, last = events
    assert last.type == "final", last
    return last.data


def spread(values: Iterable[float]) -> dict[str, float]:
    found = list(values)
    return {"min": min(found), "mean": round(statistics.mean(found), 1), "max": max(found)}


# --- Faults -------------------------------------------------------------------------------------------------
def faults_table(server: Any) -> list[dict[str, str]]:
    from tests.executive_script import STAGES
    from tests.llm_server import FAULTS

    server.scripts = scripts()[2]
    question = next(iter(server.scripts))
    whole = final_of(events_of(question)).text
    rows = []
    for fault in FAULTS:
        row = {"fault": fault}
        for stage in (*STAGES, "throughout"):
            server.faults_of_stage = dict.fromkeys(STAGES if stage == "throughout" else (stage,), fault)
            row[stage] = outcome(events_of(question), whole)
        server.faults_of_stage = {}
        rows.append(row)
    return rows


def outcome(events: list[Any], whole: str) -> str:
    last = events[-1]
    if last.type != "final":
        return f"FAILED: {last.type}"
    if not last.data.text.strip():
        return "FAILED: empty"
    if last.data.text == whole:
        return "answer"
    return "best so far" if last.data.known else "not known"


# --- Stop ---------------------------------------------------------------------------------------------------
def stop_table(server: Any) -> dict[str, dict[str, float]]:
    from tests.executive_script import STAGES

    server.faults_of_stage = dict.fromkeys(STAGES, "hang")
    found = {
        "in the same process": spread(stopped_after(server, elsewhere=False) for _ in range(STOPS)),
        "in another process": spread(stopped_after(server, elsewhere=True) for _ in range(STOPS)),
    }
    server.faults_of_stage = {}
    return found


def stopped_after(server: Any, *, elsewhere: bool) -> float:
    """Milliseconds from Stop to the end of a turn whose EXECUTIVE does not answer."""
    from django.contrib.auth import get_user_model

    from chat import services
    from knowledge.models import Corpus

    person, _ = get_user_model().objects.get_or_create(username="asker")
    corpus = Corpus.objects.get(slug=CORPUS)
    corpus.reader_group.user_set.add(person)
    conversation = services.start_conversation(corpus, person)
    turn = services.start_turn(conversation, next(iter(server.scripts)), person)
    return asyncio.run(_stopped_after(turn, elsewhere))


async def _stopped_after(turn: Any, elsewhere: bool) -> float:
    from asgiref.sync import sync_to_async

    from chat import runner, services

    answering = asyncio.create_task(runner.run(turn))
    await asyncio.sleep(0.5)  # the call to the EXECUTIVE is under way
    began = time.perf_counter()
    if elsewhere:
        await sync_to_async(services.request_stop)(turn)
    else:
        runner.stop_here(turn.conversation_id)
    last = await answering
    assert last is not None
    assert last.type == "stopped", last
    return round(1000 * (time.perf_counter() - began), 1)


# --- Tables -------------------------------------------------------------------------------------------------
def print_tables(figures: dict[str, Any]) -> None:
    heads = ("hops", "questions", "round trips", "expected", "prompt tokens", "reply tokens", "right")
    print("\n" + "".join(f"{head:>15}" for head in heads))
    for row in figures["hops"]:
        cells = [
            row["hops"],
            row["questions"],
            in_words(row["round_trips"]),
            row["expected_round_trips"],
            in_words(row["prompt_tokens"]),
            in_words(row["completion_tokens"]),
            f"{row['right']} of {row['questions']}",
        ]
        print("".join(f"{cell!s:>15}" for cell in cells))
    columns = list(figures["faults"][0])
    print("\n" + "".join(f"{column:<15}" for column in columns))
    for row in figures["faults"]:
        print("".join(f"{row[column]:<15}" for column in columns))
    print()
    for where, found in figures["stop_ms"].items():
        print(f"Stop pressed {where}: {in_words(found)} ms, {STOPS} times")


def in_words(found: dict[str, float]) -> str:
    low, mean, high = (f"{found[name]:g}" for name in ("min", "mean", "max"))
    return mean if low == high else f"{low}-{high}"


if __name__ == "__main__":
    main()
