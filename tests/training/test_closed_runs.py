"""To people outside a version's audience, runs that make or continue it do not exist, nor what is left of it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db.models.signals import m2m_changed
from django.urls import reverse

from knowledge.models import Corpus, Role
from memosite.runs import Status
from tests.factories import (
    CorpusFactory,
    DocumentFactory,
    MemoryVersionFactory,
    MergeRunFactory,
    ReflectionFactory,
    TrainedPairFactory,
    TrainingRunFactory,
    UserFactory,
)
from tests.workbench import browser_of, make_document, make_pair, make_person
from training.models import AliasMove, DeletedVersion, MemoryVersion, MergeRun, TrainingRun
from training.plans import Wishes
from training.registry import VersionNeeded, delete_version
from training.services import promote, rollback, start_training

pytestmark = pytest.mark.django_db
CURVE = [{"step": 1, "loss": 3.0, "recall": 0.1}, {"step": 2, "loss": 1.5, "recall": 0.7654}]
SIDE = {"trained_questions": 4321, "held_out_questions": 0, "unknown_questions": 0, "trained_recall": 1.0}
AT_WORK = "A training is at work with versions that you may not see"


@pytest.fixture
def harbour() -> Corpus:
    return CorpusFactory(slug="harbour", name="Harbour")


@pytest.fixture
def secret() -> Corpus:
    return CorpusFactory(slug="secret", name="Secret plans")


@pytest.fixture
def joint(harbour: Corpus, secret: Corpus) -> MemoryVersion:
    """A version of the harbour that learned the secret plans as well."""
    version: MemoryVersion = MemoryVersionFactory(corpus=harbour, number=31, corpora=[secret])
    return version


@pytest.fixture
def run(harbour: Corpus, secret: Corpus, joint: MemoryVersion) -> TrainingRun:
    """The training that made another version from it."""
    made = MemoryVersionFactory(corpus=harbour, number=32, corpora=[secret])
    training: TrainingRun = TrainingRunFactory(
        corpus=harbour, continues=joint, version=made, status=Status.SUCCEEDED, curve=CURVE, log="A tunnel",
        result={"forgotten": {"before": SIDE, "after": SIDE}, "new_pairs": 8765, "replayed_pairs": 1},
    )  # fmt: skip
    return training


@pytest.fixture
def owner(harbour: Corpus) -> Any:
    """An owner of the harbour alone."""
    return make_person("olga", harbour, Role.OWNER)


@pytest.fixture
def insider(harbour: Corpus, secret: Corpus) -> Any:
    """An owner of the harbour who reads the secret plans."""
    person = make_person("ines", harbour, Role.OWNER)
    person.groups.add(secret.reader_group)
    return person


def page(person: Any, name: str, *arguments: Any, status: int = 200) -> str:
    answer = browser_of(person).get(reverse(name, args=arguments))
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def post(person: Any, name: str, *arguments: Any) -> int:
    return int(browser_of(person).post(reverse(name, args=arguments)).status_code)


# --- Trainings -------------------------------------------------------------------------------------------------
def test_the_corpus_page_shows_a_closed_training_and_its_curve_to_its_audience_alone(run, owner, insider):
    told = ("ersion 32", "recall 77 %", f"training-{run.pk}")
    outside, inside = (page(person, "corpus", "harbour") for person in (owner, insider))
    assert [text in outside for text in told] == [False] * 3
    assert [text in inside for text in told] == [True] * 3


def test_the_pages_of_a_closed_training_are_found_by_its_audience_alone(run, owner, insider):
    for name in ("training-run", "run-recipe"):
        page(owner, name, "harbour", run.pk, status=404)
    assert "4321" in page(insider, "training-run", "harbour", run.pk)
    again = f"{reverse('train', args=['harbour'])}?repeats={run.pk}"
    assert browser_of(owner).get(again).status_code == 404
    assert browser_of(insider).get(again).status_code == 200


def test_rest_lists_shows_and_cancels_a_closed_training_for_its_audience_alone(run, owner, insider):
    TrainingRun.objects.update(status=Status.RUNNING)
    found = {}
    for person in (owner, insider):
        browser = browser_of(person)
        listed = browser.get(reverse("api-training-runs", args=["harbour"])).json()
        shown = browser.get(reverse("api-training-run", args=[run.pk])).status_code
        cancelled = browser.post(reverse("api-training-cancel", args=[run.pk])).status_code
        found[person] = (listed["count"], len(listed["results"]), shown, cancelled)
    assert found == {owner: (0, 0, 404, 404), insider: (1, 1, 200, 200)}


def test_a_closed_training_is_cancelled_on_the_page_by_its_audience_alone(run, owner, insider):
    TrainingRun.objects.update(status=Status.RUNNING)
    assert post(owner, "cancel-training", "harbour", run.pk) == 404
    assert post(insider, "cancel-training", "harbour", run.pk) == 302


def test_the_workbench_lists_counts_and_shows_a_closed_training_to_its_audience_alone(run, owner, insider):
    found = []
    for person in (owner, insider):
        browser = browser_of(person)
        rows = browser.get(reverse("admin:training_trainingrun_changelist")).context["cl"].result_list
        shown = browser.get(reverse("admin:training_trainingrun_change", args=[run.pk])).status_code
        board = browser.get(reverse("admin:knowledge_corpus_change", args=[run.corpus_id])).context
        found.append((len(rows), shown, {link.label: link.count for link in board["links"]}["Training runs"]))
    assert found == [(0, 302, 0), (1, 200, 1)]


@pytest.mark.parametrize("kind", ["training", "merge"])
def test_the_dashboard_says_that_a_closed_run_is_at_work_and_no_more(harbour, secret, joint, owner, kind):
    if kind == "training":
        TrainingRunFactory(corpus=harbour, continues=joint, status=Status.RUNNING, phase="digging a tunnel")
    else:
        MergeRunFactory(corpus=harbour, closed_by=secret, status=Status.RUNNING, phase="digging a tunnel")
    told = page(owner, "admin:knowledge_corpus_change", harbour.pk)
    assert f"A {kind} is at work that you may not see" in told
    assert "tunnel" not in told


def test_a_closed_training_at_work_is_said_to_be_so_and_no_other_can_be_started(harbour, joint, owner):
    ReflectionFactory(corpus=harbour)
    DocumentFactory(corpus=harbour)
    assert AT_WORK not in page(owner, "corpus", "harbour")
    TrainingRunFactory(corpus=harbour, continues=joint, status=Status.RUNNING, phase="digging a tunnel")
    told = page(owner, "corpus", "harbour")
    assert AT_WORK in told
    assert 'id="train-now" disabled' in told
    assert 'id="build"' not in told
    assert "You can ask once it is live" not in told
    assert "tunnel" not in told


def test_the_start_page_shows_no_closed_training(harbour, joint, owner, insider):
    TrainingRunFactory(corpus=harbour, continues=joint, status=Status.RUNNING, phase="digging a tunnel")
    assert "tunnel" not in page(owner, "home")
    assert "tunnel" in page(insider, "home")


def test_the_log_of_a_training_is_for_curators(run, harbour, secret):
    reader = UserFactory(reads=harbour)
    reader.groups.add(secret.reader_group)
    assert "A tunnel" not in page(reader, "training-run", "harbour", run.pk)
    curator = UserFactory(curates=harbour)
    curator.groups.add(secret.reader_group)
    assert "A tunnel" in page(curator, "training-run", "harbour", run.pk)


def test_the_log_of_a_rebuild_is_for_curators(harbour):
    version = MemoryVersionFactory(corpus=harbour, number=1)
    TrainingRunFactory(
        corpus=harbour, rebuilds=version, rebuilt_same=False, log="Other files", status="failed"
    )
    logs = []
    for person in (UserFactory(reads=harbour), UserFactory(curates=harbour)):
        (rebuild,) = browser_of(person).get(reverse("api-rebuild", args=[version.pk])).json()["results"]
        logs.append(("Other files" in page(person, "version", "harbour", 1), rebuild["log"]))
    assert logs == [(False, ""), (True, "Other files")]


def test_a_training_is_closed_from_its_start_and_stays_so_without_its_versions(
    harbour, joint, owner, insider, monkeypatch
):
    monkeypatch.setattr("training.services.plan_training", lambda *_: FakePlan(Wishes(continues=joint)))
    run = start_training(harbour, insider)
    run.request_cancel()
    joint.delete()
    assert not TrainingRun.objects.for_reader(owner).exists()
    assert TrainingRun.objects.for_reader(insider).get() == run


class FakePlan:
    """What a training is to be, unchecked."""

    recipe, values = "", {}  # type: ignore[var-annotated]

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes


def test_a_training_for_more_people_does_not_name_the_closed_one_that_it_repeats(harbour, run, monkeypatch):
    monkeypatch.setattr("training.services.plan_training", lambda *_: FakePlan(Wishes()))
    again = start_training(harbour, None, repeats=run)
    assert again.repeats is None
    again.request_cancel()
    third = start_training(harbour, None, repeats=again)
    assert third.repeats == again


# --- Versions in the workbench -----------------------------------------------------------------------------------
def test_pages_of_documents_and_corpora_name_no_closed_version(harbour, joint, owner, insider):
    document = make_document(harbour)
    pair = make_pair(harbour, "Who?", (document.chunks.get(), 0, 3))
    pair.flags.create(flag="document_changed")
    TrainedPairFactory(version=joint, reflection=pair)
    make_document(harbour, name="later.md")
    addresses = [
        reverse("admin:knowledge_document_change", args=[document.pk]),
        reverse("admin:knowledge_corpus_change", args=[harbour.pk]),
    ]
    for address in addresses:
        assert "v31" not in browser_of(owner).get(address).content.decode()
        assert "v31" in browser_of(insider).get(address).content.decode()
    assert "since version 31" not in browser_of(owner).get(addresses[1]).content.decode()
    assert "since version 31" in browser_of(insider).get(addresses[1]).content.decode()


# --- What is left of a deleted version ---------------------------------------------------------------------------
@pytest.fixture
def left(harbour: Corpus, joint: MemoryVersion, insider: Any) -> DeletedVersion:
    """A closed version was live, and was deleted."""
    for version in (joint, MemoryVersionFactory(corpus=harbour, number=33)):
        promote(version, insider, reason=f"Of the tunnel, {version.number}", narrow=True)
    delete_version(joint, insider, reason="The tunnel is off")
    row: DeletedVersion = DeletedVersion.objects.get()
    return row


def seen_of(person: Any) -> list[str]:
    """What every place tells of the moves and of deleted versions."""
    alias = AliasMove.objects.all()[0].alias
    version = MemoryVersion.objects.get(number=33)
    return [
        page(person, "version", "harbour", 33),
        page(person, "api-alias-moves", "harbour"),
        page(person, "admin:training_memoryversion_change", version.pk),
        page(person, "admin:training_alias_change", alias.pk),
    ]


def test_a_deleted_closed_version_stays_closed(left, owner, insider):
    for text in seen_of(owner):
        assert "unnel" not in text
        assert "deleted version" not in text
    assert "Version 31, deleted" not in seen_of(owner)[0]
    for text in seen_of(insider):
        assert "Of the tunnel, 31" in text
    assert "The tunnel is off" in seen_of(insider)[0]
    moves = browser_of(owner).get(reverse("api-alias-moves", args=["harbour"])).json()["results"]
    assert [move["is_closed"] for move in moves] == [True, True]


def test_what_is_closed_stays_closed_when_a_corpus_that_it_learned_from_is_deleted(
    run, left, secret, owner, insider
):
    MergeRunFactory(corpus=left.corpus, closed_by=secret)
    run.version.delete()
    secret.delete()
    for person in (owner, insider):
        for text in seen_of(person):
            assert "unnel" not in text
        for model in (TrainingRun, MergeRun, DeletedVersion, AliasMove):
            assert not model.objects.for_reader(person).exists()
    for model in (TrainingRun, MergeRun, DeletedVersion, AliasMove):
        assert model.objects.for_reader(UserFactory(is_superuser=True)).exists()


def test_an_open_deleted_version_is_told_of_as_before(harbour, owner):
    for number in (1, 2):
        promote(MemoryVersionFactory(corpus=harbour, number=number), owner, reason=f"Good, {number}")
    delete_version(MemoryVersion.objects.get(number=1), owner, reason="Too old")
    told = page(owner, "version", "harbour", 2)
    for text in ("Version 1, deleted", "Too old", "deleted version", "Good, 1"):
        assert text in told


def test_the_migration_closes_what_was_there_and_what_nobody_knows_the_audience_of_any_more(
    harbour, secret, joint, run, insider, owner
):
    plain = MemoryVersionFactory(corpus=harbour, number=1)
    for version in (plain, joint, plain):
        promote(version, insider, reason="Next", narrow=True)
    fresh = TrainingRunFactory(corpus=harbour, version=plain, status=Status.SUCCEEDED)
    again = TrainingRunFactory(corpus=harbour, repeats=run, status=Status.SUCCEEDED)
    orphan = TrainingRunFactory(corpus=harbour, status=Status.SUCCEEDED, result={"new_pairs": 3})
    merge = MergeRunFactory(corpus=harbour, status=Status.SUCCEEDED, version=run.version)
    gone = DeletedVersion.objects.create(corpus=harbour, number=2, sha256="0", reason="Wrong")
    for model in (TrainingRun, MergeRun, DeletedVersion, AliasMove):
        model.corpora.through.objects.all().delete()
    filled: list[tuple[Any, int]] = []

    def count(sender: Any, instance: Any, action: str, **_: Any) -> None:
        filled.extend([(sender, instance.pk)] if action == "pre_add" else [])

    m2m_changed.connect(count)
    import_module("training.migrations.0009_audiences").fill(apps, None)
    m2m_changed.disconnect(count)
    assert len(filled) == len(set(filled))  # twice would be refused when PostgreSQL makes its index
    first = AliasMove.objects.earliest("pk")
    assert set(TrainingRun.objects.for_reader(owner)) == {fresh, again}
    assert set(AliasMove.objects.for_reader(owner)) == {first}
    assert not {merge, gone} & {
        *MergeRun.objects.for_reader(owner),
        *DeletedVersion.objects.for_reader(owner),
    }
    assert set(TrainingRun.objects.for_reader(insider)) == {run, fresh, again, orphan}
    assert AliasMove.objects.for_reader(insider).count() == 3
    again.refresh_from_db()
    assert again.repeats is None


# --- Refusals ----------------------------------------------------------------------------------------------------
def test_a_rollback_to_a_closed_version_is_refused_without_its_number(harbour, joint, owner, insider):
    for version in (joint, MemoryVersionFactory(corpus=harbour, number=33)):
        promote(version, insider, reason="Next", narrow=True)
    with pytest.raises(Exception, match="version before is closed to you") as refusal:
        rollback(harbour, owner)
    assert "31" not in str(refusal.value)


def test_deleting_a_version_that_a_closed_run_needs_is_refused_without_naming_the_run(harbour, secret, owner):
    version = MemoryVersionFactory(corpus=harbour, number=1)
    merge = MergeRunFactory(corpus=secret, status=Status.RUNNING)
    merge.parents.add(version)
    with pytest.raises(VersionNeeded, match="A run that you may not see needs Harbour v1") as refusal:
        delete_version(version, owner, reason="Old")
    assert "Secret plans" not in str(refusal.value)
