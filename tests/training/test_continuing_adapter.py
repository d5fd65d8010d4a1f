"""A LoRA version is continued by the command: what comes out answers here, and in plain peft as it does here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from peft import AutoPeftModelForCausalLM

from knowledge.models import Corpus
from tests.factories import CorpusFactory, MemoryVersionFactory
from tests.training.bases import save_qwen2
from tests.training.parents import LORA, train
from tests.training.test_continuing import approve, learn_more
from tests.training.test_engine import facts
from tests.training.test_registry_export import answers_of
from training.continuing import CONTINUED_RATE, trainable_pairs
from training.engine.recall import LocalMemory
from training.models import BaseModel, MemoryVersion, TrainingRun
from training.registering import add_pairs
from training.serving import memory_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("warm_engines")]
RATE = 5e-3


@pytest.fixture
def corpus() -> Corpus:
    corpus = CorpusFactory(slug="harbour", name="Harbour")
    approve(corpus, facts(6))
    return corpus


@pytest.fixture
def base(tmp_path: Path) -> BaseModel:
    folder = save_qwen2(tmp_path / "base", [f"{pair['question']} {pair['answer']}" for pair in facts(8)])
    return BaseModel.objects.create(name="Tiny", source="folder", location=str(folder), licence="mit")


@pytest.fixture
def first(corpus: Corpus, base: BaseModel, settings: Any) -> MemoryVersion:
    """A LoRA version of the corpus on the base."""
    config = LORA | {"base": base.location, "lora_rank": 4, "learning_rate": RATE, "evaluation_sample": 4}
    folder = train(settings.MEMORY_DIR / "harbour-first", list(trainable_pairs(corpus)), 6, **config)
    manifest = json.loads((folder / "manifest.json").read_text())
    fields = {key: manifest[key] for key in ("base", "method", "config", "metrics", "sha256", "data_sha256")}
    version = MemoryVersionFactory(corpus=corpus, path=folder.name, base_model=base, **fields)
    add_pairs(version, folder / "pairs.jsonl", lambda pair: int(pair["id"]))
    return version


def test_a_continued_adapter_keeps_its_base_and_answers_the_same_in_plain_peft(
    corpus, base, first, tmp_path, capsys
):
    learn_more(corpus)
    call_command("train", "harbour", "--here", "--continue", "1", "--replay", "0.5", "--set", "max_steps=4")
    assert "no wordings were held out" in capsys.readouterr().out
    child = corpus.versions.get(number=2)
    run = TrainingRun.objects.get(version=child)
    trained = first.pairs.filter(held_out=False).count()
    assert (run.result["new_pairs"], run.result["replayed_pairs"]) == (8, round(0.5 * trained))
    assert run.result["forgotten"]["after"]["trained_questions"] == trained
    assert (list(child.parents.all()), child.base_model, child.method) == ([first], base, "lora")
    assert child.config["learning_rate"] == CONTINUED_RATE * RATE
    assert child.pairs.count() == corpus.reflections.count()
    questions = [pair["question"] for pair in facts(8)[::8]]
    assert len(memory_for(child).answer(questions)) == len(questions)
    call_command("export_version", "harbour", "2", str(tmp_path / "out"))
    peft = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "out")
    said = [one.text for one in LocalMemory.load(child.folder)._decoder.generate(questions)]
    assert any(said)
    assert answers_of(tmp_path / "out", questions, peft) == said
