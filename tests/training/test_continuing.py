"""Going on from a version: only what is new is learned, some of the old is replayed, and what is lost is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from knowledge.models import Corpus, ReviewStatus, Role
from memosite.errors import NotAllowed
from memosite.runs import Status, work_on
from tests.factories import CorpusFactory, MemoryVersionFactory, ReflectionFactory, UserFactory
from tests.training.test_engine import TINY, facts
from tests.training.trained import version_of
from tests.workbench import browser_of, make_person
from training.continuing import CONTINUED_RATE, Continued
from training.engine import artifact as artifacts
from training.engine.config import EngineConfig
from training.models import BaseModel, MemoryVersion, TrainingRun
from training.plans import BadPlan, Wishes, plan_training
from training.services import start_training
from training.supervisor import perform_training

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("warm_engines")]
SHORT = {"full_rate_steps": 40, "near_recall": 1.0, "max_decays": 1, "check_below": 0.01}


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour", name="Harbour")


def approve(corpus: Corpus, pairs: list[dict[str, str]]) -> None:
    rows = [ReflectionFactory.build(corpus=None, reflection_set=None) for _ in pairs]
    holder = ReflectionFactory(corpus=corpus).reflection_set
    corpus.reflections.all().delete()
    for row, pair in zip(rows, pairs, strict=True):
        row.corpus, row.reflection_set, row.key = corpus, holder, pair["id"]
        row.question, row.answer, row.fact = pair["question"], pair["answer"], pair["fact"]
        row.save()


@pytest.fixture
def version(artifact: Path, corpus: Corpus, settings: Any) -> MemoryVersion:
    """Version 1, and its pairs as approved rows whose numbers the artifact names."""
    approve(corpus, facts(6))
    version = version_of(artifact, settings.MEMORY_DIR, corpus=corpus)
    ids = {row.key: str(row.pk) for row in corpus.reflections.all()}
    file = version.folder / "pairs.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(line | {"id": ids[line["id"]]}) + "\n" for line in lines))
    manifest = json.loads((version.folder / "manifest.json").read_text())
    kept = {key: manifest[key] for key in manifest if key not in ("files", "sha256")}
    artifacts.complete(version.folder, kept)
    for pair in version.pairs.all():
        pair.reflection = corpus.reflections.get(question=pair.question)
        pair.save()
    return version


def learn_more(corpus: Corpus, count: int = 2) -> list[str]:
    """Approve the wordings of so many further facts; returns their questions."""
    rows = [
        ReflectionFactory(corpus=corpus, **{name: pair[name] for name in ("question", "answer", "fact")})
        for pair in facts(6 + count)[24:]
    ]
    return [row.question for row in rows]


def test_the_lesson_is_what_is_new_and_a_share_of_what_it_was_trained_on(corpus, version):
    new = learn_more(corpus)
    lesson = Continued(version).lesson(corpus, 0.25, seed=1)
    trained = version.pairs.filter(held_out=False)
    assert [pair.question for pair in lesson.new] == new
    assert len(lesson.replayed) == round(0.25 * trained.count())
    assert {pair.question for pair in lesson.replayed} <= set(trained.values_list("question", flat=True))
    assert lesson == Continued(version).lesson(corpus, 0.25, seed=1)
    assert not Continued(version).lesson(corpus, 0, seed=1).replayed


def test_nothing_is_replayed_that_was_taken_back_or_is_answered_otherwise_now(corpus, version):
    trained = list(version.pairs.filter(held_out=False))
    rejected, changed = (pair.reflection for pair in trained[:2])
    rejected.status = ReviewStatus.REJECTED
    rejected.save()
    type(changed).objects.filter(pk=changed.pk).update(answer="The home town is Oslo now.")
    lesson = Continued(version).lesson(corpus, 1.0, seed=1)
    assert [pair.answer for pair in lesson.new] == ["The home town is Oslo now."]
    assert len(lesson.replayed) == len(trained) - 2


def test_a_continued_training_starts_from_the_settings_of_its_version_at_a_lower_rate(corpus, version):
    learn_more(corpus)
    plan = plan_training(corpus, None, Wishes(continues=version, config={"seed": 5}))
    assert plan.values == {"seed": 5}
    assert plan.config.init == str(version.folder)
    assert plan.config.batch_size == version.config["batch_size"]
    assert plan.config.learning_rate == CONTINUED_RATE * version.config["learning_rate"]


@pytest.mark.parametrize("kind", ["merged", "imported"])
def test_the_first_continuation_of_any_version_is_at_half_the_rate(version, kind):
    MemoryVersion.objects.filter(pk=version.pk).update(kind=kind, config={"weights": [0.5, 0.5]})
    values = Continued(MemoryVersion.objects.get(pk=version.pk)).values
    assert values["learning_rate"] == CONTINUED_RATE * EngineConfig().learning_rate


def test_it_trains_a_child_that_knows_the_new_and_tells_what_was_forgotten(corpus, version):
    learn_more(corpus)
    other = CorpusFactory()
    version.corpora.add(other)
    run = start_training(corpus, None, Wishes(continues=version, config=SHORT, replay_share=0.5))
    work_on(run, perform_training)
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED, run.error
    child = run.version
    assert child is not None
    assert list(child.parents.all()) == [version]
    assert set(child.corpora.all()) == {corpus, other}
    told = run.result["forgotten"]
    trained, held_out = (version.pairs.filter(held_out=is_held_out).count() for is_held_out in (False, True))
    for side in ("before", "after"):
        assert (told[side]["trained_questions"], told[side]["held_out_questions"]) == (trained, held_out)
        assert 0 <= told[side]["trained_recall"] <= 1
    assert run.result["new_pairs"] == 8
    # It knows all that its parent knew, each pair once, and the rows that they come from.
    questions = list(child.pairs.values_list("question", flat=True))
    assert sorted(questions) == sorted(corpus.reflections.values_list("question", flat=True))
    assert not child.pairs.filter(reflection=None).exists()
    earlier = version.pairs.filter(held_out=True).values_list("digest", flat=True)
    assert set(earlier) <= set(child.pairs.filter(held_out=True).values_list("digest", flat=True))
    with pytest.raises(BadPlan, match="nothing new to learn"):
        plan_training(corpus, None, Wishes(continues=child))
    shown = browser_of(make_person("ona", corpus, Role.OWNER)).get(child.get_absolute_url())
    assert shown.status_code == 404  # it learned from the other corpus as well
    version.corpora.remove(other)
    child.corpora.remove(other)
    page = (
        browser_of(make_person("cara", corpus, Role.CURATOR)).get(child.get_absolute_url()).content.decode()
    )
    assert "What it forgot" in page


@pytest.mark.parametrize(
    ("wishes", "field", "message"),
    [
        ({}, "continues", "nothing new to learn"),
        ({"base_model": "Built in, large"}, "base", "another base"),
        ({"config": {"layers": 9}}, "layers", "keeps its own layers"),
        ({"config": {"size": "large"}}, "size", "leave it out"),
        ({"config": {"base": "Qwen/Qwen2.5-0.5B-Instruct"}}, "base", "leave it out"),
        ({"recipe": "paper-lora"}, "recipe", "keeps the recipe of its version"),
        ({"replay_share": 1.5}, "replay_share", "between 0 and 1"),
    ],
)
def test_what_cannot_be_continued_is_refused_and_changes_nothing(corpus, version, wishes, field, message):
    if "base_model" in wishes:
        base = BaseModel.objects.create(name=wishes["base_model"], source="built-in", location="large")
        wishes = wishes | {"base_model": base}
    if wishes:
        learn_more(corpus)
    with pytest.raises(BadPlan) as refusal:
        start_training(corpus, None, Wishes(continues=version, **wishes))
    assert message in refusal.value.problems[field][0]
    assert not TrainingRun.objects.exists()


def test_a_version_that_is_closed_to_the_person_cannot_be_continued(corpus, version):
    learn_more(corpus)
    version.corpora.add(CorpusFactory())
    curator = UserFactory(curates=corpus)
    with pytest.raises(NotAllowed, match="closed to you"):
        start_training(corpus, curator, Wishes(continues=version))
    browser = browser_of(make_person("cara", corpus, Role.CURATOR))
    answer = browser.post(reverse("api-train", args=["harbour"]), {"continues": 1}, "application/json")
    assert answer.status_code == 400
    assert "no version 1" in answer.json()["errors"]["continues"][0]


def test_a_version_whose_files_are_gone_cannot_be_continued(corpus):
    ReflectionFactory(corpus=corpus)
    with pytest.raises(BadPlan, match="not on this machine"):
        plan_training(corpus, None, Wishes(continues=MemoryVersionFactory(corpus=corpus, config=TINY)))
