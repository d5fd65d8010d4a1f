"""The form of a training: every number of the recipe, errors where they are, presets, YAML in and out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from knowledge.models import Corpus, Role
from tests.factories import CorpusFactory, ReflectionFactory, TrainingRunFactory
from tests.workbench import browser_of, make_person
from training.engine.config import EngineConfig, read_yaml
from training.models import TrainingRun
from training.plans import DECIDED
from training.train_form import keys

pytestmark = pytest.mark.django_db
QWEN = "Qwen2.5 0.5B Instruct"
URL = "/corpora/harbour/train/"
SHOWN = {"shown_base": "auto", "shown_recipe": "", "shown_continues": "", "base": "auto", "recipe": ""}


@pytest.fixture
def corpus() -> Corpus:
    corpus = CorpusFactory(slug="harbour", name="Harbour")
    ReflectionFactory.create_batch(5, corpus=corpus)
    return corpus


@pytest.fixture
def desk(corpus: Corpus) -> Client:
    return browser_of(make_person("cara", corpus, Role.CURATOR))


def filled_in(page: str) -> dict[str, str]:
    """What the form of a page would send as it is shown."""
    sent = dict(re.findall(r'<input (?:type="hidden" )?(?:id="\w+" )?name="(\w+)" value="([^"]*)"', page))
    for name in re.findall(r'<input type="checkbox" id="\w+" name="(\w+)" checked', page):
        sent[name] = "on"
    for name, body in re.findall(r'<select id="\w+" name="(\w+)".*?>(.*?)</select>', page, re.DOTALL):
        (sent[name],) = re.findall(r'value="([^"]*)" selected', body)
    sent.pop("csrfmiddlewaretoken", None)
    return sent


def post(desk: Client, data: dict[str, Any], **headers: str) -> Any:
    return desk.post(URL, data, headers=headers)


def test_every_number_of_the_engine_has_an_entry_with_a_label_and_its_meaning(desk):
    page = desk.get(URL).content.decode()
    for key in EngineConfig.model_fields.keys() - DECIDED.keys():
        assert f'for="{key}"' in page
        assert f'id="{key}-hint"' in page
    assert "Decides weights, data order and dropout." in page


def test_the_form_as_it_is_shown_starts_the_default_training(desk, corpus):
    answer = post(desk, filled_in(desk.get(URL).content.decode()) | {"do": "start"})
    run = TrainingRun.objects.get()
    assert answer.url == reverse("training-run", args=["harbour", run.pk])
    assert (run.base_model, run.recipe, run.config, run.go_live) == (None, "from-scratch", {}, False)


def test_an_empty_post_starts_the_default_training_as_well(desk):
    assert post(desk, {}).status_code == 302
    assert TrainingRun.objects.get().config == {}


def test_numbers_that_a_person_changes_are_kept_with_their_types(desk):
    sent = filled_in(desk.get(URL).content.decode())
    sent |= {"learning_rate": "2e-3", "layers": "5", "stop_after": "3", "gradient_checkpointing": "on"}
    sent |= {"lora_targets": "q_proj, v_proj", "schedule": "cosine", "epochs": "", "do": "start"}
    post(desk, sent)
    changed = {"learning_rate": 0.002, "layers": 5, "stop_after": 3, "gradient_checkpointing": True}
    changed |= {"lora_targets": ["q_proj", "v_proj"], "schedule": "cosine"}
    assert TrainingRun.objects.get().config == changed


def test_each_mistake_stands_at_its_field_and_what_was_typed_stays(desk):
    sent = filled_in(desk.get(URL).content.decode())
    answer = post(desk, sent | {"learning_rate": "quick", "beta1": "7", "do": "start"})
    page = answer.content.decode()
    assert answer.status_code == 422
    for key, typed in (("learning_rate", "quick"), ("beta1", "7")):
        assert re.search(rf'name="{key}" value="{typed}"[^>]*aria-invalid="true"', page)
        assert f'id="{key}-errors"' in page
    assert '<details open id="all-numbers">' in page
    assert not TrainingRun.objects.exists()


def test_another_recipe_brings_its_numbers_but_keeps_what_the_person_changed(desk):
    sent = filled_in(desk.get(URL).content.decode()) | {"seed": "9", "base": QWEN, "do": "check"}
    page = post(desk, sent, **{"HX-Request": "true"}).content.decode()
    shown = filled_in(page)
    assert (shown["batch_size"], shown["method"], shown["seed"]) == ("64", "lora", "9")
    assert (shown["shown_base"], shown["base"]) == (QWEN, QWEN)
    page = post(desk, shown | {"recipe": "paper-full", "do": "check"}).content.decode()
    assert (filled_in(page)["method"], filled_in(page)["seed"]) == ("full", "9")
    post(desk, filled_in(page) | {"do": "start"})
    run = TrainingRun.objects.get()
    assert (str(run.base_model), run.recipe, run.config) == (QWEN, "paper-full", {"seed": 9})


def test_the_gauge_and_the_forecast_follow_the_base(desk):
    page = desk.get(URL).content.decode()
    assert 'role="img" aria-label="Capacity. 5 facts: small 1 % full' in page
    assert "The small model suits this corpus." in page
    page = post(desk, SHOWN | {"base": "Built in, large", "do": "check"}).content.decode()
    assert "The small model would suit this corpus." in page
    page = post(desk, SHOWN | {"base": QWEN, "do": "check"}).content.decode()
    assert "Capacity." not in page
    assert "of memory of" in page


def test_a_recipe_goes_out_as_yaml_and_comes_in_again(desk):
    sent = filled_in(desk.get(URL).content.decode()) | {"seed": "4", "base": QWEN}
    answer = post(desk, sent | {"do": "export"})
    assert answer["Content-Disposition"] == 'attachment; filename="harbour-recipe.yaml"'
    text = answer.content.decode()
    assert (read_yaml(text)["seed"], read_yaml(text)["method"]) == (4, "lora")
    for data in ({"yaml": text}, {"yaml_file": SimpleUploadedFile("r.yaml", text.encode())}):
        shown = filled_in(post(desk, SHOWN | data | {"do": "import"}).content.decode())
        assert (shown["seed"], shown["base"], shown["method"]) == ("4", QWEN, "lora")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Paste a recipe"),
        ("[1", "cannot be read as YAML"),
        ("base: /etc/passwd", "not offered here"),
        ("dropout: 1", "there is no key"),
        ("x" * 100_001, "no more than 100,000 characters"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused_with_its_reason(desk, text, message):
    answer = post(desk, SHOWN | {"yaml": text, "do": "import"})
    assert answer.status_code == 422
    assert message in answer.content.decode()


def test_run_again_with_changes_is_filled_in_and_names_what_it_repeats(desk, corpus):
    run = TrainingRunFactory(corpus=corpus, status="failed", config={"size": "medium", "seed": 8})
    page = desk.get(URL, {"repeats": run.pk}).content.decode()
    shown = filled_in(page)
    assert (shown["seed"], shown["base"], shown["repeats"]) == ("8", "Built in, medium", str(run.pk))
    post(desk, shown | {"seed": "9", "do": "start"})
    again = TrainingRun.objects.exclude(pk=run.pk).get()
    assert (again.repeats, again.config, str(again.base_model)) == (run, {"seed": 9}, "Built in, medium")


def test_only_owners_are_offered_to_go_live_and_only_they_can(desk, corpus):
    assert "go_live" not in desk.get(URL).content.decode()
    assert post(desk, {"go_live": "on"}).status_code == 403
    assert not TrainingRun.objects.exists()
    owner = browser_of(make_person("ona", corpus, Role.OWNER))
    assert 'name="go_live"' in owner.get(URL).content.decode()
    post(owner, {"go_live": "on"})
    assert TrainingRun.objects.get().go_live


def test_a_second_training_at_once_is_refused_and_the_numbers_stay(desk, corpus):
    TrainingRunFactory(corpus=corpus, status="running")
    answer = post(desk, SHOWN | {"seed": "77"})
    assert answer.status_code == 422
    assert "already at work" in answer.content.decode()
    assert filled_in(answer.content.decode())["seed"] == "77"


def test_a_corpus_without_pairs_says_so(desk, corpus):
    corpus.reflections.all().delete()
    page = desk.get(URL).content.decode()
    assert "no approved pairs" in page


@pytest.mark.parametrize("query", [{"continues": "5"}, {"continues": "x"}, {"repeats": "x"}])
def test_an_address_that_names_nothing_gives_the_plain_form(desk, query):
    assert filled_in(desk.get(URL, query).content.decode())["base"] == "auto"


def test_no_entry_is_decided_twice():
    assert not set(keys()) & DECIDED.keys()
