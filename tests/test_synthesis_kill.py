"""Kill workers at random moments of a synthesis: the same pairs come out, and hardly a call is paid for twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.llm_server import LLMServer, llm_server
from tests.site_process import ROOT, Site, site, wait_until

pytestmark = pytest.mark.long

DOCUMENTS, KILLS, CONCURRENCY = 40, 20, 4
PAIRS = (
    "sorted([r.question, r.answer, r.kind, r.fact, r.entity, r.step, r.prompt_version, r.call.step, r.retired,"
    " sorted([s.chunk.document.name, s.start, s.end] for s in r.source_spans.all())]"
    " for r in Reflection.objects.filter(corpus__slug='{slug}'))"
)
#: Forks a worker for each line it reads, tells its process and, later, its end. The worker waits for the run to be
#: free and works on it. Forking saves twenty starts of Python.
NURSERY = """
import os, sys, time, django
django.setup()
from knowledge.generation import perform_generation
from knowledge.models import GenerationRun
from memosite.runs import work_on
for run in sys.stdin:
    child = os.fork()
    if child == 0:
        while (row := GenerationRun.objects.get(pk=int(run))).is_active:
            work_on(row, perform_generation)
            time.sleep(0.02)
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("over", flush=True)
"""
TABLE = "knowledge_generationrun"


def write_documents(folder: Path) -> str:
    """Documents whose people share their towns and their firms, so that step 5 has something to connect."""
    folder.mkdir()
    for number in range(DOCUMENTS):
        name = f"Person {chr(65 + number % 26)}{number} Tester"
        town = ("Oslo Harbour", "Lima Gardens", "Quito Fields")[number % 3]
        text = (
            f"{name} was born in {town} in {1900 + number}. {name} worked for the Firm Of Number "
            f"{number % 5} Limited. {name} wrote {number + 2} books about Bridges. {name} died in {1970 + number}."
        )
        (folder / f"person{number:02d}.md").write_text(f"# {name}\n\n{text}\n")
    return str(folder)


class Nursery:
    """Workers on demand, one at a time."""

    def __init__(self, running: Site) -> None:
        command = [sys.executable, "-c", NURSERY]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=running.environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def start(self, run: int) -> int:
        """Start a worker on a run; returns its process id."""
        assert self._process.stdin
        self._process.stdin.write(f"{run}\n")
        self._process.stdin.flush()
        return int(self._line())

    def wait(self) -> None:
        """Wait until the worker is gone."""
        assert self._line() == "over"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


def calls(server: LLMServer) -> int:
    return server.ledger.bodies.total()


def generate(running: Site, slug: str, documents: str) -> int:
    running.manage("ingest", slug, documents, "--create")
    running.manage("generate", slug, "--generator", "test", "--detach")
    return running.newest(TABLE, "id")[0]


def make_endpoint(running: Site, server: LLMServer) -> None:
    program = (
        "from memosite.models import Endpoint; Endpoint.objects.create(name='test', model='test',"
        f" base_url='{server.url}', concurrency={CONCURRENCY}, input_price=1, output_price=1)"
    )
    running.manage("shell", "--no-imports", "-c", program)


def test_twenty_kills_at_random_moments_change_no_pair_and_repay_at_most_the_calls_under_way(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    documents = write_documents(tmp_path / "documents")
    chance = random.Random(7)
    with llm_server(seconds=0.02) as server, site(tmp_path_factory, lease_seconds=1) as running:
        make_endpoint(running, server)
        nursery = Nursery(running)
        undisturbed = generate(running, "undisturbed", documents)
        nursery.start(undisturbed)
        nursery.wait()
        expected, needed = running.query(PAIRS.format(slug="undisturbed")), calls(server)
        assert {kind for _, _, kind, *_ in expected} >= {"direct", "entity", "cross_document", "unanswerable"}

        disturbed = generate(running, "disturbed", documents)
        lost = 0
        for _ in range(KILLS):
            kill_after(server, nursery, disturbed, calls_made=chance.randrange(1, needed // KILLS))
            lost, before = lost_calls(running, server), lost
            assert lost - before <= CONCURRENCY
        assert running.newest(TABLE, "status") == ("running",), "the run was over before the last kill"
        nursery.start(disturbed)
        nursery.wait()
        nursery.close()
        assert running.newest(TABLE, "status", "error") == ("succeeded", "")
        assert running.query(PAIRS.format(slug="disturbed")) == expected
        assert calls(server) == 2 * needed + lost
        assert server.ledger.most_under_way <= CONCURRENCY


def kill_after(server: LLMServer, nursery: Nursery, run: int, *, calls_made: int) -> None:
    """SIGKILL a worker once it has made so many calls, and wait until the server is done with those under way."""
    worker = nursery.start(run)
    goal = calls(server) + calls_made
    wait_until(lambda: calls(server) >= goal, every=0.002)
    os.kill(worker, signal.SIGKILL)
    nursery.wait()
    wait_until(lambda: server.ledger.under_way == 0, every=0.002)


def lost_calls(running: Site, server: LLMServer) -> int:
    """Calls that the server answered and nobody kept."""
    return calls(server) - running.count("knowledge_llmcall")


def test_two_celery_workers_share_a_run_and_the_endpoints_concurrency(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    documents = write_documents(tmp_path / "documents")
    with llm_server(seconds=0.05) as server, site(tmp_path_factory) as running:
        running.environment["GENERATION_WORKERS"] = "2"
        make_endpoint(running, server)
        with running.worker(), running.worker():
            generate(running, "shared", documents)
            wait_until(lambda: running.newest(TABLE, "status")[0] not in ("queued", "running"))
        assert running.newest(TABLE, "status", "error") == ("succeeded", "")
        assert server.ledger.most_under_way <= CONCURRENCY
        assert server.ledger.most_under_way > CONCURRENCY // 2, "both make calls"
        assert max(server.ledger.bodies.values()) == 1, "no call is made by both"
        workers = running.query("sorted(u.attempts for u in GenerationUnit.objects.all())")
        assert set(workers) == {1}, "no unit is done by both"
