"""Pairs in files from the command line: formats by name, filters, bad lines, exit codes, permissions."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from knowledge.models import Corpus
from tests.factories import CorpusFactory, DocumentFactory, ReflectionFactory, UserFactory
from tests.workbench import make_pair

pytestmark = pytest.mark.django_db
GOOD = '{"question": "Who?", "answer": "Ada."}\n'


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="handbook", name="Handbook")


def run(*arguments: str | Path) -> tuple[str, str]:
    said, complained = StringIO(), StringIO()
    call_command(*map(str, arguments), stdout=said, stderr=complained)
    return said.getvalue(), complained.getvalue()


def questions(path: Path) -> list[str]:
    return [json.loads(line)["question"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_an_export_is_written_whole_and_in_the_format_of_its_name(corpus: Corpus, tmp_path: Path) -> None:
    make_pair(corpus, "Who?")
    make_pair(CorpusFactory(), "Theirs?")
    assert run("export_pairs", "handbook", "--output", tmp_path / "pairs.csv")[0].startswith("1 pair in ")
    assert '"Who?"' in (tmp_path / "pairs.csv").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.csv"]


def test_an_export_takes_what_the_filters_let_through(corpus: Corpus, tmp_path: Path) -> None:
    chunk = DocumentFactory(corpus=corpus, name="atlas.md").chunks.get()
    make_pair(corpus, "Pending?", (chunk, 0, 3), (chunk, 4, 8))
    ReflectionFactory(corpus=corpus, question="Entity?", kind="entity", answer="Atlas")
    ReflectionFactory(corpus=corpus, question="Retired?", retired=True)

    def found(*filters: str) -> list[str]:
        run("export_pairs", "handbook", "--output", tmp_path / "out.jsonl", *filters)
        return questions(tmp_path / "out.jsonl")

    assert found() == ["Pending?", "Entity?", "Retired?"]
    assert found("--status", "pending") == found("--document", "atlas.md") == ["Pending?"]
    assert found("--kind", "entity") == found("--search", "atlas") == ["Entity?"]
    assert found("--retired", "true", "--status", "approved") == ["Retired?"]


def test_an_export_that_cannot_be_says_why(corpus: Corpus, tmp_path: Path) -> None:
    for arguments, reason in {
        ("--output", tmp_path / "pairs.json"): "Choose one with --format",
        ("--output", tmp_path / "none" / "pairs.csv"): "cannot be written",
        ("--output", tmp_path / "pairs.csv", "--document", "none.md"): "no document “none.md”",
    }.items():
        with pytest.raises(CommandError, match=reason):
            run("export_pairs", "handbook", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_what_was_exported_comes_in_by_the_command(corpus: Corpus, tmp_path: Path) -> None:
    make_pair(corpus, "Who?"), make_pair(corpus, "Where?")
    path = tmp_path / "pairs.json"
    run("export_pairs", "handbook", "--output", path, "--format", "sharegpt")
    assert run("import_pairs", "handbook", path)[0] == "0 added, 0 updated, 2 unchanged.\n"
    other = CorpusFactory(slug="other")
    assert run("import_pairs", "other", path)[0] == "2 added, 0 updated, 0 unchanged.\n"
    assert other.reflections.count() == 2


def test_bad_lines_end_with_exit_code_1_and_nothing_stored_unless_asked(
    corpus: Corpus, tmp_path: Path
) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(f"{GOOD}oops\n")
    complaints = StringIO()
    with pytest.raises(CommandError, match="1 line is bad; nothing was stored") as refusal:
        call_command("import_pairs", "handbook", str(path), stderr=complaints)
    assert refusal.value.returncode == 1
    assert f"{path}, line 2: This line is not JSON" in complaints.getvalue()
    assert not corpus.reflections.exists()
    with pytest.raises(CommandError, match="1 line is bad; the others are stored"):
        call_command(
            "import_pairs", "handbook", str(path), "--store-good", stderr=complaints, stdout=complaints
        )
    assert corpus.reflections.get().question == "Who?"


def test_a_dry_run_stores_nothing(corpus: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(GOOD)
    said, _ = run("import_pairs", "handbook", path, "--dry-run")
    assert said == "Nothing was stored. It would be: 1 added, 0 updated, 0 unchanged.\n"
    assert not corpus.reflections.exists()


def test_a_file_that_is_not_there_or_says_nothing_is_told(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run("import_pairs", "handbook", tmp_path / "none.csv")
    (tmp_path / "pairs.md").write_text("Hello")
    with pytest.raises(CommandError, match="Choose its format"):
        run("import_pairs", "handbook", tmp_path / "pairs.md")


@pytest.mark.parametrize("command", ["export_pairs", "import_pairs"])
def test_only_a_curator_takes_pairs_out_or_in(corpus: Corpus, tmp_path: Path, command: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(GOOD)
    arguments = ["handbook", "--output", path] if command == "export_pairs" else ["handbook", path]
    reader, stranger, curator = UserFactory(reads=corpus), UserFactory(), UserFactory(curates=corpus)
    with pytest.raises(CommandError, match="needs the role of curator"):
        run(command, *arguments, "--user", reader.username)
    with pytest.raises(CommandError, match="no corpus “handbook”"):
        run(command, *arguments, "--user", stranger.username)
    assert not corpus.reflections.exists()
    assert path.read_text() == GOOD
    run(command, *arguments, "--user", curator.username)
    if command == "import_pairs":
        assert corpus.reflections.get().reviewed_by == curator
