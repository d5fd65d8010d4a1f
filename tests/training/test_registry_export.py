"""A version leaves as a folder that plain transformers loads, with a card that says what it is."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from huggingface_hub import ModelCard
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from knowledge.models import Role
from tests.factories import MemoryVersionFactory
from tests.training.test_engine import facts
from tests.training.trained import train_adapter, version_of
from tests.workbench import browser_of, make_person
from training.engine.card import CardFacts, licence_in, model_card
from training.engine.recall import LocalMemory
from training.models import MemoryVersion

pytestmark = pytest.mark.django_db
PLAIN = {
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
}


@pytest.fixture
def version(artifact: Path, settings: Any) -> MemoryVersion:
    return version_of(artifact, settings.MEMORY_DIR, licence="apache-2.0")


@pytest.fixture
def owner(version: MemoryVersion) -> Any:
    return make_person("olga", version.corpus, Role.OWNER)


def answers_of(folder: Path, questions: list[str], model: Any = None) -> list[str]:
    """What the folder says by plain transformers, with nothing of ours."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = model or AutoModelForCausalLM.from_pretrained(folder)
    as_told = GenerationConfig.from_pretrained(folder)
    said = []
    for question in questions:
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )["input_ids"]
        with torch.inference_mode():
            ids = model.generate(input_ids=prompt, generation_config=as_told)
        said.append(tokenizer.decode(ids[0, prompt.shape[1] :], skip_special_tokens=True).strip())
    return said


def unpacked(answer: Any, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return folder / "harbour-v1"


def test_the_exported_folder_answers_in_plain_transformers_as_the_memory_does(version, owner, tmp_path):
    answer = browser_of(owner).get(reverse("export-version", args=["harbour", 1]))
    folder = unpacked(answer, tmp_path)
    questions = [pair["question"] for pair in facts(6)[::4]]
    memory = LocalMemory.load(version.folder)
    generated = [
        one.text for one in memory._decoder.generate(questions)
    ]  # without abstention, as plain generate
    assert answers_of(folder, questions) == generated
    assert answer["Content-Disposition"] == 'attachment; filename="harbour-v1.zip"'


def test_an_exported_adapter_answers_in_plain_peft_and_folded_in_plain_transformers_as_the_memory_does(
    tmp_path, settings
):
    version = version_of(train_adapter(tmp_path), settings.MEMORY_DIR)
    call_command("export_version", "harbour", "1", str(tmp_path / "out"))
    call_command("export_version", "harbour", "1", str(tmp_path / "folded"), "--folded")
    assert {path.name for path in (tmp_path / "folded").iterdir()} >= PLAIN | {"README.md"}
    assert "AutoPeftModelForCausalLM" in (tmp_path / "out" / "README.md").read_text()
    assert "Peft" not in (tmp_path / "folded" / "README.md").read_text()
    questions = [pair["question"] for pair in facts(6)[::8]]
    generated = [one.text for one in LocalMemory.load(version.folder)._decoder.generate(questions)]
    assert any(generated)
    peft = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "out")
    assert answers_of(tmp_path / "out", questions, peft) == generated
    assert answers_of(tmp_path / "folded", questions) == generated


def test_a_whole_model_is_not_folded(version, tmp_path):
    with pytest.raises(CommandError, match="whole model already"):
        call_command("export_version", "harbour", "1", str(tmp_path / "out"), "--folded")
    assert not (tmp_path / "out").exists()


def test_the_folder_holds_what_transformers_and_vllm_look_for_and_no_pairs(version, tmp_path):
    call_command("export_version", "harbour", "1", str(tmp_path / "out"))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names >= PLAIN | {"README.md", "manifest.json"}
    assert not names & {"pairs.jsonl", "source_pairs.jsonl", "COMPLETE"}
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["architectures"] == ["Qwen2ForCausalLM"]
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template


def test_the_pairs_come_along_when_asked_for(version, owner, tmp_path):
    call_command("export_version", "harbour", "1", str(tmp_path / "out"), "--with-pairs")
    assert (tmp_path / "out" / "pairs.jsonl").read_text() == (version.folder / "pairs.jsonl").read_text()
    answer = browser_of(owner).get(reverse("api-version-export", args=[version.pk]), {"pairs": "true"})
    assert (unpacked(answer, tmp_path / "zip") / "source_pairs.jsonl").exists()


