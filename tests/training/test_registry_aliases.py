"""The aliases: live and candidate, who moved them and why, by page, REST, workbench and command."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse

from knowledge.models import Corpus, Role
from tests.factories import CorpusFactory, MemoryVersionFactory
from tests.workbench import browser_of, make_person
from training.models import MemoryVersion
from training.services import UnknownAlias, offer, promote

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


@pytest.fixture
def owner(corpus: Corpus) -> Any:
    return make_person("olga", corpus, Role.OWNER)


@pytest.fixture
def version(corpus: Corpus) -> MemoryVersion:
    return MemoryVersionFactory(corpus=corpus)


def test_a_new_version_becomes_the_candidate_and_the_move_says_who_made_it(version, owner):
    assert offer(version, owner, go_live=False, reason="Training run 7 made it") == "It is the candidate now."
    move = version.corpus.aliases.get(name="candidate").moves.get()
    assert (move.to_version, move.moved_by, move.reason) == (version, owner, "Training run 7 made it")


def test_a_new_version_that_goes_live_leaves_the_candidate_where_it_is(corpus, version, owner):
    offer(version, owner, go_live=False, reason="first")
    newer = MemoryVersionFactory(corpus=corpus)
    assert offer(newer, owner, go_live=True, reason="second") == "It is live now."
    assert newer.is_live
    assert corpus.aliases.get(name="candidate").version == version


def test_offering_a_version_twice_moves_its_alias_once(version, owner):
    offer(version, owner, go_live=False, reason="first")
    offer(version, owner, go_live=False, reason="first")
    assert version.corpus.aliases.get().moves.count() == 1


def test_the_page_makes_a_version_the_candidate_and_shows_it(version, owner):
    browser = browser_of(owner)
    address = reverse("promote-version", args=["harbour", 1])
    browser.post(address, {"reason": "Worth a try", "alias": "candidate"})
    page = browser.get(version.get_absolute_url()).content.decode()
    assert ">Candidate<" in page
    assert "Worth a try" in page
    assert not version.is_live


def test_rest_moves_either_alias_by_number_and_lists_both(version, owner):
    browser = browser_of(owner)
    for name in ("live", "candidate"):
        address = reverse("api-alias", args=["harbour", name])
        answer = browser.put(address, {"version": 1, "reason": "Good"}, "application/json")
        assert (answer.status_code, answer.json()["to_version"]) == (200, 1)
    listed = browser.get(reverse("api-aliases", args=["harbour"])).json()["results"]
    assert listed == [{"name": "candidate", "version": 1}, {"name": "live", "version": 1}]
    shown = browser.get(reverse("api-version", args=[version.pk])).json()
    assert (shown["is_live"], shown["is_candidate"]) == (True, True)


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("staging", {"version": 1, "reason": "Good"}, 404),
        ("live", {"version": 9, "reason": "Good"}, 404),
        ("live", {"version": 1}, 400),
        ("live", {"version": 1, "reason": "x" * 301}, 400),
    ],
)
def test_rest_refuses_what_is_not_there_or_has_no_reason(version, owner, name, body, status):
    address = reverse("api-alias", args=["harbour", name])
    assert browser_of(owner).put(address, body, "application/json").status_code == status
    assert not version.aliases.exists()


@pytest.mark.parametrize("reason", [" ", "x" * 301], ids=["none", "too long to keep"])
@pytest.mark.parametrize("command", ["promote", "delete_version"])
def test_commands_refuse_what_no_history_could_keep_as_a_reason(version, command, reason):
    with pytest.raises(CommandError, match="Say in one sentence, of 300 characters at most, why"):
        call_command(command, "harbour", "1", "--reason", reason)
    assert not version.aliases.exists()
    version.refresh_from_db()


def test_there_are_no_other_aliases(version):
    with pytest.raises(UnknownAlias, match="live and candidate"):
        promote(version, reason="try", alias="staging")


def test_the_workbench_moves_the_candidate(version, owner):
    address = reverse("admin:training_memoryversion_promote", args=[version.pk])
    page = browser_of(owner).post(address, {"reason": "Worth a try", "alias": "candidate"}, follow=True)
    assert version.aliases.get().name == "candidate"
    assert "This version is the candidate" in page.content.decode()


def test_the_command_moves_the_candidate_and_takes_the_move_back(corpus, version, capsys):
    MemoryVersionFactory(corpus=corpus)
    call_command("promote", "harbour", "1", "--alias", "candidate")
    call_command("promote", "harbour", "2", "--alias", "candidate", "--reason", "better")
    call_command("promote", "harbour", "--rollback", "--alias", "candidate")
    assert version.aliases.get().name == "candidate"
    assert "is the candidate now" in capsys.readouterr().out
