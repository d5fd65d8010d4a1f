"""The did-it-learn map: what a version recalls of every passage, and more pairs for what it does not."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from knowledge.models import Corpus, GenerationRun
from memosite.errors import Conflict
from memosite.runs import RunCancelled
from tests.evaluation.lab import (
    ATLAS,
    ATLAS_AGAIN,
    BEACON,
    CURLEW,
    Memories,
    document_with,
    done,
    version_with,
)
from tests.factories import CorpusFactory, UserFactory
from training.lab.probes import probing
from training.lab.probes.learned import make_more_pairs, map_of, totals_of
from training.lab.probes.probing import start_probes
from training.lab.purposes import perform_probes
from training.models import MemoryVersion, ProbeRun, Recollection

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    corpus = CorpusFactory(slug="harbour", name="Harbour")
    document_with(corpus, "Atlas", ATLAS, ATLAS_AGAIN)
    document_with(corpus, "Beacon", BEACON)
    document_with(corpus, "Curlew", CURLEW)
    document_with(corpus, "Empty")
    return corpus


@pytest.fixture
def version(corpus: Corpus) -> MemoryVersion:
    """It was trained on Atlas and Beacon, with a wording held out; Curlew came later."""
    return version_with(corpus, ATLAS, ATLAS_AGAIN, BEACON, held_out=[ATLAS_AGAIN], live=True)


@pytest.fixture
def memories(monkeypatch: pytest.MonkeyPatch, version: MemoryVersion) -> Memories:
    """The version knows Atlas in the wording that it was trained on."""
    told = Memories()
    told.tell(version, ATLAS)
    monkeypatch.setattr(probing, "memory_for", told)
    return told


@pytest.fixture
def desk(corpus: Corpus) -> Client:
    client = Client()
    client.force_login(UserFactory(username="cara", curates=corpus))
    return client


def figures(version: MemoryVersion) -> dict[str, tuple[tuple[int, int], ...]]:
    """By document: right and asked of trained, held-out and new wordings."""
    return {
        document.title: tuple(
            (tally.right, tally.asked) for tally in (document.trained, document.held_out, document.new)
        )
        for document in map_of(version)
    }


def test_trained_held_out_and_later_pairs_are_told_apart(version, memories):
    done(start_probes(version))
    assert figures(version) == {
        "Atlas": ((1, 1), (0, 1), (0, 0)),
        "Beacon": ((0, 1), (0, 0), (0, 0)),
        "Curlew": ((0, 0), (0, 0), (0, 1)),
        "Empty": ((0, 0), (0, 0), (0, 0)),
    }


def test_memory_is_asked_each_question_once_however_often_one_looks(version, memories):
    done(start_probes(version))
    done(start_probes(version))
    asked = [question for batch in memories(version).asked for question in batch]
    assert sorted(asked) == sorted(question for question, _ in (ATLAS, ATLAS_AGAIN, BEACON, CURLEW))


def test_a_run_that_was_stopped_keeps_its_answers_and_asks_what_is_left(version, memories, monkeypatch):
    monkeypatch.setattr(probing, "BATCH", 1)
    run = start_probes(version)
    assert run.claim()
    memory = memories(version)

    class Cancelling:
        def answer(self, questions):
            if len(memory.asked) == 2:
                ProbeRun.objects.filter(pk=run.pk).update(cancel_requested=True)
            return memory.answer(questions)

    monkeypatch.setattr(probing, "memory_for", lambda version: Cancelling())
    with pytest.raises(RunCancelled):
        perform_probes(run)
    run.finish("cancelled")
    assert Recollection.objects.count() == 3
    monkeypatch.setattr(probing, "memory_for", memories)
    second = done(start_probes(version))
    assert (len(memory.asked), second.done, second.total) == (4, 4, 4)


def test_a_second_run_has_to_wait_for_the_first(version):
    start_probes(version)
    with pytest.raises(Conflict, match="already"):
        start_probes(version)


def test_weak_passages_are_those_recalled_below_the_limit_and_those_without_pairs(version, memories):
    done(start_probes(version))
    weak = {document.title: bool(document.weak(0.8)) for document in map_of(version)}
    assert weak == {"Atlas": True, "Beacon": True, "Curlew": False, "Empty": True}
    assert not next(each for each in map_of(version) if each.title == "Atlas").weak(0.5)
    assert totals_of(map_of(version))["weak"] == 3


def test_one_click_has_more_pairs_made_for_the_weak_passages(version, memories, corpus, desk):
    done(start_probes(version))
    answer = desk.post(reverse("more-pairs", args=["harbour", 1]), {"below": "80"})
    assert answer.status_code == 302
    run = GenerationRun.objects.get()
    titles = set(run.chunks.values_list("document__title", flat=True))
    assert (run.status, run.generator, titles) == ("queued", "rules", {"Atlas", "Beacon", "Empty"})


def test_the_pairs_that_come_of_it_are_pending_and_about_the_weak_passage(version, memories, corpus):
    from knowledge.generation import perform_generation

    done(start_probes(version))
    beacon = corpus.documents.get(title="Beacon").chunks.get()
    run = make_more_pairs(version, chunk=beacon.pk)
    assert run.claim()
    perform_generation(run)
    made = corpus.reflections.filter(last_run=run)
    assert made.exists()
    assert {(pair.status, pair.answer) for pair in made} == {("pending", BEACON[1])}


def test_before_all_was_asked_no_passage_is_called_weak(version):
    with pytest.raises(Conflict, match="Ask this version first"):
        make_more_pairs(version)


def test_where_nothing_is_weak_nothing_is_made(version, memories, corpus):
    corpus.documents.filter(title__in=["Empty", "Curlew"]).update(is_current=False)
    memories.tell(version, ATLAS, ATLAS_AGAIN, BEACON)
    done(start_probes(version))
    with pytest.raises(Conflict, match="no weak passage"):
        make_more_pairs(version)
    assert not GenerationRun.objects.exists()


def test_the_map_says_numbers_beside_colours_and_names_every_passage(version, memories, desk):
    done(start_probes(version))
    page = desk.get(reverse("did-it-learn", args=["harbour", 1])).content.decode()
    assert 'aria-label="Passage 1: 1 of 2 recalled, weak"' in page
    assert 'aria-label="Passage 1: only pairs that it never had"' in page
    assert "level-3" in page


def test_the_filter_leaves_documents_with_weak_passages(version, memories, desk):
    done(start_probes(version))
    page = desk.get(reverse("did-it-learn", args=["harbour", 1]), {"weak": "1", "below": "40"})
    assert {row[0].title for row in page.context["page"]} == {"Beacon", "Empty"}


def test_a_document_shows_what_the_version_says_to_each_pair(version, memories, desk, corpus):
    done(start_probes(version))
    document = corpus.documents.get(title="Beacon")
    page = desk.get(reverse("did-it-learn-document", args=["harbour", 1, document.pk])).content.decode()
    assert BEACON[0] in page
    assert "I don&#x27;t know" in page or "I don't know" in page
    assert "Not known" in page


def test_asking_starts_from_the_page_and_is_cancelled_there(version, desk):
    desk.post(reverse("did-it-learn", args=["harbour", 1]))
    run = ProbeRun.objects.get()
    assert run.created_by.username == "cara"
    desk.post(reverse("cancel-probes", args=["harbour", run.pk]))
    run.refresh_from_db()
    assert run.status == "cancelled"


def test_rest_gives_the_map(version, memories, desk):
    done(start_probes(version))
    told = desk.get(reverse("api-learned", args=[version.pk]), {"weak": "true"}).json()
    assert told["totals"]["trained"] == {"asked": 2, "right": 1}
    assert [each["title"] for each in told["documents"]] == ["Atlas", "Beacon", "Empty"]
    assert told["documents"][1]["passages"][0]["trained"] == {"asked": 1, "right": 0, "recall": 0.0}


def test_rest_refuses_a_limit_that_is_no_share(version, desk):
    answer = desk.get(reverse("api-learned", args=[version.pk]), {"below": "80"})
    assert (answer.status_code, "below" in answer.json()["errors"]) == (400, True)


def test_a_version_that_also_learned_from_a_foreign_corpus_has_no_map_for_its_curator(corpus, desk):
    closed = version_with(corpus, ATLAS, corpora=[CorpusFactory()])
    assert desk.get(reverse("did-it-learn", args=["harbour", closed.number])).status_code == 404
    assert desk.get(reverse("api-learned", args=[closed.pk])).status_code == 404