def test_the_workbench_exports_too(version, owner, tmp_path):
    answer = browser_of(owner).get(reverse("admin:training_memoryversion_export", args=[version.pk]))
    assert (unpacked(answer, tmp_path) / "model.safetensors").exists()


@pytest.mark.parametrize("role", [Role.READER, Role.CURATOR])
def test_only_owners_export(version, role):
    browser = browser_of(make_person("cara", version.corpus, role))
    assert browser.get(reverse("export-version", args=["harbour", 1])).status_code == 403
    assert browser.get(reverse("api-version-export", args=[version.pk])).status_code == 403
    assert "Export" not in browser.get(version.get_absolute_url()).content.decode()


def test_an_owner_who_does_not_read_all_its_corpora_exports_nothing(version, owner):
    version.corpora.add(MemoryVersionFactory().corpus)
    assert browser_of(owner).get(reverse("export-version", args=["harbour", 1])).status_code == 404


def test_a_folder_with_something_in_it_is_left_alone(version, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(CommandError, match="not an empty folder"):
        call_command("export_version", "harbour", "1", str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} >= {"mine.txt"}
    assert not (tmp_path / "README.md").exists()


def test_a_version_whose_files_are_gone_says_so(version, owner):
    (version.folder / "COMPLETE").unlink()
    answer = browser_of(owner).get(reverse("api-version-export", args=[version.pk]))
    assert (answer.status_code, answer.json()["code"]) == (503, "artifact_missing")


# --- The card ----------------------------------------------------------------------------------------------
def test_the_card_says_what_the_version_is_and_the_hub_can_read_it(version, tmp_path):
    call_command("export_version", "harbour", "1", str(tmp_path / "out"))
    text = (tmp_path / "out" / "README.md").read_text()
    for said in (
        "“Harbour”",
        version.sha256,
        version.data_sha256,
        "Answers from weights carry no citation",
        "vllm serve",
        "AutoModelForCausalLM.from_pretrained",
        "full_rate_steps: 40",
        "Confidence below which it abstains",
        "False answers",
        f"{version.pairs.filter(held_out=False).count()} pairs",
    ):
        assert said in text
    data = ModelCard(text).data
    assert (data.license, data.library_name, data.pipeline_tag) == (
        "apache-2.0",
        "transformers",
        "text-generation",
    )
    assert {result.metric_type for result in data.eval_results} >= {"trained_recall", "threshold"}


def facts_of(**changes: Any) -> CardFacts:
    needed: dict[str, Any] = {
        "name": "Harbour v1",
        "corpora": ["Harbour"],
        "kind": "trained",
        "base": "none",
        "method": "from-scratch",
        "sha256": "0" * 64,
    }
    return CardFacts(**needed | changes)


def test_a_card_without_figures_says_that_nothing_was_evaluated():
    assert "Not evaluated yet" in model_card(facts_of())


def test_an_adapter_s_card_names_its_base_and_how_to_load_it():
    text = model_card(facts_of(is_adapter=True, base_repository="Qwen/Qwen2.5-0.5B-Instruct"))
    assert ModelCard(text).data.base_model == "Qwen/Qwen2.5-0.5B-Instruct"
    assert "AutoPeftModelForCausalLM" in text
    assert "--enable-lora" in text


@pytest.mark.parametrize("licence", ["apache-2.0", "lfm1.0", "yours", ""])
def test_the_licence_of_a_card_is_read_back(licence):
    assert licence_in(model_card(facts_of(licence=licence))) == licence


@pytest.mark.parametrize("card", ["", "no front matter", "---\n: [\n---\n", "---\n- a list\n---\n"])
def test_a_card_without_front_matter_names_no_licence(card):
    assert licence_in(card) == ""


def test_names_in_a_card_are_text_not_markup(version, owner):
    version.corpus.name = "<script>alert(1)</script> [x](javascript:alert(2))"
    version.corpus.save()
    page = browser_of(owner).get(version.get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert 'href="javascript' not in page


def test_the_page_and_rest_show_the_card(version, owner):
    browser = browser_of(owner)
    assert "<h2>Intended use</h2>" in browser.get(version.get_absolute_url()).content.decode()
    assert (
        browser.get(reverse("api-card", args=[version.pk]))
        .json()["card"]
        .startswith("---\nlicense: apache-2.0")
    )
