"""The page of a training: its course while it runs, what was left out, the log, and what comes next."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from knowledge.models import Corpus, Role
from memosite.errors import Conflict
from memosite.runs import RunCancelled
from tests.factories import CorpusFactory, MemoryVersionFactory, ReflectionFactory, TrainingRunFactory
from tests.workbench import browser_of, make_person
from training import supervisor
from training.models import TrainingRun
from training.registry import delete_version
from training.services import resume_training
from training.supervisor import _progress

pytestmark = pytest.mark.django_db
CURVE = [
    {
        "step": step,
        "loss": 3 / step,
        "recall": step / 20,
        "held_out_recall": step / 25,
        "reworded_recall": step / 50,
        "tokens_per_second": 12_345,
    }
    for step in range(1, 11)
]


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour", name="Harbour")


@pytest.fixture
def run(corpus: Corpus) -> TrainingRun:
    """A training at work, with the file of its pairs."""
    made: TrainingRun = TrainingRunFactory(
        corpus=corpus, status="running", phase="training", done=10, total=40, seconds_left=90, curve=CURVE
    )
    made.folder.parent.mkdir(parents=True, exist_ok=True)
    made.folder.with_suffix(".pairs.jsonl").write_text("{}")
    return made


def page_of(run: TrainingRun, role: Role = Role.CURATOR, **headers: str) -> str:
    browser = browser_of(
        make_person(f"{role}{run.corpus.training_runs.count()}{bool(headers)}", run.corpus, role)
    )
    answer = browser.get(reverse("training-run", args=["harbour", run.pk]), headers=headers)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_it_shows_how_far_the_training_is(run):
    page = page_of(run)
    for told in ("10 of 40", "about 2 min left", "12,345 tokens per second", "loss 0.300"):
        assert told in page
    assert "recall 50 %, held out 40 %, in other forms 20 %" in page
    assert page.count("<polyline") == 4
    assert "Cancel" in page


def test_it_asks_for_its_changing_part_every_second_while_it_runs_and_rarely_afterwards(run):
    part = page_of(run, **{"HX-Request": "true"})
    assert "<html" not in part
    assert 'hx-trigger="every 1s"' in part
    TrainingRun.objects.update(status="succeeded")
    assert 'hx-trigger="every 15s"' in page_of(run)


def test_each_point_of_the_curve_keeps_the_speed(run):
    event = {"event": "progress", "step": 11, "steps": 40, "loss": 1.0, "tokens_per_second": 900}
    assert _progress(run, event)["curve"][-1] == {"step": 11, "loss": 1.0, "tokens_per_second": 900}


def test_pairs_that_were_left_out_are_counted_and_the_too_long_ones_named_to_curators(run, corpus):
    pair = ReflectionFactory(corpus=corpus, question="What does the whole long treaty say?")
    run.result = {"left_out": 3, "too_long": [str(pair.pk)], "max_tokens": 1024}
    run.save()
    told = "1 pair longer than 1,024 tokens left out"
    page = page_of(run)
    assert "3 contradicting pairs left out" in page
    assert told in page
    assert pair.question in page
    reader = page_of(run, Role.READER)
    assert told in reader
    assert pair.question not in reader


def test_the_end_of_the_engines_log_is_for_curators(run, settings):
    settings.MEMORY_DIR.mkdir(parents=True, exist_ok=True)
    lines = [f"line {number}" for number in range(2_000)]
    (settings.MEMORY_DIR / f"{run.folder_name}.log").write_text("\n".join(lines))
    page = page_of(run)
    assert "line 1999" in page
    assert "line 500\n" not in page
    assert "line 1999" not in page_of(run, Role.READER)


def test_curators_get_the_command_the_recipe_and_the_way_to_run_it_again(run):
    run.config = {"seed": 6}
    run.save()
    page = page_of(run)
    assert "--recipe" not in page
    assert "--set seed=6" in page
    assert f"{reverse('train', args=['harbour'])}?repeats={run.pk}" in page
    reader = page_of(run, Role.READER)
    assert "seed=6" not in reader
    assert "Run again" not in reader


def test_the_recipe_of_a_run_is_a_yaml_file(run, corpus):
    browser = browser_of(make_person("cara", corpus, Role.CURATOR))
    answer = browser.get(reverse("run-recipe", args=["harbour", run.pk]))
    assert answer["Content-Type"].startswith("application/yaml")
    assert answer.content.decode().startswith("seed: 1 ")


def test_what_was_forgotten_is_shown_with_the_figures_before_and_after(run, corpus):
    side: dict[str, Any] = {"trained_questions": 20, "held_out_questions": 0, "unknown_questions": 9}
    before = side | {"trained_recall": 1.0, "held_out_recall": None, "false_answer_rate": 0.1}
    after = before | {"trained_recall": 0.75}
    version = MemoryVersionFactory(corpus=corpus)
    run.continues, run.version = version, MemoryVersionFactory(corpus=corpus)
    run.result = {"forgotten": {"before": before, "after": after}, "new_pairs": 4, "replayed_pairs": 6}
    run.save()
    browser = browser_of(make_person("cara", corpus, Role.CURATOR))
    for address in (reverse("training-run", args=["harbour", run.pk]), run.version.get_absolute_url()):
        page = browser.get(address).content.decode()
        assert "What it forgot" in page
        assert "Of what version 1 knew" in page
        assert "<td>100 %</td><td>75 %</td>" in page


def test_a_training_that_failed_goes_on_from_its_checkpoint(run, corpus):
    TrainingRun.objects.update(status="failed", error="The disk is full.", finished_at=timezone.now())
    resume = reverse("resume-training", args=["harbour", run.pk])
    assert resume in page_of(run)
    assert resume not in page_of(run, Role.READER)
    assert browser_of(make_person("mia", corpus, Role.CURATOR)).post(resume).status_code == 302
    run.refresh_from_db()
    assert (run.status, run.error, run.finished_at, run.done) == ("queued", "", None, 10)


def test_a_failed_training_does_not_go_on_beside_another_one(run, corpus):
    failed = TrainingRunFactory(corpus=corpus, status="failed")
    desk = browser_of(make_person("mia", corpus, Role.CURATOR))
    refusal = desk.post(reverse("api-training-resume", args=[failed.pk]))
    assert (refusal.status_code, "Another training is at work" in refusal.json()["detail"]) == (409, True)
    TrainingRun.objects.filter(pk=run.pk).update(status="cancelled")
    cancelled = desk.post(reverse("api-training-resume", args=[run.pk]))
    assert (cancelled.status_code, "only a failed one" in cancelled.json()["detail"]) == (409, True)
    assert desk.post(reverse("api-training-resume", args=[failed.pk])).status_code == 202


def test_a_training_that_is_to_go_live_is_resumed_by_owners_alone(run, corpus):
    TrainingRun.objects.update(status="failed", go_live=True, done=0)
    resume = reverse("api-training-resume", args=[run.pk])
    assert browser_of(make_person("mia", corpus, Role.CURATOR)).post(resume).status_code == 403
    assert browser_of(make_person("olga", corpus, Role.OWNER)).post(resume).status_code == 202
    run.refresh_from_db()
    assert "Resumed by olga" in run.log


def test_a_failed_training_whose_version_or_files_are_gone_does_not_go_on(run, corpus):
    old = MemoryVersionFactory(corpus=corpus, number=1)
    TrainingRun.objects.update(status="failed", continues=old)
    run.refresh_from_db()
    run.folder.with_suffix(".pairs.jsonl").unlink()
    with pytest.raises(Conflict, match="checkpoint of this run was removed"):
        resume_training(run)
    TrainingRun.objects.update(done=0)
    delete_version(old, reason="Wrong")
    run.refresh_from_db()
    assert not run.is_resumable
    with pytest.raises(Conflict, match="what it needs is gone"):
        resume_training(run)


def test_what_a_resumed_training_makes_is_for_the_audience_of_the_run(run, corpus, monkeypatch):
    secret = CorpusFactory()
    run.corpora.add(secret)
    run.folder.mkdir(parents=True)
    (run.folder / "manifest.json").write_text("{}")
    monkeypatch.setattr(supervisor, "register_version", lambda run, origin: origin)
    assert set(supervisor._register_version(run).corpora) == {corpus, secret}


def test_a_cancelled_training_leaves_nothing_but_its_log(run, settings, monkeypatch):
    def cancelled(*arguments: Any) -> None:
        (run.folder / "checkpoint").mkdir(parents=True)
        run.folder.with_suffix(".log").write_text("what it did")
        raise RunCancelled

    ReflectionFactory(corpus=run.corpus)
    TrainingRun.objects.update(status="queued")
    assert run.claim()
    monkeypatch.setattr(supervisor, "follow_engine", cancelled)
    with pytest.raises(RunCancelled):
        supervisor.perform_training(run)
    assert [path.name for path in settings.MEMORY_DIR.iterdir()] == [f"{run.folder_name}.log"]


def test_a_run_of_another_corpus_is_not_found_here(run):
    other = TrainingRunFactory()
    browser = browser_of(make_person("cara", run.corpus, Role.CURATOR))
    assert browser.get(reverse("training-run", args=["harbour", other.pk])).status_code == 404
