"""A version that learned from several corpora is for people who read all of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.test import Client
from django.urls import reverse

from knowledge.models import Corpus, Role
from memosite.errors import Conflict, NotAllowed
from tests.factories import CorpusFactory, MemoryVersionFactory, TrainedPairFactory, UserFactory
from tests.workbench import browser_of, make_person
from training.audience import AudienceNarrowed, readers_lost
from training.models import AliasMove, MemoryVersion
from training.services import offer, promote, rollback

pytestmark = pytest.mark.django_db


@pytest.fixture
def harbour() -> Corpus:
    return CorpusFactory(slug="harbour", name="Harbour")


@pytest.fixture
def secret() -> Corpus:
    return CorpusFactory(slug="secret", name="Secret plans")


@pytest.fixture
def plain(harbour: Corpus) -> MemoryVersion:
    return MemoryVersionFactory(corpus=harbour, number=1, metrics={"recall": 0.5})


@pytest.fixture
def joint(harbour: Corpus, secret: Corpus, plain: MemoryVersion) -> MemoryVersion:
    """A version of the harbour that learned the secret plans as well."""
    version: MemoryVersion = MemoryVersionFactory(
        corpus=harbour, number=2, corpora=[secret], metrics={"recall": 0.77}
    )
    TrainedPairFactory(version=version, question="What is planned?", answer="A tunnel.")
    return version


@pytest.fixture
def owner(harbour: Corpus) -> Any:
    return make_person("olga", harbour, Role.OWNER)


@pytest.fixture
def insider(harbour: Corpus, secret: Corpus) -> Any:
    """An owner of the harbour who reads the secret plans."""
    person = make_person("ines", harbour, Role.OWNER)
    person.groups.add(secret.reader_group)
    return person


def get(client: Client, name: str, *arguments: Any, **query: Any) -> Any:
    return client.get(reverse(name, args=arguments), query)


def test_a_reader_of_one_corpus_alone_finds_the_version_nowhere(plain, joint, owner):
    browser = browser_of(owner)
    assert get(browser, "version", "harbour", 2).status_code == 404
    assert get(browser, "compare-versions", "harbour", a=1, b=2).status_code == 404
    assert get(browser, "api-version", joint.pk).status_code == 404
    assert get(browser, "api-compare", "harbour", a=1, b=2).status_code == 404
    listed = get(browser, "api-versions", "harbour").json()
    assert (listed["count"], [row["number"] for row in listed["results"]]) == (1, [1])
    for page in (get(browser, "corpus", "harbour"), get(browser, "version", "harbour", 1)):
        assert "Version 2" not in page.content.decode()
        assert "77 %" not in page.content.decode()


def test_a_reader_of_all_of_them_sees_it_and_what_it_learned_from(joint, insider):
    page = get(browser_of(insider), "version", "harbour", 2).content.decode()
    assert "Secret plans" in page
    assert "77 %" in page
    assert get(browser_of(insider), "api-version", joint.pk).json()["corpora"] == ["harbour", "secret"]


def test_the_workbench_hides_the_version_and_its_pairs(plain, joint, owner, insider):
    def rows(person: Any, model: str) -> int:
        listing = browser_of(person).get(reverse(f"admin:training_{model}_changelist"))
        return len(listing.context["cl"].result_list)

    promote(joint, reason="All in one", narrow=True)
    assert (rows(owner, "memoryversion"), rows(insider, "memoryversion")) == (1, 2)
    assert (rows(owner, "trainedpair"), rows(insider, "trainedpair")) == (0, 1)
    assert (rows(owner, "alias"), rows(insider, "alias")) == (0, 1)
    assert (
        browser_of(owner).get(reverse("admin:training_memoryversion_change", args=[joint.pk])).status_code
        == 302
    )
    corpus_page = reverse("admin:knowledge_corpus_change", args=[joint.corpus.pk])
    assert "live: v2" not in browser_of(owner).get(corpus_page).content.decode()
    assert "live: v2" in browser_of(insider).get(corpus_page).content.decode()


def test_going_live_is_refused_where_readers_would_be_shut_out_until_that_is_confirmed(joint, insider, owner):
    UserFactory(reads=joint.corpus)
    assert readers_lost(joint) == 2
    with pytest.raises(AudienceNarrowed, match="2 people who read “Harbour” but not those"):
        promote(joint, insider, reason="All in one")
    browser = browser_of(insider)
    answer = browser.post(
        reverse("api-promote", args=[joint.pk]), {"reason": "All in one"}, "application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "audience_narrowed")
    assert not AliasMove.objects.exists()
    assert 'name="narrow"' in get(browser, "version", "harbour", 2).content.decode()
    browser.post(reverse("promote-version", args=["harbour", 2]), {"reason": "All in one", "narrow": "on"})
    assert joint.is_live


def test_nobody_is_shut_out_where_all_readers_read_the_other_corpora(joint, insider):
    promote(joint, insider, reason="All in one")
    assert joint.is_live


def test_making_it_the_candidate_shuts_nobody_out(joint, owner):
    promote(joint, reason="Try it", alias="candidate")
    assert not joint.is_live


def test_a_training_that_is_to_go_live_stays_a_candidate_where_readers_would_be_shut_out(joint, owner):
    told = offer(joint, owner, go_live=True, reason="Training run 1 asked for it")
    assert "did not go live" in told
    assert [alias.name for alias in joint.aliases.all()] == ["candidate"]
    assert offer(joint, owner, go_live=True, reason="Again") == ""


def test_a_closed_live_memory_is_explained_instead_of_offered(joint, owner):
    promote(joint, reason="All in one", narrow=True)
    browser = browser_of(owner)
    for page in (get(browser, "home"), get(browser, "corpus", "harbour")):
        text = page.content.decode()
        assert "also learned from corpora that you may not read" in text
        assert 'id="ask' not in text
        assert "Version 2" not in text


def test_the_history_keeps_a_move_to_a_closed_version_without_number_and_reason(plain, joint, owner, insider):
    promote(plain, insider, reason="First")
    promote(joint, insider, reason="It knows of the tunnel", narrow=True)
    seen = get(browser_of(owner), "api-alias-moves", "harbour").json()["results"]
    assert [(move["from_version"], move["to_version"], move["reason"]) for move in seen] == [
        (1, None, ""),
        (None, 1, "First"),
    ]
    page = get(browser_of(owner), "version", "harbour", 1).content.decode()
    assert "1 → closed version" in page
    assert "tunnel" not in page
    assert "tunnel" in get(browser_of(insider), "version", "harbour", 1).content.decode()
    aliases = get(browser_of(owner), "api-aliases", "harbour").json()["results"]
    assert aliases == [{"name": "live", "version": None}]


def test_an_owner_goes_back_from_a_closed_version_but_not_to_one(plain, joint, owner, insider):
    for version in (joint, plain):
        promote(version, insider, reason="Next", narrow=True)
    assert "Roll back" not in get(browser_of(owner), "version", "harbour", 1).content.decode()
    with pytest.raises(NotAllowed, match="closed to you"):
        rollback(plain.corpus, owner)
    promote(joint, insider, reason="Again", narrow=True)
    assert rollback(plain.corpus, owner).to_version == plain


def test_a_person_on_the_command_line_cannot_promote_a_closed_version(joint, owner):
    with pytest.raises(CommandError, match="closed to you"):
        call_command("promote", "harbour", "2", "--user", "olga", "--narrow")
    call_command("promote", "harbour", "2", "--narrow")  # the operator of the site
    assert joint.is_live


def test_superusers_see_every_version(joint):
    assert MemoryVersion.objects.for_reader(UserFactory(is_superuser=True)).count() == 2


def test_a_corpus_that_another_corpus_s_version_learned_from_is_not_deleted(joint, secret):
    """Its readers would be forgotten, and the version open to everybody who reads the harbour."""
    with pytest.raises(Conflict, match="learned from “Secret plans”"), transaction.atomic():
        secret.delete()
    joint.delete()
    secret.delete()
