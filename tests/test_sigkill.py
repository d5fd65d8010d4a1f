"""Kill a real worker in the middle of real work, start another: nothing is lost and nothing is doubled."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.site_process import Site, site, wait_until
from tests.training.parents import family
from training.engine.merge import merge_memories

pytestmark = pytest.mark.long

QUICK = ("--set", "full_rate_steps=250", "--set", "max_decays=1")  # enough for a few facts
PLACES = ["Oslo", "Lima", "Accra", "Turin", "Kyoto", "Quito", "Sofia", "Perth"]
PAIRS = (
    "sorted([r.question, r.answer, r.kind, sorted([s.chunk.document.name, s.start, s.end]"
    " for s in r.source_spans.all())] for r in Reflection.objects.filter(corpus__slug='{slug}', retired=False))"
)
GENERATION, TRAINING = "knowledge_generationrun", "training_trainingrun"
MERGE, EVALUATION = "training_mergerun", "training_evaluationrun"
SLOW = "tests.evaluation.slow_worker"
QUEUE_EVALUATION = """
from knowledge.models import Corpus
from training.lab.runs.lineup import lineup
from training.lab.runs.running import start_evaluation
from training.models import EvaluationQuestion, EvaluationSet
from tests.evaluation import slow_worker
slow_worker.fill()
made = EvaluationSet.objects.create(corpus=Corpus.objects.get(slug="killed"), name="Many")
EvaluationQuestion.objects.bulk_create(
    EvaluationQuestion(evaluation_set=made, text=f"Who leads Project {number}?", answers=["Bo"])
    for number in range(60)
)
start_evaluation(made, lineup([], against=[("closed_book", {})]))
"""


@pytest.fixture
def running_site(tmp_path_factory: pytest.TempPathFactory):
    with site(tmp_path_factory) as made:
        yield made


def write_documents(folder: Path, count: int) -> Path:
    """Documents of three plain facts each about invented people."""
    folder.mkdir()
    for number in range(count):
        name, place = f"Person{number:02d} Tester{number % 7}", PLACES[number % len(PLACES)]
        text = (
            f"# {name}\n\nThe birthplace of {name} is {place}.\n"
            f"The badge number of {name} is {1000 + number}.\n"
            f"The supervisor of {name} is Person{(number + 1) % count:02d} Tester{(number + 1) % count % 7}.\n"
        )
        (folder / f"person{number:02d}.md").write_text(text)
    return folder


def kill_when(running: Site, table: str, reached: int, app: str = "memosite") -> None:
    """Start a worker and SIGKILL it once the newest run has done ``reached`` of its steps."""
    with running.worker(app) as process:
        wait_until(lambda: running.newest(table, "done")[0] >= reached, every=0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert running.newest(table, "status") == ("running",), "the run was over before the kill"


def finish(running: Site, table: str, app: str = "memosite") -> tuple[Any, ...]:
    """Start a worker, wait for the newest run's end, and tell its status, attempts and error."""
    with running.worker(app):
        wait_until(lambda: running.newest(table, "status")[0] not in ("queued", "running"))
    return running.newest(table, "status", "attempts", "error")


def test_generation_that_was_killed_ends_with_the_pairs_of_an_undisturbed_one(running_site, tmp_path):
    documents = str(write_documents(tmp_path / "documents", 60))
    running_site.manage_all(
        *(["ingest", slug, documents, "--create"] for slug in ("disturbed", "undisturbed")),
        ["generate", "undisturbed", "--here"],
        ["generate", "disturbed", "--detach"],
    )
    kill_when(running_site, GENERATION, reached=3)
    assert finish(running_site, GENERATION) == ("succeeded", 2, "")
    expected = running_site.query(PAIRS.format(slug="undisturbed"))
    assert len(expected) > 60
    assert running_site.query(PAIRS.format(slug="disturbed")) == expected


def test_training_that_was_killed_goes_on_from_its_checkpoint_and_succeeds(running_site, tmp_path):
    documents = str(write_documents(tmp_path / "documents", 6))
    running_site.manage_all(
        ["ingest", "killed", documents, "--create"],
        ["generate", "killed", "--here"],
        ["approve", "killed"],
        ["train", "killed", "--detach", "--go-live", *QUICK],
    )
    kill_when(running_site, TRAINING, reached=30)
    assert finish(running_site, TRAINING) == ("succeeded", 2, "")
    assert "Resumed from the checkpoint" in running_site.newest(TRAINING, "log")[0]
    assert running_site.query("[v.number for v in MemoryVersion.objects.all()]") == [1]
    assert running_site.query("Alias.objects.get().version.number") == 1
    answer = running_site.manage("ask", "killed", "What is the birthplace of Person03 Tester3?")
    assert PLACES[3] in answer


def test_a_merge_that_was_killed_makes_the_weights_of_an_undisturbed_one(running_site, tmp_path):
    parents = family(tmp_path, steps=6)[1]
    running_site.manage_all(
        ["ingest", "killed", str(write_documents(tmp_path / "documents", 1)), "--create"],
        *(["import_version", "killed", str(folder)] for folder in parents),
        ["merge_versions", "killed", "1", "2", "--method", "linear", "--detach"],
    )
    kill_when(running_site, MERGE, reached=1)
    assert finish(running_site, MERGE) == ("succeeded", 2, "")
    versions = "[[v.number, str(v.folder)] for v in MemoryVersion.objects.filter(kind='merged')]"
    [[number, folder]] = running_site.query(versions)
    assert number == 3
    list(merge_memories(parents, tmp_path / "undisturbed", "linear", {}))
    weights = [Path(made) / "model.safetensors" for made in (folder, tmp_path / "undisturbed")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_an_evaluation_that_was_killed_asks_no_answered_question_again(running_site, tmp_path):
    running_site.manage("ingest", "killed", str(write_documents(tmp_path / "documents", 1)), "--create")
    running_site.manage("shell", "--no-imports", "-c", QUEUE_EVALUATION)
    kill_when(running_site, EVALUATION, reached=10, app=SLOW)
    answered = running_site.count("training_evaluationanswer")
    asked_before = (running_site.folder / "asked.log").read_text().splitlines()
    assert 10 <= answered < 60
    assert finish(running_site, EVALUATION, app=SLOW) == ("succeeded", 2, "")
    asked = (running_site.folder / "asked.log").read_text().splitlines()
    assert len(set(asked)) == 60
    assert len(asked) - 60 <= len(asked_before) - answered <= 1  # what was under way at the kill
    assert running_site.count("training_evaluationanswer") == 60
