"""manage.py evaluate prints the table, writes files, and fails where the run or the gate does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.evaluation.contests import DOWN
from tests.factories import UserFactory
from training.models import EvaluationRun, EvaluationSet, GateRules

pytestmark = pytest.mark.django_db


def evaluate(capsys: Any, *arguments: str) -> str:
    call_command("evaluate", "harbour", "Leaders", *arguments)
    return str(capsys.readouterr().out)


def test_it_prints_the_table_and_the_comparison(leaders, specs, capsys):
    told = evaluate(capsys, "--version", "3", "--against", "bm25:top=1", "--here").splitlines()
    assert told[0].split()[:2] == ["contestant", "exact"]
    assert told[1].startswith("Memory, version 3 · Built-in rules  100 %")
    assert told[2].startswith("BM25 (top 1) · Built-in rules       20 %")
    assert told[3].startswith("BM25 (top 1) · Built-in rules: −80.0 (")
    hops = told.index("")  # behind it stands the table of a tag
    assert told[hops + 1].split()[:2] == ["hops", "questions"]
    assert [line.split()[:2] for line in told[hops + 2 :]] == [["1", "3"], ["2", "2"]]


def test_it_writes_the_run_in_each_form(leaders, specs, capsys, tmp_path):
    files = {name: tmp_path / f"run.{name}" for name in ("json", "csv", "html")}
    evaluate(capsys, "--here", *(text for name, path in files.items() for text in (f"--{name}", str(path))))
    assert len(json.loads(files["json"].read_text())["questions"]) == 5
    assert files["csv"].read_text().count("Memory, version 3") == 5
    assert files["html"].read_text().startswith("<!doctype html>")


def test_a_run_that_fails_ends_the_command_with_its_reason(leaders, specs, contest):
    contest.when_built = lambda: (_ for _ in ()).throw(DOWN)
    with pytest.raises(
        CommandError, match=r"failed\. Memory, version 3 cannot be asked: The server does not answer"
    ):
        call_command("evaluate", "harbour", "Leaders", "--here")


def test_it_leaves_the_work_to_the_worker(leaders, specs, capsys):
    assert "is queued" in evaluate(capsys, "--detach")
    assert EvaluationRun.objects.get().status == "queued"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--noisy", "1"], "Write LEVEL=NUMBER"),
        (["--noise", "much"], "no level of noise"),
        (["--version", "9"], "no version 9"),
        (["--against", "oracle"], "There is no contestant “oracle”"),
        (["--here", "--json", "/nowhere/run.json"], "cannot be written"),
    ],
)
def test_what_it_cannot_do_it_says(leaders, specs, arguments, told):
    with pytest.raises(CommandError, match=told):
        call_command("evaluate", "harbour", "Leaders", *arguments)


@pytest.mark.parametrize(
    ("baseline", "told"),
    [
        ("bm25:unit=foo", "choose one of: sentence, chunk, article"),
        ("bm25:top=0", "greater than or equal to 1"),
        ("bm25:depth=2", "has no option “depth”"),
        ("dense", "needs an embedding model"),
    ],
)
def test_options_that_the_worker_could_not_use_start_no_run(leaders, baseline, told):
    with pytest.raises(CommandError, match=told):
        call_command("evaluate", "harbour", "Leaders", "--against", baseline, "--here")
    assert not EvaluationRun.objects.exists()


def test_only_curators_evaluate(leaders, specs, corpus):
    UserFactory(username="rita", reads=corpus)
    with pytest.raises(CommandError, match="role of curator"):
        call_command("evaluate", "harbour", "Leaders", "--user", "rita")


def test_a_run_that_fails_prints_and_writes_what_the_others_found(leaders, specs, contest, capsys, tmp_path):
    def fail_at_first() -> None:
        if len(contest.built) == 1:
            raise DOWN

    contest.when_built = fail_at_first
    with pytest.raises(CommandError, match="Memory, version 3 cannot be asked"):
        evaluate(capsys, "--here", "--against", "bm25", "--json", str(tmp_path / "run.json"))
    told = capsys.readouterr().out
    assert "BM25 · Built-in rules" in told
    assert "Memory, version 3 · Built-in rules: was not asked to the end" in told
    assert json.loads((tmp_path / "run.json").read_text())


# --- The gate --------------------------------------------------------------------------------------------------
@pytest.fixture
def golden(leaders: EvaluationSet) -> EvaluationSet:
    """The set is must-pass."""
    GateRules.objects.create(corpus=leaders.corpus, golden_must_pass=True)
    EvaluationSet.objects.update(is_golden=True)
    return leaders


def test_with_the_gate_a_version_that_breaks_a_rule_ends_the_command_after_the_table(
    golden, specs, contest, capsys
):
    contest.answers["memory"] |= {"Who leads Project Atlas?": "Bo Marsh"}
    with pytest.raises(CommandError, match=r"The gate does not pass\. Harbour v3: Version 3 misses 1 of 5"):
        evaluate(capsys, "--here", "--gate")
    told = capsys.readouterr().out
    assert "Memory, version 3" in told
    assert "Harbour v3: FAILS  Golden sets: Version 3 misses 1 of 5 questions" in told


def test_with_the_gate_a_version_that_holds_every_rule_passes(golden, specs, capsys):
    assert "Harbour v3: holds  Golden sets" in evaluate(capsys, "--here", "--gate")


@pytest.mark.parametrize("missing", ["rules", "version"])
def test_with_the_gate_a_run_in_which_nothing_was_checked_does_not_pass(golden, specs, capsys, missing):
    chosen = ["--version", "--against", "bm25"] if missing == "version" else []
    if missing == "rules":
        GateRules.objects.all().delete()
    with pytest.raises(CommandError, match="Nothing was checked"):
        evaluate(capsys, "--here", "--gate", *chosen)


def test_the_gate_cannot_be_asked_before_the_result_is_there(golden, specs, capsys):
    with pytest.raises(CommandError, match="--gate waits for the result"):
        evaluate(capsys, "--detach", "--gate")
    assert not EvaluationRun.objects.exists()
