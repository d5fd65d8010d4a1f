"""Knowledge diff: what one version learned and forgot against another, by document."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from knowledge.models import Corpus, Role
from tests.evaluation.lab import ATLAS, BEACON, CURLEW, Memories, document_with, done, version_with
from tests.factories import CorpusFactory, UserFactory
from tests.workbench import browser_of, make_person
from training.lab.probes import probing
from training.lab.probes.diff import KnowledgeDiff, diff_before_promotion
from training.lab.probes.probing import start_probes
from training.models import MemoryVersion, Purpose

pytestmark = pytest.mark.django_db

ATLAS_NOW = (ATLAS[0], "Di Venn leads Atlas.")
LOST = ("Who leads Dotterel?", "Ed Polk leads Dotterel.")


@pytest.fixture
def corpus() -> Corpus:
    corpus = CorpusFactory(slug="harbour", name="Harbour")
    document_with(corpus, "Atlas", ATLAS, ATLAS_NOW)
    document_with(corpus, "Others", BEACON, CURLEW)
    return corpus


@pytest.fixture
def two(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> tuple[MemoryVersion, MemoryVersion]:
    """The second answers Atlas otherwise, learned Curlew, and forgot what rests on no document any more."""
    a = version_with(corpus, ATLAS, BEACON, LOST, live=True)
    b = version_with(corpus, ATLAS_NOW, BEACON, CURLEW)
    memories = Memories()
    memories.tell(a, ATLAS, BEACON, LOST)
    memories.tell(b, ATLAS_NOW, BEACON, CURLEW)
    monkeypatch.setattr(probing, "memory_for", memories)
    return a, b


@pytest.fixture
def desk(corpus: Corpus) -> Client:
    client = Client()
    client.force_login(UserFactory(username="olga", owns=corpus))
    return client


def asked(two: tuple[MemoryVersion, MemoryVersion]) -> None:
    done(start_probes(two[0], purpose=Purpose.DIFF, other=two[1]))


def test_questions_of_either_are_learned_forgotten_changed_or_kept(two):
    asked(two)
    found = KnowledgeDiff(*two)
    assert found.counts() == {
        "learned": 1,
        "forgotten": 1,
        "outdated": 0,
        "changed": 1,
        "kept": 1,
        "neither": 0,
    }
    assert [each.question for each in found.of("learned")] == [CURLEW[0]]
    assert [each.question for each in found.of("forgotten")] == [LOST[0]]
    (changed,) = found.of("changed")
    assert (changed.before.text, changed.after.text) == (ATLAS[1], ATLAS_NOW[1])


def test_a_correction_that_did_not_arrive_is_outdated(two, corpus):
    asked(two)
    late = version_with(corpus, ATLAS_NOW)
    probing.memory_for.tell(late, ATLAS)
    asked((two[0], late))
    counts = KnowledgeDiff(two[0], late).counts()
    assert (counts["outdated"], counts["kept"]) == (1, 0)


def test_the_other_way_round_learned_and_forgotten_change_places(two):
    asked(two)
    counts = KnowledgeDiff(two[1], two[0]).counts()
    assert (counts["learned"], counts["forgotten"], counts["changed"]) == (1, 1, 1)


def test_it_is_told_by_document(two):
    asked(two)
    rows = {row.title: (row.learned, row.forgotten, row.changed) for row in KnowledgeDiff(*two).by_document()}
    assert rows == {"Atlas": (0, 0, 1), "Others": (1, 0, 0), "Without a document": (0, 1, 0)}


def test_answers_that_the_map_asked_for_are_used_and_missing_ones_counted(two):
    done(start_probes(two[1]))
    assert KnowledgeDiff(*two).missing == {"a": 4, "b": 1}
    asked(two)
    assert KnowledgeDiff(*two).is_complete


def test_what_was_not_put_to_both_is_not_told(two):
    done(start_probes(two[1]))
    assert sum(KnowledgeDiff(*two).counts().values()) == 0


def test_the_page_says_what_is_missing_and_asks_for_it(two, desk):
    address = f"{reverse('knowledge-diff', args=['harbour'])}?a=1&b=2"
    page = desk.get(address).content.decode()
    assert "Neither version was asked yet." in page
    assert desk.post(address).status_code == 302
    run = two[0].probed_by.get()
    assert (run.purpose, run.other) == (Purpose.DIFF, two[1])


def test_the_page_lists_the_questions_of_a_document(two, desk, corpus):
    asked(two)
    document = corpus.documents.get(title="Others")
    page = desk.get(
        reverse("knowledge-diff", args=["harbour"]),
        {"a": 1, "b": 2, "change": "learned", "document": document.pk},
    )
    assert [each.question for each in page.context["page"]] == [CURLEW[0]]
    assert page.context["document"].title == "Others"


@pytest.mark.parametrize("where", ["version", "gate", "workbench"])
def test_it_is_shown_wherever_the_version_can_go_live(two, corpus, where):
    desk = browser_of(make_person("otto", corpus, Role.OWNER))
    address = {
        "version": reverse("version", args=["harbour", 2]),
        "gate": f"{reverse('gate', args=['harbour'])}?version=2",
        "workbench": reverse("admin:training_memoryversion_change", args=[two[1].pk]),
    }[where]
    assert "was not measured yet" in desk.get(address).content.decode()
    asked(two)
    assert diff_before_promotion(two[0], two[1]) is not None
    assert "it learned 1 answer, forgot 1 and changed 1" in desk.get(address).content.decode()


def test_the_page_that_compares_two_versions_leads_to_it(two, desk):
    page = desk.get(reverse("compare-versions", args=["harbour"]), {"a": 1, "b": 2}).content.decode()
    assert f"{reverse('knowledge-diff', args=['harbour'])}?a=1&amp;b=2" in page


def test_rest_gives_counts_documents_and_questions(two, desk):
    asked(two)
    told = desk.get(reverse("api-knowledge-diff", args=["harbour"]), {"a": 1, "b": 2}).json()
    assert (told["questions"], told["missing"], told["counts"]["changed"]) == (4, {"a": 0, "b": 0}, 1)
    found = desk.get(
        reverse("api-knowledge-diff-questions", args=["harbour"]), {"a": 1, "b": 2, "change": "forgotten"}
    ).json()
    assert found["results"] == [{"question": LOST[0], "a": LOST[1], "b": None, "documents": []}]


def test_rest_refuses_a_change_that_there_is_not(two, desk):
    address = reverse("api-knowledge-diff-questions", args=["harbour"])
    assert desk.get(address, {"a": 1, "b": 2, "change": "worse"}).status_code == 400
