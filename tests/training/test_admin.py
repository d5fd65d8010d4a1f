"""Training runs, memory versions and aliases in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from knowledge.models import Corpus, Role
from memosite.runs import Status
from tests.factories import (
    CorpusFactory,
    MemoryVersionFactory,
    ReflectionFactory,
    TrainedPairFactory,
    TrainingRunFactory,
)
from tests.workbench import browser_of, make_person
from training.models import MemoryVersion, TrainingRun
from training.services import live_version, promote

pytestmark = pytest.mark.django_db
START = "/admin/training/trainingrun/add/"


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


@pytest.fixture
def owner(corpus: Corpus) -> Any:
    return make_person("olga", corpus, Role.OWNER)


@pytest.fixture
def desk(owner: Any) -> Client:
    """The admin as the owner uses it."""
    return browser_of(owner)


def address(version: MemoryVersion, name: str = "change") -> str:
    return reverse(f"admin:training_memoryversion_{name}", args=[version.pk])


def messages_of(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


# --- Runs --------------------------------------------------------------------------------------------------
def test_an_owner_starts_a_training_that_goes_live(corpus: Corpus, owner: Any, desk: Client) -> None:
    ReflectionFactory(corpus=corpus)
    response = desk.post(START, {"corpus": corpus.pk, "go_live": "on"})
    run = TrainingRun.objects.get()
    assert (run.corpus, run.created_by, run.go_live, run.status) == (corpus, owner, True, Status.QUEUED)
    assert response.status_code == 302


def test_a_curator_starts_a_training_but_is_not_offered_to_go_live(corpus: Corpus) -> None:
    ReflectionFactory(corpus=corpus)
    browser = browser_of(make_person("cara", corpus, Role.CURATOR))
    assert "go_live" not in browser.get(START).context["adminform"].form.fields
    browser.post(START, {"corpus": corpus.pk, "go_live": "on"})
    assert not TrainingRun.objects.get().go_live


def test_an_owner_of_one_corpus_cannot_take_another_live(corpus: Corpus, owner: Any, desk: Client) -> None:
    curated = CorpusFactory(slug="curated")
    owner.groups.add(curated.curator_group)
    ReflectionFactory(corpus=curated)
    response = desk.post(START, {"corpus": curated.pk, "go_live": "on"})
    assert "Only an owner" in response.content.decode()
    assert not TrainingRun.objects.exists()


def test_a_training_that_cannot_start_says_why(corpus: Corpus, desk: Client) -> None:
    assert "no approved pairs" in messages_of(desk.post(START, {"corpus": corpus.pk}, follow=True))
    assert not TrainingRun.objects.exists()


def test_train_on_the_corpus_page_queues_a_run(corpus: Corpus, desk: Client) -> None:
    ReflectionFactory(corpus=corpus)
    response = desk.post(reverse("admin:knowledge_corpus_train", args=[corpus.pk]))
    run = TrainingRun.objects.get()
    assert response["Location"] == reverse("admin:training_trainingrun_change", args=[run.pk])


def test_a_run_shows_the_newest_loss_and_recall(corpus: Corpus, desk: Client) -> None:
    curve = [{"step": 200, "loss": 1.5, "recall": 0.4}, {"step": 300, "loss": 0.25}]
    run = TrainingRunFactory(corpus=corpus, status=Status.RUNNING, curve=curve)
    page = desk.get(reverse("admin:training_trainingrun_change", args=[run.pk])).content.decode()
    assert "At step 300, loss 0.250, recall 40 %" in page


def test_a_training_is_cancelled(corpus: Corpus, desk: Client) -> None:
    run = TrainingRunFactory(corpus=corpus, status=Status.RUNNING)
    desk.post(reverse("admin:training_trainingrun_cancel", args=[run.pk]))
    run.refresh_from_db()
    assert run.cancel_requested


def test_the_corpus_page_counts_a_running_training_as_at_work(corpus: Corpus, desk: Client) -> None:
    TrainingRunFactory(corpus=corpus, status=Status.RUNNING)
    promote(MemoryVersionFactory(corpus=corpus, number=3), reason="first")
    page = desk.get(reverse("admin:knowledge_corpus_changelist")).content.decode()
    assert ">training<" in page
    assert ">v3<" in page


# --- Versions ----------------------------------------------------------------------------------------------
def test_a_version_shows_its_figures_and_how_many_pairs_it_saw(corpus: Corpus, desk: Client) -> None:
    metrics = {"recall": 0.987, "held_out_recall": 0.9}
    version = MemoryVersionFactory(corpus=corpus, metrics=metrics)
    for number, held_out in enumerate((False, False, True)):
        TrainedPairFactory(version=version, question=f"Q{number}?", answer="Ada.", held_out=held_out)
    response = desk.get(address(version))
    assert response.context["original"].n_pairs == 2
    assert [figure.text for figure in response.context["metrics"]] == ["99 %", "90 %"]
    assert "Recall on held-out wordings" in response.content.decode()


def test_promotion_needs_a_reason_and_keeps_it(corpus: Corpus, owner: Any, desk: Client) -> None:
    version = MemoryVersionFactory(corpus=corpus)
    assert "Say in a few words" in messages_of(desk.post(address(version, "promote"), follow=True))
    assert not corpus.aliases.exists()
    desk.post(address(version, "promote"), {"reason": "Better recall"})
    move = corpus.aliases.get().moves.get()
    assert (live_version(corpus), move.moved_by, move.reason) == (version, owner, "Better recall")
    assert "Better recall" in desk.get(address(version)).content.decode()


def test_promoting_the_live_version_again_is_refused(corpus: Corpus, desk: Client) -> None:
    version = MemoryVersionFactory(corpus=corpus)
    promote(version, reason="first")
    response = desk.post(address(version, "promote"), {"reason": "Again"}, follow=True)
    assert "is live already" in messages_of(response)


def test_rollback_is_one_click_on_the_live_version(corpus: Corpus, owner: Any, desk: Client) -> None:
    one, two = MemoryVersionFactory(corpus=corpus, number=1), MemoryVersionFactory(corpus=corpus, number=2)
    promote(one, reason="first"), promote(two, reason="second")
    assert "Roll back to v1" in desk.get(address(two)).content.decode()
    desk.post(address(two, "rollback"))
    assert live_version(corpus) == one
    assert corpus.aliases.get().moves.first().moved_by == owner


def test_rollback_from_a_version_that_is_not_live_any_more_changes_nothing(
    corpus: Corpus, desk: Client
) -> None:
    one, two = MemoryVersionFactory(corpus=corpus, number=1), MemoryVersionFactory(corpus=corpus, number=2)
    promote(one, reason="first"), promote(two, reason="second"), promote(one, reason="back")
    assert "is not live" in messages_of(desk.post(address(two, "rollback"), follow=True))
    assert live_version(corpus) == one


def test_there_is_no_way_back_from_the_first_version(corpus: Corpus, desk: Client) -> None:
    version = MemoryVersionFactory(corpus=corpus)
    promote(version, reason="first")
    assert "Roll back" not in desk.get(address(version)).content.decode()
    assert "no earlier version" in messages_of(desk.post(address(version, "rollback"), follow=True))


def test_curators_see_no_promotion_form(corpus: Corpus) -> None:
    browser = browser_of(make_person("cara", corpus, Role.CURATOR))
    version = MemoryVersionFactory(corpus=corpus)
    assert address(version, "promote") not in browser.get(address(version)).content.decode()


def test_versions_and_aliases_are_not_edited(corpus: Corpus, desk: Client) -> None:
    version = MemoryVersionFactory(corpus=corpus)
    alias = promote(version, reason="first").alias
    assert desk.post(address(version), {"base": "forged"}).status_code == 403
    alias_page = reverse("admin:training_alias_change", args=[alias.pk])
    assert desk.post(alias_page, {"version": version.pk}).status_code == 403
    assert "first" in desk.get(alias_page).content.decode()


def test_live_versions_can_be_filtered(corpus: Corpus, desk: Client) -> None:
    one, _ = MemoryVersionFactory(corpus=corpus, number=1), MemoryVersionFactory(corpus=corpus, number=2)
    promote(one, reason="first")
    listing = reverse("admin:training_memoryversion_changelist")
    assert list(desk.get(f"{listing}?live=1").context["cl"].result_list) == [one]


def test_the_pairs_of_a_version_are_listed_as_it_saw_them(corpus: Corpus, desk: Client) -> None:
    pair = ReflectionFactory(corpus=corpus)
    one, two = MemoryVersionFactory(corpus=corpus, number=1), MemoryVersionFactory(corpus=corpus, number=2)
    TrainedPairFactory(version=one, reflection=pair, question="As it was?", answer="Ada.")
    TrainedPairFactory(version=two, reflection=pair, question="As it is?", answer="Ada.")
    listing = reverse("admin:training_trainedpair_changelist")
    found = desk.get(f"{listing}?corpus=harbour&version={one.pk}").context["cl"].result_list
    assert [row.question for row in found] == ["As it was?"]
