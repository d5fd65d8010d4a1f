"""A training is checked as a whole before it begins: base, recipe, numbers, disk, memory."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.urls import reverse

from knowledge.models import Corpus, Role
from tests.factories import CorpusFactory, ReflectionFactory
from tests.workbench import browser_of, make_person
from training import launching, plans
from training.choices import wishes_from
from training.engine.config import build_config, read_yaml
from training.engine.recipes import RECIPES
from training.models import BaseModel, MemoryVersion, TrainingRun
from training.plans import BadPlan, NothingToTrain, Wishes, plan_training, values_of
from training.services import start_training
from training.supervisor import _engine_command, _register_version

pytestmark = pytest.mark.django_db
QWEN = "Qwen/Qwen2.5-0.5B-Instruct"


@pytest.fixture
def corpus() -> Corpus:
    corpus = CorpusFactory(slug="harbour", name="Harbour")
    for number in range(3):
        ReflectionFactory.create_batch(2, corpus=corpus, fact=f"fact {number}")
    return corpus


@pytest.fixture
def qwen() -> BaseModel:
    return BaseModel.objects.get(location=QWEN)


@pytest.fixture
def curator(corpus: Corpus) -> Any:
    return make_person("cara", corpus, Role.CURATOR)


def test_without_wishes_a_model_from_scratch_is_planned_in_a_size_for_the_facts(corpus):
    plan = plan_training(corpus)
    assert (plan.recipe, plan.values, plan.amounts) == ("from-scratch", {}, (3, 6))
    assert plan.config == build_config({})
    assert plan.forecast is not None
    assert plan.forecast.size == "small"


def test_a_pretrained_base_is_trained_by_lora_at_its_pinned_revision_unless_asked_otherwise(corpus, qwen):
    qwen.revision = "a" * 40
    plan = plan_training(corpus, None, Wishes(qwen, config={"lora_rank": 8}))
    assert (plan.recipe, plan.values) == ("lora", {"lora_rank": 8})
    assert (plan.config.base, plan.config.revision, plan.config.method) == (QWEN, "a" * 40, "lora")
    assert plan.forecast is None
    assert plan_training(corpus, None, Wishes(qwen, "paper-full")).config.method == "full"


def test_a_built_in_base_decides_the_size(corpus):
    large = BaseModel.objects.get(location="large")
    assert plan_training(corpus, None, Wishes(large)).config.size == "large"


def test_values_that_are_those_of_the_preset_are_no_changes(corpus, qwen):
    whole = build_config(Wishes(qwen, "lora").preset()).model_dump(mode="json")
    assert plan_training(corpus, None, Wishes(qwen, "lora", whole)).values == {}


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        ({"recipe": "no-such"}, "recipe", "no recipe “no-such”"),
        ({"recipe": "paper-lora"}, "recipe", "for a pretrained base"),
        ({"base": QWEN, "recipe": "from-scratch"}, "recipe", "is a pretrained base"),
        ({"base": "no/such"}, "base", "no base “no/such”"),
        ({"config": {"learning_rte": 1}}, "learning_rte", "there is no key"),
        ({"config": {"learning_rate": -1}}, "learning_rate", "greater than 0"),
        ({"config": {"heads": 0}}, "heads", "greater than or equal to 1"),
        ({"config": {"method": "lora"}}, "method", "LoRA needs a base"),
        ({"config": {"hidden_size": 65, "heads": 4}}, "hidden_size", "even multiple"),
        ({"config": {"max_steps": 5}}, "max_steps", "adaptive schedule has no max_steps"),
        ({"config": {"init": "/etc"}}, "init", "choice under “continues”"),
        ({"config": {"tokenizer": "/etc"}}, "tokenizer", "choice under “base”"),
        ({"config": {"base": "/etc"}}, "base", "not offered here"),
        ({"yaml": "- a list"}, "yaml", "must hold keys and values"),
        ({"yaml": "a: [1"}, "yaml", "cannot be read as YAML"),
        ({"continues": 7}, "continues", "no version 7"),
    ],
)
def test_each_mistake_is_told_at_its_field_by_rest_and_changes_nothing(
    corpus, curator, asked, field, message
):
    for name in ("api-train", "api-train-check"):
        answer = browser_of(curator).post(reverse(name, args=["harbour"]), asked, "application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_plan")
        assert message in " ".join(answer.json()["errors"][field])
    assert not TrainingRun.objects.exists()


def test_several_mistakes_are_told_together(corpus):
    with pytest.raises(BadPlan) as refusal:
        plan_training(corpus, None, Wishes(config={"learning_rate": -1, "dropout": 1, "layers": "x"}))
    assert refusal.value.problems.keys() == {"learning_rate", "dropout", "layers"}


def test_a_corpus_without_approved_pairs_has_nothing_to_train():
    with pytest.raises(NothingToTrain):
        plan_training(CorpusFactory())


def test_a_base_that_is_not_offered_any_more_is_refused(corpus, qwen):
    qwen.is_offered = False
    with pytest.raises(BadPlan, match="not offered any more"):
        plan_training(corpus, None, Wishes(qwen))


def test_a_training_that_the_disk_has_no_room_for_is_refused(corpus, qwen, monkeypatch, tmp_path):
    free = shutil.disk_usage(tmp_path)._replace(free=10_000_000)
    monkeypatch.setattr(plans.shutil, "disk_usage", lambda _: free)
    with pytest.raises(BadPlan, match="GB on the disk") as refusal:
        plan_training(corpus, None, Wishes(qwen, "full"))
    assert refusal.value.problems.keys() == {"base"}


def test_a_base_that_the_memory_has_no_room_for_is_warned_of_but_not_refused(corpus, qwen, monkeypatch):
    monkeypatch.setattr(plans, "free_memory", lambda: 2 * 10**9)
    monkeypatch.setattr(launching, "free_gpu_memory", list)
    (warning,) = plan_training(corpus, None, Wishes(qwen, "full")).warnings
    assert "about 7.9 GB of memory, and 2.0 GB are free" in warning
    monkeypatch.setattr(plans, "free_memory", lambda: 9 * 10**9)
    assert plan_training(corpus, None, Wishes(qwen, "full")).warnings == []


def test_gpus_count_together_where_a_training_can_be_spread_over_them(corpus, qwen, monkeypatch):
    monkeypatch.setattr(launching, "free_gpu_memory", lambda: [3 * 10**9] * 4)
    assert plan_training(corpus, None, Wishes(qwen, "full")).warnings == []
    (warning,) = plan_training(corpus, None, Wishes(qwen, "full", {"average": 0.9})).warnings
    assert "and 3.0 GB are free" in warning


def test_a_run_is_spread_over_the_devices_where_one_cannot_hold_it_and_stays_so(
    corpus, qwen, monkeypatch, settings
):
    settings.MEMORY_DIR.mkdir(parents=True)
    settings.TRAINING_DEVICES = 4
    run = start_training(corpus, None, Wishes(qwen, "full"))
    run.claim()
    pairs = run.folder.with_suffix(".pairs.jsonl")
    monkeypatch.setattr(launching, "free_gpu_memory", lambda: [3 * 10**9] * 4)
    assert "--use_fsdp" in _engine_command(run, pairs)
    monkeypatch.setattr(launching, "free_gpu_memory", lambda: [80 * 10**9] * 4)
    run.refresh_from_db()
    assert "--use_fsdp" in _engine_command(run, pairs)  # its checkpoint is made so
    run.result.clear()
    assert "--multi_gpu" in _engine_command(run, pairs)


def test_the_command_and_the_yaml_train_the_same(corpus, qwen):
    plan = plan_training(corpus, None, Wishes(qwen, "lora", {"seed": 7, "lora_targets": ["q_proj"]}))
    assert "--recipe lora" in plan.command
    assert "--set seed=7" in plan.command
    assert "batch_size" not in plan.command  # as in the preset
    assert build_config(read_yaml(plan.yaml)) == plan.config
    again = plan_training(corpus, None, wishes_from(corpus, None, yaml=plan.yaml))
    assert again.config == plan.config
    assert again.wishes.base_model == qwen


def test_the_run_keeps_what_was_asked_and_the_engine_gets_every_value(corpus, qwen, settings):
    first = TrainingRun.objects.create(corpus=corpus, status="failed")
    run = start_training(corpus, None, Wishes(qwen, "paper-lora", {"epochs": 2}), repeats=first)
    run.refresh_from_db()
    assert (run.base_model, run.recipe, run.config, run.repeats) == (qwen, "paper-lora", {"epochs": 2}, first)
    settings.MEMORY_DIR.mkdir(parents=True)
    run.claim()
    command = _engine_command(run, run.folder.with_suffix(".pairs.jsonl"))
    given = json.loads((settings.MEMORY_DIR / f"{run.folder_name}.pairs.config.json").read_text())
    assert command[-1].endswith(".pairs.config.json")
    assert given == values_of(run) | {"lora_targets": list(given["lora_targets"])}
    preset = RECIPES["paper-lora"].values
    assert (given["base"], given["epochs"], given["accumulate"]) == (QWEN, 2, preset["accumulate"])


def test_the_version_keeps_base_licence_and_configuration_and_the_base_its_revision(corpus, qwen):
    run = start_training(corpus, None, Wishes(qwen))
    origin = {"source": "hub", "location": QWEN, "revision": "b" * 40}
    manifest = {"base": "Qwen", "base_model": origin, "method": "lora", "config": {"seed": 1}, "metrics": {}}
    manifest |= {"sha256": "0" * 64, "data_sha256": "1" * 64}
    run.folder.mkdir(parents=True)
    (run.folder / "manifest.json").write_text(json.dumps(manifest))
    (run.folder / "pairs.jsonl").write_text("")
    version = _register_version(run)
    assert (version.base_model, version.licence, version.config) == (qwen, "apache-2.0", {"seed": 1})
    qwen.refresh_from_db()
    assert qwen.revision == "b" * 40


def test_rest_checks_a_plan_and_starts_it(corpus, curator):
    browser = browser_of(curator)
    asked = {"base": "Qwen2.5 0.5B Instruct", "config": {"seed": 3}}
    plan = browser.post(reverse("api-train-check", args=["harbour"]), asked, "application/json").json()
    assert (plan["base"], plan["recipe"], plan["facts"], plan["pairs"]) == (asked["base"], "lora", 3, 6)
    assert not TrainingRun.objects.exists()
    sent = {"yaml": plan["yaml"]}
    answer = browser.post(reverse("api-train", args=["harbour"]), sent, "application/json")
    assert answer.status_code == 202
    told = browser.get(reverse("api-training-run", args=[answer.json()["id"]])).json()
    assert (told["base"], told["recipe"], told["config"]) == (asked["base"], "lora", {"seed": 3})
    assert yaml.safe_load(told["yaml"]) == yaml.safe_load(plan["yaml"])
    assert told["command"] == plan["command"]


def test_rest_tells_readers_no_command(corpus):
    run = TrainingRun.objects.create(corpus=corpus)
    reader = browser_of(make_person("rea", corpus, Role.READER))
    told = reader.get(reverse("api-training-run", args=[run.pk])).json()
    assert (told["command"], told["yaml"], told["result"]) == ("", "", {})


def test_the_command_checks_a_plan_without_training(corpus, capsys, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("learning_rate: 2e-3\nseed: 2\n")
    call_command("train", "harbour", "--config", str(recipe), "--set", "seed=5", "--dry-run")
    told = capsys.readouterr().out
    assert "6 pairs about 3 facts; recipe from-scratch." in told
    assert "is meant for up to 2,500 facts: 1 %" in told
    assert "learning_rate: 0.002" in told
    assert "seed: 5 " in told
    assert not TrainingRun.objects.exists()


def test_the_command_takes_base_and_recipe(corpus):
    call_command("train", "harbour", "--base", QWEN, "--recipe", "full", "--detach")
    run = TrainingRun.objects.get()
    assert run.base_model is not None
    assert (run.base_model.location, run.recipe) == (QWEN, "full")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--base", "nothing"], "no base “nothing”"),
        (["--continue", "4"], "no version 4"),
        (["--config", "/no/such.yaml"], "cannot be read"),
        (["--set", "seed=x"], "seed"),
    ],
)
def test_the_command_ends_with_a_sentence_where_it_cannot(corpus, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("train", "harbour", *options, "--detach")
    assert not (TrainingRun.objects.exists() or MemoryVersion.objects.exists())
