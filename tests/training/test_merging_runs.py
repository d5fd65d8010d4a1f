"""Merging versions by a run: from the checks at the start to the candidate, whatever happens in between."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge.models import Role
from memosite.errors import Conflict, NotAllowed
from memosite.runs import RunInterrupted, Status, work_on
from tests.factories import MergeRunFactory, UserFactory
from training import merging
from training.engine.merge_methods import BadMerge
from training.engine.merge_parents import IncompatibleParents
from training.exporting import ArtifactMissing
from training.merge_report import report_of
from training.merging import perform_merge, start_merge
from training.models import MemoryVersion, MergeRun, TrainedPair, VersionKind
from training.overview import knowledge_as_of
from training.registry import VersionNeeded, delete_version

pytestmark = [
    pytest.mark.django_db(transaction=True),  # a run at work has a thread with a connection of its own
    pytest.mark.usefixtures("warm_engines"),
]


def done(run: MergeRun) -> MergeRun:
    work_on(run, perform_merge)
    run.refresh_from_db()
    return run


# --- The whole way -------------------------------------------------------------------------------------------
def test_a_merge_becomes_the_candidate_with_its_lineage_pairs_and_figures(harbour, tower, parents, cara):
    run = done(start_merge(harbour, parents, "ties", {"weights": [1, 2]}, cara))
    assert (run.status, run.error) == (Status.SUCCEEDED, "")
    version = run.version
    assert (version.number, version.kind, version.method) == (2, VersionKind.MERGED, "ties")
    assert version.config == {"weights": [1.0, 2.0], "density": 0.3, "scale": 1.0}
    assert set(version.corpora.all()) == {harbour, tower}
    assert list(version.parents.order_by("pk")) == parents
    assert (version.licence, version.created_by) == ("apache-2.0", cara)
    assert version.size_bytes > 0 and version.parameters > 0 and version.data_sha256
    learned = set(TrainedPair.objects.filter(version__in=parents).values_list("question", "reflection"))
    kept = set(version.pairs.values_list("question", "reflection"))
    assert kept <= learned
    assert {question for question, _ in kept} == {
        question for question, _ in learned
    }  # once, where both have it
    assert knowledge_as_of(version) == parents[0].trained_at
    assert [alias.name for alias in version.aliases.all()] == ["candidate"]


def test_the_run_tells_what_is_left_of_each_parent_beside_what_retraining_costs(harbour, parents, cara):
    run = done(start_merge(harbour, parents, "linear", {}, cara))
    report = report_of(run.result)
    assert [parent.name for parent in report.parents] == ["Harbour v1", "Tower v1"]
    assert [exam["version"] for exam in run.result["exams"]] == [parent.pk for parent in parents]
    seconds = sum(parent.metrics["seconds"] for parent in parents)
    assert report.training_seconds == pytest.approx(seconds, abs=0.1)
    assert any("Tower v1: recall on trained" in line for line in report.lines())


def test_the_parents_keep_their_order_whatever_their_numbers(harbour, parents, cara):
    run = start_merge(harbour, parents[::-1], "linear", {"weights": [3, 1]}, cara)
    assert run.parents_in_order == parents[::-1]
    assert run.options == {"weights": [0.75, 0.25]}


# --- Refusals ------------------------------------------------------------------------------------------------
def test_a_curator_who_may_not_ask_a_parent_cannot_merge_it(harbour, tower, parents):
    outsider = UserFactory(curates=harbour)
    with pytest.raises(NotAllowed, match="Tower v1 is closed to you"):
        start_merge(harbour, parents, "linear", {}, outsider)
    assert not MergeRun.objects.exists()


def test_a_reader_cannot_merge_into_a_corpus(harbour, parents, cara):
    harbour.group(Role.CURATOR).user_set.remove(cara)
    harbour.group(Role.READER).user_set.add(cara)
    with pytest.raises(NotAllowed, match="role of curator"):
        start_merge(harbour, parents, "linear", {}, cara)


def test_a_right_that_was_lost_meanwhile_ends_the_run(harbour, tower, parents, cara):
    run = start_merge(harbour, parents, "linear", {}, cara)
    tower.group(Role.READER).user_set.remove(cara)
    assert done(run).status == Status.FAILED
    assert "closed to you" in run.error
    assert not run.folder.exists()


@pytest.mark.parametrize(
    ("chosen", "method", "options", "error", "message"),
    [
        ((0,), "linear", {}, BadMerge, "at least two"),
        ((0, 0), "linear", {}, BadMerge, "named twice"),
        ((0, 1), "average", {}, BadMerge, "no merge method"),
        ((0, 1), "linear", {"density": 0.5}, BadMerge, "takes no density"),
        ((0, 1), "ties", {"weights": [1, 1, 1]}, BadMerge, "2 parents and 3 weights"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(harbour, parents, chosen, method, options, error, message):
    with pytest.raises(error, match=message):
        start_merge(harbour, [parents[place] for place in chosen], method, options)
    assert not MergeRun.objects.exists()


def test_parents_that_do_not_fit_are_refused_at_once_and_nothing_changes(harbour, parents):
    config = parents[1].folder / "config.json"
    config.write_text(config.read_text().replace('"hidden_size": 64', '"hidden_size": 96'))
    with pytest.raises(IncompatibleParents, match="differ in hidden_size"):
        start_merge(harbour, parents, "linear", {})
    (parents[1].folder / "manifest.json").unlink()
    with pytest.raises(ArtifactMissing, match="not on this machine"):
        start_merge(harbour, parents, "linear", {})
    assert not MergeRun.objects.exists()


def test_one_merge_at_a_time_and_its_parents_cannot_be_deleted(harbour, parents):
    start_merge(harbour, parents, "linear", {})
    with pytest.raises(Conflict, match="already at work"):
        start_merge(harbour, parents, "ties", {})
    with pytest.raises(VersionNeeded, match=r"Merge .* needs Tower v1"):
        delete_version(parents[1], reason="old")
    assert MergeRun.objects.count() == 1


def test_an_altered_parent_fails_the_run_with_the_engine_s_words(harbour, parents):
    run = start_merge(harbour, parents, "linear", {})
    weights = parents[0].folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"0000")
    assert done(run).status == Status.FAILED
    assert "missing or was altered" in run.error
    assert MemoryVersion.objects.count() == 2


# --- Kill, resume, cancel ------------------------------------------------------------------------------------
def test_a_merge_that_was_stopped_between_its_steps_goes_on_and_makes_one_version(
    harbour, parents, monkeypatch
):
    run = start_merge(harbour, parents, "linear", {})
    report = MergeRun.report

    def stopped_while_asking(self: MergeRun, **values: Any) -> None:
        report(self, **values)
        if values.get("phase", "").startswith("asking"):
            raise RunInterrupted

    monkeypatch.setattr(MergeRun, "report", stopped_while_asking)
    assert done(run).status == Status.QUEUED
    assert run.done and not (run.folder / "COMPLETE").exists()
    monkeypatch.setattr(MergeRun, "report", report)
    follow = merging.follow_engine

    def stopped_after(*arguments: Any) -> None:
        follow(*arguments)
        raise RunInterrupted

    monkeypatch.setattr(merging, "follow_engine", stopped_after)
    assert done(run).status == Status.QUEUED
    monkeypatch.setattr(merging, "follow_engine", follow)
    monkeypatch.setattr(merging, "offer", lambda *_, **__: (_ for _ in ()).throw(RunInterrupted))
    assert done(run).status == Status.QUEUED
    assert run.version.number == 2
    monkeypatch.undo()
    assert done(run).status == Status.SUCCEEDED
    assert MemoryVersion.objects.filter(kind=VersionKind.MERGED).count() == 1


def test_a_worker_that_lost_its_run_registers_nothing_twice(harbour, parents):
    run = done(start_merge(harbour, parents, "linear", {}))
    late = MergeRun.objects.get(pk=run.pk)
    late.version = None
    assert merging.register_version(late, merging._origin(late, parents)) == run.version
    assert TrainedPair.objects.filter(version=run.version).count() == 64


def test_a_cancelled_merge_makes_no_version(harbour, parents):
    run = start_merge(harbour, parents, "linear", {})
    report = MergeRun.report

    def cancel_then_report(self: MergeRun, **values: Any) -> None:
        if values.get("done"):
            MergeRun.objects.filter(pk=self.pk).update(cancel_requested=True)
        report(self, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MergeRun, "report", cancel_then_report)
        assert done(run).status == Status.CANCELLED
    assert run.version is None and not (run.folder / "COMPLETE").exists()


# --- Who sees a merge ----------------------------------------------------------------------------------------
def test_a_merge_with_what_one_may_not_read_does_not_exist_for_one(harbour, tower, cara):
    run = MergeRunFactory(corpus=harbour, closed_by=tower)
    reader = UserFactory(reads=harbour)
    assert list(MergeRun.objects.for_reader(cara)) == [run]
    assert not MergeRun.objects.for_reader(reader).exists()
