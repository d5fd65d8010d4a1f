"""Commands with ``--user``: they act with that person's permissions, and say clearly what a person may not do."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from chat.management.commands import ask
from chat.protocol.events import Event, FinalAnswer
from knowledge.models import Corpus, Document, GenerationRun, Reflection, Role
from tests.factories import (
    CorpusFactory,
    DocumentFactory,
    MemoryVersionFactory,
    ReflectionFactory,
    UserFactory,
)
from tests.workbench import ROLE_ARGUMENTS
from training.models import Alias, AliasMove, TrainingRun

pytestmark = pytest.mark.django_db

# Every command on a corpus, the role that it needs, and the role below it (nothing: no role at all).
COMMANDS = {
    "ask": (["handbook", "Who leads Project Atlas?"], Role.READER, None),
    "ingest": (["handbook", "{file}"], Role.CURATOR, Role.READER),
    "generate": (["handbook", "--detach"], Role.CURATOR, Role.READER),
    "generate to go live": (["handbook", "--go-live", "--detach"], Role.OWNER, Role.CURATOR),
    "approve": (["handbook"], Role.CURATOR, Role.READER),
    "train": (["handbook", "--detach"], Role.CURATOR, Role.READER),
    "train to go live": (["handbook", "--go-live", "--detach"], Role.OWNER, Role.CURATOR),
    "promote": (["handbook", "1"], Role.OWNER, Role.CURATOR),
}


@pytest.fixture
def corpus() -> Corpus:
    """A corpus on which every command has something to do."""
    corpus = CorpusFactory(slug="handbook", name="Handbook")
    DocumentFactory(corpus=corpus)
    ReflectionFactory(corpus=corpus)
    ReflectionFactory(corpus=corpus, status="pending")
    MemoryVersionFactory(corpus=corpus)
    return corpus


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "team.md"
    path.write_text("# Team\n\nAda Lund leads Project Atlas.")
    return path


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that reached a MEMORY, which knows one answer."""
    questions: list[str] = []
    final = FinalAnswer(text="Ada Lund.", values=["Ada Lund"], known=True, sub_queries=[], justification="")

    def interrogate_once(corpus: Corpus, question: str, *options: object) -> list[Event]:
        questions.append(question)
        return [Event(seq=1, data=final)]

    monkeypatch.setattr(ask, "interrogate_once", interrogate_once)
    return questions


def run_command(command: str, file: Path, user: str) -> str:
    """What the command says as this user."""
    arguments = [argument.format(file=file) for argument in COMMANDS[command][0]]
    output = StringIO()
    call_command(command.split()[0], *arguments, "--user", user, stdout=output, stderr=output)
    return output.getvalue()


def everything() -> list[Any]:
    """All that a command could change."""
    models = (Corpus, Document, Reflection, GenerationRun, TrainingRun, Alias, AliasMove)
    return [list(model.objects.order_by("pk").values()) for model in models]


def person_with(role: Role | None, corpus: Corpus) -> str:
    roles = {ROLE_ARGUMENTS[role]: corpus} if role else {}
    return UserFactory(username="ben", **roles).username


@pytest.mark.parametrize("command", COMMANDS)
def test_a_user_without_the_role_is_refused_with_exit_code_1_and_nothing_changes(
    command: str, corpus: Corpus, file: Path, asked: list[str]
) -> None:
    _, needed, below = COMMANDS[command]
    name, before = person_with(below, corpus), everything()
    with pytest.raises(CommandError) as refusal:
        run_command(command, file, name)
    assert refusal.value.returncode == 1
    clear = f"needs the role of {needed} in the corpus “Handbook”" if below else "no corpus “handbook”"
    assert clear in str(refusal.value)
    assert everything() == before
    assert asked == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_user_with_the_role_goes_through(
    command: str, corpus: Corpus, file: Path, asked: list[str]
) -> None:
    name, before = person_with(COMMANDS[command][1], corpus), everything()
    assert run_command(command, file, name)
    assert everything() != before or asked == ["Who leads Project Atlas?"]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_user_name_is_told_and_nothing_changes(
    command: str, corpus: Corpus, file: Path, asked: list[str]
) -> None:
    before = everything()
    with pytest.raises(CommandError, match="There is no user “nobody”") as refusal:
        run_command(command, file, "nobody")
    assert refusal.value.returncode == 1
    assert everything() == before
    assert asked == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_user_whose_account_is_closed_is_refused_whatever_the_role(
    command: str, corpus: Corpus, file: Path, asked: list[str]
) -> None:
    person = UserFactory(username="ben", owns=corpus, is_active=False)
    before = everything()
    with pytest.raises(CommandError, match="The account of “ben” is closed"):
        run_command(command, file, person.username)
    assert everything() == before
    assert asked == []


def test_a_corpus_of_others_is_not_named_to_a_user_who_may_not_read_it(corpus: Corpus, file: Path) -> None:
    CorpusFactory(slug="secret-plans")
    with pytest.raises(CommandError, match="Known: none yet") as refusal:
        run_command("ask", file, UserFactory().username)
    assert "secret-plans" not in str(refusal.value)


def test_what_a_user_does_is_kept_under_the_users_name(corpus: Corpus, file: Path) -> None:
    owner = UserFactory(owns=corpus)
    for command in ("ingest", "approve", "generate", "train", "promote"):
        run_command(command, file, owner.username)
    assert corpus.documents.get(name="team.md").uploaded_by == owner
    assert set(corpus.reflections.values_list("reviewed_by", flat=True)) == {None, owner.pk}
    assert GenerationRun.objects.get().created_by == owner
    assert TrainingRun.objects.get().created_by == owner
    assert AliasMove.objects.get().moved_by == owner


def test_only_an_administrator_makes_a_corpus_with_ingest(file: Path) -> None:
    ben, root = UserFactory(username="ben"), UserFactory(username="root", is_superuser=True)
    arguments = ["new-corpus", str(file), "--create", "--user"]
    with pytest.raises(CommandError, match="Only an administrator makes a corpus"):
        call_command("ingest", *arguments, ben.username, stdout=StringIO())
    assert not Corpus.objects.exists()
    call_command("ingest", *arguments, root.username, stdout=StringIO())
    assert Corpus.objects.get().documents.get().uploaded_by == root


def test_promote_back_needs_the_owner_too(corpus: Corpus) -> None:
    curator = UserFactory(curates=corpus)
    with pytest.raises(CommandError, match="needs the role of owner"):
        call_command("promote", "handbook", "--rollback", "--user", curator.username)
