"""manage.py evaluate prints the table, writes files, and fails where the run or the gate does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.evaluation.contests import DOWN
from tests.factories import UserFactory
from training.lab.gate import Finding
from training.models import EvaluationRun

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


def test_it_writes_the_run_in_each_form(leaders, specs, capsys, tmp_path):
    files = {name: tmp_path / f"run.{name}" for name in ("json", "csv", "html")}
    evaluate(capsys, "--here", *(text for name, path in files.items() for text in (f"--{name}", str(path))))
    assert len(json.loads(files["json"].read_text())["questions"]) == 5
    assert files["csv"].read_text().count("Memory, version 3") == 5
    assert files["html"].read_text().startswith("<!doctype html>")


def test_a_run_that_fails_ends_the_command_with_its_reason(leaders, specs, contest):
    contest.when_built = lambda: (_ for _ in ()).throw(DOWN)
    with pytest.raises(CommandError, match=r"failed\. The server does not answer"):
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


# --- The gate --------------------------------------------------------------------------------------------------
@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What the gate finds."""
    found: list[Finding] = []
    monkeypatch.setattr("training.lab.run_gate.findings", lambda version: found)
    return found


def test_with_the_gate_a_version_that_breaks_a_rule_ends_the_command_after_the_table(
    leaders, specs, gate, capsys
):
    gate += [
        Finding("golden", True, "All golden questions are right."),
        Finding("recall", False, "Recall is 40 %."),
    ]
    with pytest.raises(CommandError, match=r"The gate does not pass\. Harbour v3: Recall is 40 %\."):
        evaluate(capsys, "--here", "--gate")
    assert "Memory, version 3" in capsys.readouterr().out


def test_with_the_gate_a_version_that_holds_every_rule_passes(leaders, specs, gate, capsys):
    gate.append(Finding("golden", True, "All golden questions are right."))
    assert "Memory, version 3" in evaluate(capsys, "--here", "--gate")
